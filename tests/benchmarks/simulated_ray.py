"""A Ray of thousands of simulated workers: only what the driver does is real.

The clock counts the driver's processor time and what a call of Ray was measured to cost. Where
the driver waits for a task, the clock jumps to that task's end. So it shows how long a run takes
on a cluster whose workers do nothing but train, however busy this machine is.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from heapq import heappop, heappush
from itertools import count
from random import Random
from threading import current_thread, main_thread
from time import thread_time
from types import SimpleNamespace

import numpy as np
import ray

CPUS_PER_NODE = 4
# Of the driver, to count a further node's CPUs: the slope from one to eight nodes of this machine.
NODE_SECONDS = 6e-6


@dataclass(frozen=True)
class Costs:
    """What calls of Ray take of the driver's main thread, in seconds.

    Attributes:
        submit: To send a task.
        take: To take the rows of a task that has ended.
        waits: To wait for a hundredth of the tasks in flight, by how many these are.
        count_cpus: To count the CPUs of one node.
    """

    submit: float
    take: float
    waits: dict[int, float]
    count_cpus: float

    def wait(self, in_flight: int) -> float:
        """To wait for some of so many tasks."""
        sizes = sorted(self.waits)
        return float(np.interp(in_flight, sizes, [self.waits[size] for size in sizes]))


class Clock:
    """Simulated seconds: the driver's own processor time, and what is added to it."""

    def __init__(self) -> None:
        """Start at 0."""
        self._added, self._stopped_at = 0.0, None
        self._began = thread_time()
        self.spent: dict[str, float] = {}

    def now(self) -> float:
        """In place of time.monotonic."""
        if current_thread() is not main_thread():
            return self._added
        passed = thread_time() if self._stopped_at is None else self._stopped_at
        return passed - self._began + self._added

    def add(self, seconds: float, what: str) -> None:
        """Let time pass, for something that is accounted for."""
        self._added += seconds
        self.spent[what] = self.spent.get(what, 0.0) + seconds

    def stop(self) -> None:
        """What this thread does from here on is not the driver's."""
        self._stopped_at = thread_time()

    def go_on(self) -> None:
        """The driver works again."""
        self._began += thread_time() - self._stopped_at
        self._stopped_at = None


def _off_the_clock(method: Callable) -> Callable:
    """What the method does itself takes no time of the driver's."""

    @wraps(method)
    def timeless(self, *arguments, **options):
        if current_thread() is not main_thread():
            return method(self, *arguments, **options)
        self.clock.stop()
        try:
            return method(self, *arguments, **options)
        finally:
            self.clock.go_on()

    return timeless


@dataclass(eq=False)
class Task:
    """A task of the simulated cluster, which is its own reference.

    Attributes:
        batch: What it trains.
        ends: When its worker is done.
        lost: Whether its node dies first.
    """

    batch: object
    ends: float = 0.0
    lost: bool = False


@dataclass
class SimulatedRay:
    """In place of the module `ray`.

    Attributes:
        clock: The simulated time.
        costs: What the real Ray takes of the driver.
        workers: How many CPUs.
        seconds: The expected time of a batch.
        rows: Makes a batch's rows.
        lost_share: Of the batches, those that are lost with their node.
    """

    clock: Clock
    costs: Costs
    workers: int
    seconds: Callable
    rows: Callable
    lost_share: float = 0.0
    exceptions: object = ray.exceptions
    util: object = ray.util
    _private: object = ray._private
    busy: float = 0.0
    lost: int = 0
    most_in_flight: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self._random, self._number = Random(0), count()
        self._waiting: deque[Task] = deque()
        self._running: list[tuple[float, int, Task]] = []  # a heap
        self._done: dict[Task, None] = {}
        self._in_flight = 0

    # What the driver calls.

    def is_initialized(self) -> bool:
        """It is always up."""
        return True

    def put(self, value: object) -> object:
        """The work, which no worker does."""
        return value

    def cancel(self, task: Task, force: bool) -> None:
        """Nothing: at the end of a run."""

    def nodes(self) -> list[dict]:
        """All of them."""
        numbers = range(self.workers // CPUS_PER_NODE)
        resources = {"CPU": float(CPUS_PER_NODE)}
        return [{"NodeID": f"{n:x}", "Alive": True, "Resources": resources} for n in numbers]

    def cluster_resources(self) -> dict[str, float]:
        """The CPUs."""
        if current_thread() is main_thread():
            nodes = self.workers / CPUS_PER_NODE
            self.clock.add(self.costs.count_cpus + NODE_SECONDS * nodes, "Ray")
        return {"CPU": float(self.workers)}

    def available_resources(self) -> dict[str, float]:
        """The CPUs that are free."""
        return {"CPU": float(self.workers - len(self._running))}

    def remote(self, **options: object) -> Callable:
        """A decorator, as ray.remote with options."""
        return lambda function: SimpleNamespace(remote=self._submit)

    @_off_the_clock
    def _submit(self, work: object, batch: object, expected: object) -> Task:
        self.clock.add(self.costs.submit, "Ray")
        self._pass()
        task = Task(batch)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        if len(self._running) < self.workers:
            self._start(task, self.clock.now())
        else:
            self._waiting.append(task)
        return task

    @_off_the_clock
    def wait(
        self, tasks: list[Task], num_returns: int = 1, timeout: float | None = None
    ) -> tuple[list[Task], list[Task]]:
        """The tasks that have ended, as soon as there are so many."""
        self.clock.add(self.costs.wait(len(tasks)), "Ray")
        limit = self.clock.now() + (timeout or 0.0)
        self._pass()
        while len(self._done) < num_returns and self._running:
            ends = min(self._running[0][0], limit)
            self.clock.add(max(0.0, ends - self.clock.now()), "waiting")
            self._pass()
            if ends == limit:
                break
        ended = list(self._done)[:num_returns]
        for task in ended:
            del self._done[task]
        return ended, []

    @_off_the_clock
    def get(self, task: Task) -> object:
        """The rows of a task that has ended."""
        self.clock.add(self.costs.take, "Ray")
        self._in_flight -= 1
        self.ended += 1
        if task.lost:
            self.lost += 1
            raise ray.exceptions.NodeDiedError("a simulated node died")
        return self.rows(task.batch)

    # What the workers do.

    def _start(self, task: Task, now: float) -> None:
        """Mostly about as long as expected; one in a hundred takes five times as long."""
        seconds = self.seconds(task.batch) * self._random.lognormvariate(0.0, 0.3)
        seconds *= 5 if self._random.random() < 0.01 else 1
        task.lost = self._random.random() < self.lost_share
        seconds *= self._random.random() if task.lost else 1
        task.ends = now + seconds
        self.busy += seconds
        heappush(self._running, (task.ends, next(self._number), task))

    def _pass(self) -> None:
        """Let the workers come to the present: each takes the next task as it ends one."""
        while self._running and self._running[0][0] <= self.clock.now():
            ends, _, task = heappop(self._running)
            self._done[task] = None
            if self._waiting:
                self._start(self._waiting.popleft(), ends)
