"""Where batches are trained: in this process or on Ray. Nothing else imports Ray.

Both executors take the same work and batches and yield the same rows as they finish,
in whatever order; the driver alone writes them.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from pipeline.batches import Batch
from pipeline.schemas import Rows

Work = Callable[[Batch], Rows]

# Enough that no CPU waits for the driver, few enough that memory stays bounded.
TASKS_PER_CPU = 3
TASK_RETRIES = 3


class Executor(Protocol):
    """Runs the work on every batch and yields its rows as they finish."""

    def __call__(self, work: Work, batches: Iterable[Batch]) -> Iterator[Rows]:
        """Args: work: Trains one batch. batches: Taken lazily."""


class BatchError(RuntimeError):
    """A batch whose training raised: a bug, never a divergence. Names the batch."""


def run_serially(work: Work, batches: Iterable[Batch]) -> Iterator[Rows]:
    """Train the batches one after the other in this process.

    Raises:
        BatchError: The work raised; everything yielded before stands.
    """
    for batch in batches:
        try:
            rows = _with_one_thread(work, batch)
        except Exception as error:
            raise _batch_error(batch, error) from error
        yield rows


def run_on_ray(work: Work, batches: Iterable[Batch], address: str | None = None) -> Iterator[Rows]:
    """Train the batches as Ray tasks, a bounded number of them in flight.

    Args:
        work: Trains one batch; sent to the object store once.
        batches: Taken lazily, as tasks finish.
        address: A running cluster's; None uses the connected one or starts a local one.

    Raises:
        BatchError: The work raised, or its worker died more than TASK_RETRIES times.
    """
    import ray  # Ray takes seconds to import, and small sweeps never need it.

    started_here = _connect(ray, address)
    task = ray.remote(num_cpus=1, max_retries=TASK_RETRIES)(_with_one_thread)
    shared_work = ray.put(work)
    queue = iter(batches)
    in_flight: dict[Any, Batch] = {}
    try:
        while True:
            # Asked anew each time: a cluster grows and shrinks.
            limit = TASKS_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
            for batch in islice(queue, limit - len(in_flight)):
                in_flight[task.remote(shared_work, batch)] = batch
            if not in_flight:
                return
            done, _ = ray.wait(list(in_flight), num_returns=1)
            for reference in done:
                batch = in_flight.pop(reference)
                try:
                    rows = ray.get(reference)
                except ray.exceptions.RayError as error:
                    raise _batch_error(batch, error) from error
                yield rows
    finally:
        for reference in in_flight:
            ray.cancel(reference, force=False)
        if started_here:
            ray.shutdown()


def _connect(ray: Any, address: str | None) -> bool:
    """Connect to Ray; True when that started or joined a cluster on our behalf."""
    if ray.is_initialized():
        return False
    # Under `uv run` Ray would resolve the environment anew for every worker.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray.init(
        address=address or "local",
        include_dashboard=None if address else False,
        logging_level=logging.ERROR,
        log_to_driver=False,
    )
    return True


def _with_one_thread(work: Work, batch: Batch) -> Rows:
    """One BLAS thread a task: small products gain nothing from more, and CPUs are shared."""
    with threadpool_limits(limits=1):
        return work(batch)


def _batch_error(batch: Batch, error: Exception) -> BatchError:
    first = batch.block[batch.positions[0]]
    return BatchError(
        f"batch {batch.batch_id} ({len(batch)} trials of {first.activation}, depth "
        f"{first.depth}, width {first.width}) failed: {type(error).__name__}: {error}"
    )
