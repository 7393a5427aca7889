"""Where batches are trained: in this process or on Ray. Nothing else imports Ray.

Both executors take the same work and batches and yield the same rows as they finish,
in whatever order; the driver alone writes them. A batch whose task fails, by an exception
or because its worker died, is split until the trial at fault stands alone: that one is
yielded as a failure, and all others are trained. A batch whose node or cluster died is not to
blame: it is sent to another node, and if there is none the run ends.
"""

import logging
import os
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from pipeline.batches import Batch
from pipeline.interrupts import kept_handlers
from pipeline.provenance import software
from pipeline.skew import Skew, skews
from pipeline.storage.schemas import Rows

Work = Callable[[Batch], Rows]
OnSkew = Callable[[Sequence[Skew]], None]
# Batches, taken lazily. None means: wait for a batch in flight to end, then ask again.
Supplied = Iterable[Batch | None]

# Below this many seconds of work on one core, starting Ray costs more than it saves.
SERIAL_SECONDS = 15.0
# Enough that no CPU waits for the driver, few enough that memory stays bounded.
TASKS_PER_CPU = 3
# So many on a cluster that was joined, however few CPUs it has yet: an autoscaler adds nodes for
# the tasks that wait, as many as hold these at first, then threefold each time.
LEAST_ON_CLUSTER = 256
# Ray looks at all tasks in flight each time that it is asked for those that ended, so this share
# of them is waited for at once: the time per task stays the same however many are in flight.
SHARE_AT_ONCE = 0.01
CPUS_KNOWN_SECONDS = 1.0
# For a task whose worker or node died: the task may not have been to blame.
TASK_RETRIES = 2
# How often a batch is sent to another node after its own died, with TASK_RETRIES each.
MOST_NODES_LOST = 3
REASON_LENGTH = 500
# To a cluster's address, and for its nodes to say what they have installed.
CONNECT_SECONDS, SOFTWARE_SECONDS = 10.0, 60.0
# How long a task is waited for before the cluster is looked at again; and after how long without
# CPUs that is said, first and then.
WAIT_SECONDS = 5.0
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 10.0, 60.0


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


class SkewError(ClusterError):
    """Driver and workers have different versions; the message names both sides."""


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


def refuse_skew(found: Sequence[Skew]) -> None:
    """Raise SkewError."""
    each = "; ".join(skew.in_words for skew in found)
    raise SkewError(
        f"the nodes of the cluster differ: {each}; install the same versions everywhere, as "
        "constraints.txt pins them, or accept numbers that may differ with --accept-skew"
    )


def run_on_ray(
    work: Work,
    batches: Supplied,
    address: str | None = None,
    accept_skew: OnSkew | None = None,
) -> Iterator[Rows | Failure]:
    """Train the batches as Ray tasks, a bounded number of them in flight.

    Args:
        work: Trains one batch; sent to the object store once.
        batches: Taken lazily, as tasks finish.
        address: A running cluster's; None uses the connected one or starts a local one.
        accept_skew: Called with nodes of a running cluster that have other versions than this
            process, when they are found: before the first batch, or when they join. None
            refuses them.

    Raises:
        ClusterError: No cluster runs at that address, or its versions are not this process'.
        ClusterLostError: It died; no trial is to blame.
    """
    import ray  # Ray takes seconds to import, and small sweeps never need it.

    started_here = _connect(ray, address)
    task: Any = ray.remote(num_cpus=1, max_retries=TASK_RETRIES)(_with_one_thread)
    shared_work = ray.put(work)
    queue, again = iter(batches), deque[Batch]()
    lost: Counter[str] = Counter()
    in_flight: dict[Any, Batch] = {}
    quiet_until = monotonic() + FIRST_WORD_SECONDS
    expected = None if address is None or accept_skew else software()
    asked, cpus, count_cpus = set[str](), -1, _cpu_counter(ray)
    try:
        while True:
            before, cpus = cpus, count_cpus()
            if address is not None and cpus != before:
                _look_for_skew(ray, asked, accept_skew or refuse_skew)
            while len(in_flight) < _most_in_flight(cpus, address):
                batch = again.popleft() if again else next(queue, None)
                if batch is None:
                    break
                in_flight[task.remote(shared_work, batch, expected)] = batch
            if not in_flight:
                return
            at_once = max(1, int(SHARE_AT_ONCE * len(in_flight)))
            ended, _ = ray.wait(list(in_flight), num_returns=at_once, timeout=WAIT_SECONDS)
            if not ended:
                if monotonic() >= quiet_until and not count_cpus():
                    _say(f"waiting: the Ray cluster has no CPU for {len(in_flight)} batches yet")
                    quiet_until = monotonic() + NEXT_WORD_SECONDS
                continue
            for reference in ended:
                batch = in_flight.pop(reference)
                try:
                    rows = ray.get(reference)
                except ray.exceptions.RayError as error:
                    cause = getattr(error, "cause", None)
                    if isinstance(cause, SkewError):
                        raise SkewError(str(cause)) from error
                    if not _is_of_the_task(ray, error):
                        lost[batch.batch_id] += 1
                        _require_a_node(ray, error, lost[batch.batch_id])
                        again.append(batch)
                    elif len(batch) == 1:
                        yield _failure(batch, cause or error)
                    else:
                        again.extend(batch.halves)
                else:
                    yield rows
    finally:
        for reference in in_flight:
            ray.cancel(reference, force=False)
        if started_here:
            ray.shutdown()


