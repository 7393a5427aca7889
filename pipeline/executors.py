"""Where batches are trained: in this process or on Ray.

Both executors take the same work and batches and yield the same rows as they finish,
in whatever order; the driver alone writes them. A batch whose task fails, by an exception
or because its workers died, is split until the trial at fault stands alone: that one is
yielded as a failure, and all others are trained. A batch whose node or cluster died is not to
blame: it is sent to another node, and if there is none the run ends.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from pipeline.batches import Batch
from pipeline.clusters.attempts import MOST_DEATHS, Attempt, Node
from pipeline.clusters.connections import (
    REASON_LENGTH,
    Cluster,
    ClusterLostError,
    connect,
    in_a_line,
    leave_silently,
    say,
)
from pipeline.clusters.skew import OnSkew, SkewError, look_for_skew, refuse_skew, skews
from pipeline.provenance import software
from pipeline.storage.schemas import Rows

Work = Callable[[Batch], Rows]
# Batches, taken lazily. None means: wait for a batch in flight to end, then ask again.
Supplied = Iterable[Batch | None]
# What comes back, as it comes. None means: nothing has ended for a while.
Results = Iterator["Rows | Failure | None"]

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
# How long a task is waited for before the cluster is looked at again.
WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Failure:
    """A trial whose training raised or killed its worker: a bug, never a divergence.

    Attributes:
        trial: The culprit, found alone.
        reason: The error in a line.
    """

    trial: Any
    reason: str


class Executor(Protocol):
    """Runs the work on every batch and yields rows, or failures, as they come."""

    def __call__(self, work: Work, batches: Supplied) -> Results:
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
            yield Failure(batch.first, _in_words(error))
            return
        for half in batch.halves:
            yield from _attempt(work, half)
    else:
        yield rows


def run_on_ray(
    work: Work,
    batches: Supplied,
    address: str | None = None,
    accept_skew: OnSkew | None = None,
) -> Results:
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

    started_here = connect(ray, address)
    cluster = Cluster(ray)
    expected = None if address is None or accept_skew else software()
    tasks = _Tasks(ray, cluster, work, expected)
    queue, asked, cpus = iter(batches), set[str](), -1
    try:
        while True:
            before, cpus = cpus, cluster.cpus
            if address is not None and cpus != before:
                look_for_skew(ray, asked, accept_skew or refuse_skew)
                if before >= 0:
                    say(f"Ray now trains on {cpus:,} CPU{'' if cpus == 1 else 's'}")
            tasks.fill(queue, _most_in_flight(cpus, address))
            if not len(tasks):
                return
            yield from tasks.ended()
            cluster.look(len(tasks))
            tasks.send_twins()
    except ClusterLostError:
        if address is not None:
            leave_silently()
            started_here = False
        raise
    finally:
        tasks.cancel()
        cluster.close()
        if started_here:
            ray.shutdown()


def _most_in_flight(cpus: int, address: str | None) -> int:
    """How many tasks may be in flight on so many CPUs."""
    least = 1 if address is None else LEAST_ON_CLUSTER
    return max(TASKS_PER_CPU * max(1, cpus), least)


class _Tasks:
    """The batches that Ray works on, and those that are to be sent again.

    Ray retries nothing itself: it would send a batch that memory has no room for to the same node
    for ever.
    """

    def __init__(self, ray: Any, cluster: Cluster, work: Work, expected: dict[str, str] | None):
        self._ray, self._cluster, self._expected = ray, cluster, expected
        self._task: Any = ray.remote(num_cpus=1, max_retries=0)(_with_one_thread)
        self._work = ray.put(work)
        self._in_flight: dict[Any, Attempt] = {}
        self._again = deque[Attempt]()
        # Those that were in flight when a node was last lost, and those that were sent twice since.
        self._suspects, self._lost_nodes = set[Any](), 0
        self._twins: dict[Any, Any] = {}
        self._has_said = False

    def __len__(self) -> int:
        return len(self._in_flight)

    def fill(self, queue: Iterator[Batch | None], most: int) -> None:
        """Send batches until so many are in flight, or the queue has none for now."""
        while len(self._in_flight) < most:
            batch = None if self._again else next(queue, None)
            if batch is not None:
                self._send(Attempt(batch))
            elif self._again:
                self._send(self._again.popleft())
            else:
                return

    def _send(self, attempt: Attempt) -> None:
        share = attempt.place(self._cluster.nodes)
        task = self._task if share is None else self._task_on(share)
        self._in_flight[task.remote(self._work, attempt.batch, self._expected)] = attempt

    def _task_on(self, share: Node) -> Any:
        affinity = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        there = affinity(share.node_id, soft=False)
        return self._task.options(num_cpus=share.cpus, scheduling_strategy=there)

    def send_twins(self) -> None:
        """Send a second time what may hang on a lost node; the first that answers counts.

        A node that was cut off says nothing, and Ray may wait for it for minutes.
        """
        if self._cluster.lost_nodes != self._lost_nodes:
            self._lost_nodes = self._cluster.lost_nodes
            self._suspects = set(self._in_flight)
        nodes = self._cluster.nodes
        if not (self._suspects and nodes and self._cluster.is_idle):
            return
        for number, first in enumerate(self._suspects & {*self._in_flight} - {*self._twins}):
            attempt = self._in_flight[first]
            task = self._task_on(replace(nodes[number % len(nodes)], cpus=1))
            second = task.remote(self._work, attempt.batch, self._expected)
            self._in_flight[second] = attempt
            self._twins |= {first: second, second: first}
        self._suspects = set()

    def ended(self) -> Results:
        """What tasks have ended with, as soon as some have; None if none does for a while."""
        at_once = max(1, int(SHARE_AT_ONCE * len(self)))
        ended, _ = self._ray.wait(list(self._in_flight), num_returns=at_once, timeout=WAIT_SECONDS)
        if not ended:
            yield None
        for reference in ended:
            if reference in self._in_flight:  # and not the twin of one that has just answered
                yield from self._answered(reference)

    def _answered(self, reference: Any) -> Results:
        """What a task has ended with; nothing if it was lost and its twin goes on."""
        attempt, twin = self._in_flight.pop(reference), self._twins.pop(reference, None)
        if twin is None:
            yield from self._taken(reference, attempt)
            return
        del self._twins[twin]
        if self._has_rows(reference):
            del self._in_flight[twin]
            self._ray.cancel(twin, force=False)
            yield from self._taken(reference, attempt)

    def _has_rows(self, reference: Any) -> bool:
        try:
            self._ray.get(reference)
        except self._ray.exceptions.RayError:
            return False
        return True

    def _taken(self, reference: Any, attempt: Attempt) -> Iterator[Rows | Failure]:
        """A task's rows; else its batch is sent again, or its only trial is the culprit."""
        found = self._ray.exceptions
        try:
            rows = self._ray.get(reference)
        except found.RayTaskError as error:
            if isinstance(error.cause, SkewError):
                raise SkewError(str(error.cause)) from error
            yield from self._sent_again(attempt, attempt.halves, _in_words(error.cause or error))
        except found.WorkerCrashedError as error:
            yield from self._sent_again(attempt, attempt.after_death, _in_words(error))
        except found.OutOfMemoryError as error:
            reason = str(error).partition("\n")[0]
            self._say_of_memory(reason)
            reason = f"killed {MOST_DEATHS} times because memory ran out, at last: {reason}"
            yield from self._sent_again(attempt, attempt.after_death, reason[:REASON_LENGTH])
        except found.LocalRayletDiedError as error:
            raise ClusterLostError("the Ray on this machine died; no trial is to blame") from error
        except found.RuntimeEnvSetupError as error:
            raise ClusterLostError(
                f"Ray cannot set up the environment of its workers ({_in_words(error)}); no trial "
                "is to blame"
            ) from error
        except found.RayError as error:
            if not attempt.after_loss:
                raise ClusterLostError(
                    f"the Ray cluster loses its nodes ({_in_words(error)}); no trial is to blame"
                ) from error
            self._again.extend(attempt.after_loss)
        else:
            yield rows

    def _sent_again(
        self, attempt: Attempt, attempts: Sequence[Attempt], reason: str
    ) -> Iterator[Failure]:
        """Nothing, or the failure of a trial that is not tried again."""
        self._again.extend(attempts)
        if not attempts:
            yield Failure(attempt.batch.first, reason)

    def _say_of_memory(self, reason: str) -> None:
        """Once: more memory, or fewer CPUs, would make the sweep faster."""
        if not self._has_said:
            say(f"memory ran out on a node; its batches go on with fewer at a time ({reason})")
        self._has_said = True

    def cancel(self) -> None:
        """Call off what is in flight."""
        for reference in self._in_flight:
            self._ray.cancel(reference, force=False)


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


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {in_a_line(error)}"[:REASON_LENGTH]
