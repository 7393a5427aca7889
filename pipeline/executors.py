"""Where batches are trained: in this process or on Ray. Nothing else imports Ray.

Both executors take the same work and batches and yield the same rows as they finish,
in whatever order; the driver alone writes them. A batch whose task fails, by an exception
or because its worker died, is split until the trial at fault stands alone: that one is
yielded as a failure, and all others are trained. A batch whose node or cluster died is not to
blame: it is sent to another node, and if there is none the run ends.
"""

import logging
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from pipeline.batches import Batch
from pipeline.interrupts import kept_handlers
from pipeline.storage.schemas import Rows

Work = Callable[[Batch], Rows]
# Batches, taken lazily. None means: wait for a batch in flight to end, then ask again.
Supplied = Iterable[Batch | None]

# Below this many seconds of work on one core, starting Ray costs more than it saves.
SERIAL_SECONDS = 15.0
# Enough that no CPU waits for the driver, few enough that memory stays bounded.
TASKS_PER_CPU = 3
# For a task whose worker or node died: the task may not have been to blame.
TASK_RETRIES = 2
# How often a batch is sent to another node after its own died, with TASK_RETRIES each.
MOST_NODES_LOST = 3
REASON_LENGTH = 500


@dataclass(frozen=True)
class Failure:
    """A trial whose training raised or killed its worker: a bug, never a divergence.

    Attributes:
        trial: The culprit, found alone.
        reason: The error in a line.
    """

    trial: Any
    reason: str


class ClusterError(ValueError):
    """There is no Ray cluster to join; the message names the address and the remedy."""


class ClusterLostError(ConnectionError):
    """The Ray cluster, or this process' node of it, died; the message says which."""


class Executor(Protocol):
    """Runs the work on every batch and yields rows, or failures, as they come."""

    def __call__(self, work: Work, batches: Supplied) -> Iterator[Rows | Failure]:
        """Run the work on every batch.

        Args:
            work: Trains one batch.
            batches: Taken lazily.
        """


def executor_for(seconds: float) -> Executor:
    """Trains in this process where the work is small, else on a local Ray.

    Args:
        seconds: Of work on one core.
    """
    return run_serially if seconds < SERIAL_SECONDS else run_on_ray


def run_serially(work: Work, batches: Supplied) -> Iterator[Rows | Failure]:
    """Train the batches one after the other in this process."""
    for batch in filter(None, batches):
        yield from _attempt(work, batch)


def _attempt(work: Work, batch: Batch) -> Iterator[Rows | Failure]:
    try:
        rows = _with_one_thread(work, batch)
    except Exception as error:
        if len(batch) == 1:
            yield _failure(batch, error)
            return
        for half in batch.halves:
            yield from _attempt(work, half)
    else:
        yield rows


def run_on_ray(
    work: Work, batches: Supplied, address: str | None = None
) -> Iterator[Rows | Failure]:
    """Train the batches as Ray tasks, a bounded number of them in flight.

    Args:
        work: Trains one batch; sent to the object store once.
        batches: Taken lazily, as tasks finish.
        address: A running cluster's; None uses the connected one or starts a local one.

    Raises:
        ClusterError: No cluster runs at that address.
        ClusterLostError: It died; no trial is to blame.
    """
    import ray  # Ray takes seconds to import, and small sweeps never need it.

    started_here = _connect(ray, address)
    task = ray.remote(num_cpus=1, max_retries=TASK_RETRIES)(_with_one_thread)
    shared_work = ray.put(work)
    queue, again = iter(batches), deque[Batch]()
    lost: Counter[str] = Counter()
    in_flight: dict[Any, Batch] = {}
    try:
        while True:
            # Asked anew each time: a cluster grows and shrinks.
            limit = TASKS_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while len(in_flight) < limit:
                batch = again.popleft() if again else next(queue, None)
                if batch is None:
                    break
                in_flight[task.remote(shared_work, batch)] = batch
            if not in_flight:
                return
            (reference, *_), _ = ray.wait(list(in_flight), num_returns=1)
            batch = in_flight.pop(reference)
            try:
                rows = ray.get(reference)
            except ray.exceptions.RayError as error:
                if not _is_of_the_task(ray, error):
                    lost[batch.batch_id] += 1
                    _require_a_node(ray, error, lost[batch.batch_id])
                    again.append(batch)
                elif len(batch) == 1:
                    yield _failure(batch, getattr(error, "cause", None) or error)
                else:
                    again.extend(batch.halves)
            else:
                yield rows
    finally:
        for reference in in_flight:
            ray.cancel(reference, force=False)
        if started_here:
            ray.shutdown()


def _is_of_the_task(ray: Any, error: Exception) -> bool:
    """Whether the task itself failed: it raised, or its worker alone died on every attempt."""
    found = ray.exceptions
    return isinstance(error, found.RayTaskError | found.WorkerCrashedError | found.OutOfMemoryError)


def _require_a_node(ray: Any, error: Exception, times: int) -> None:
    """Raise ClusterLostError unless a batch, lost with its node so many times, may go elsewhere."""
    reason = f"{type(error).__name__}: {_in_a_line(error)}"[:REASON_LENGTH]
    if isinstance(error, ray.exceptions.LocalRayletDiedError):
        raise ClusterLostError(f"the Ray on this machine died ({reason}); no trial is to blame")
    if times > MOST_NODES_LOST or not ray.cluster_resources().get("CPU"):
        raise ClusterLostError(f"the Ray cluster lost its nodes ({reason}); no trial is to blame")


def _connect(ray: Any, address: str | None) -> bool:
    """Connect to Ray; True when that started or joined a cluster on our behalf."""
    if ray.is_initialized():
        return False
    # Under `uv run` Ray would resolve the environment anew for every worker.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        with kept_handlers():
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
    except (OSError, ValueError, RuntimeError) as error:
        if address is None:
            raise
        raise ClusterError(
            f"cannot join the Ray cluster at {address!r}: {_in_a_line(error)}; give the address "
            "of one that runs, auto on one of its nodes, or leave out --address"
        ) from error
    return True


def _with_one_thread(work: Work, batch: Batch) -> Rows:
    """One BLAS thread per task: small products gain nothing from more, and CPUs are shared."""
    with threadpool_limits(limits=1):
        return work(batch)


def _failure(batch: Batch, error: BaseException) -> Failure:
    return Failure(batch.first, f"{type(error).__name__}: {_in_a_line(error)}"[:REASON_LENGTH])


def _in_a_line(error: BaseException) -> str:
    return " ".join(str(error).split())