def _most_in_flight(cpus: int, address: str | None) -> int:
    """How many tasks may be in flight on so many CPUs."""
    least = 1 if address is None else LEAST_ON_CLUSTER
    return max(TASKS_PER_CPU * max(1, cpus), least)


def _cpu_counter(ray: Any) -> Callable[[], int]:
    """Counts the cluster's CPUs, anew each second: it grows and shrinks."""
    counted, known_until = 0, -inf

    def count() -> int:
        nonlocal counted, known_until
        if monotonic() >= known_until:
            counted = int(ray.cluster_resources().get("CPU", 0))
            known_until = monotonic() + CPUS_KNOWN_SECONDS
        return counted

    return count


def _is_of_the_task(ray: Any, error: Exception) -> bool:
    """Whether the task itself failed: it raised, or its worker alone died on every attempt."""
    found = ray.exceptions
    return isinstance(error, found.RayTaskError | found.WorkerCrashedError | found.OutOfMemoryError)


def _require_a_node(ray: Any, error: Exception, times: int) -> None:
    """Raise ClusterLostError unless a batch lost with its nodes may be sent to another node."""
    reason = f"{type(error).__name__}: {_in_a_line(error)}"[:REASON_LENGTH]
    if isinstance(error, ray.exceptions.LocalRayletDiedError):
        raise ClusterLostError(f"the Ray on this machine died ({reason}); no trial is to blame")
    if times > MOST_NODES_LOST or not ray.cluster_resources().get("CPU"):
        raise ClusterLostError(f"the Ray cluster lost its nodes ({reason}); no trial is to blame")


def _look_for_skew(ray: Any, asked: set[str], on_skew: OnSkew) -> None:
    """Call `on_skew` where nodes that were not asked yet have other versions than this process."""
    found = list(skews(software(), _software_of_nodes(ray, asked)))
    if found:
        on_skew(found)


def _software_of_nodes(ray: Any, asked: set[str]) -> dict[str, dict[str, str]]:
    """What the nodes that can train have installed, by their addresses.

    A node that does not answer in time is left out: its tasks look for themselves.

    Args:
        ray: The module.
        asked: Nodes to leave out; the others are added.
    """
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    task = ray.remote(num_cpus=0, max_retries=0)(_software_here)
    nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    answers = {
        task.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(): node
        for node in nodes
        if node["NodeID"] not in asked
    }
    asked.update(node["NodeID"] for node in nodes)
    if not answers:
        return {}
    ready, _ = ray.wait(list(answers), num_returns=len(answers), timeout=SOFTWARE_SECONDS)
    found = {answers[each]["NodeManagerAddress"]: _software_of(ray, each) for each in ready}
    return {node: versions for node, versions in found.items() if versions}


def _software_of(ray: Any, answer: Any) -> dict[str, str]:
    """A node's answer; none where the node left meanwhile."""
    try:
        return dict(ray.get(answer))
    except ray.exceptions.RayTaskError as error:  # The function could not even be imported.
        return {"phasesweep": f"none that can be loaded ({_in_a_line(error)[-REASON_LENGTH:]})"}
    except ray.exceptions.RayError:
        return {}


def _software_here() -> dict[str, str]:
    """By name, so that a worker's own module answers."""
    return software()


def _connect(ray: Any, address: str | None) -> bool:
    """Connect to Ray; True when that started or joined a cluster on our behalf."""
    if ray.is_initialized():
        return False
    if address is not None:
        _require_a_listener(address)
    where = "Ray on this machine" if address is None else f"the Ray cluster at {address}"
    _say(f"{'starting' if address is None else 'joining'} {where}: some seconds")
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
        raise _no_cluster(address, error) from error
    cpus = int(ray.cluster_resources().get("CPU", 0))
    _say(f"Ray trains on {cpus:,} CPU{'' if cpus == 1 else 's'}")
    return True


def _require_a_listener(address: str) -> None:
    """Refuse an address where nothing listens: Ray would try for minutes.

    Raises:
        ClusterError: With the system's reason.
    """
    from ray._private.services import canonicalize_bootstrap_address

    try:
        # What auto stands for; "host:port" after "ray://".
        found = canonicalize_bootstrap_address(address.removeprefix("ray://"))
        host, _, port = (found or "").rpartition(":")
        if not host:
            return
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> ClusterError:
    return ClusterError(
        f"cannot join the Ray cluster at {address!r}: {_in_a_line(error)}; give the address "
        "of one that runs, auto on one of its nodes, or leave out --address"
    )


def _with_one_thread(work: Work, batch: Batch, expected: dict[str, str] | None = None) -> Rows:
    """One BLAS thread per task: small products gain nothing from more, and CPUs are shared.

    Args:
        work: Trains the batch.
        batch: Of trials.
        expected: The versions that must be here; None for any.
    """
    if expected is not None and expected != software():
        refuse_skew(list(skews(expected, {socket.gethostname(): software()})))
    with threadpool_limits(limits=1):
        return work(batch)


def _failure(batch: Batch, error: BaseException) -> Failure:
    return Failure(batch.first, f"{type(error).__name__}: {_in_a_line(error)}"[:REASON_LENGTH])


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _in_a_line(error: BaseException) -> str:
    return " ".join(str(error).split())
