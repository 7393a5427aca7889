"""Hands out a sweep's batches until the run's budget of time or trials is used up."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Literal

from pipeline.batches import Batch

# A pace is known once trials worth so many expected seconds have ended: the first, small ones had
# to wait for their workers to start.
PACE_SECONDS = 1.0


@dataclass(frozen=True)
class Budget:
    """When a run stops, unless its sweep ends earlier.

    Attributes:
        until: When, on the clock of time.monotonic: no batch begins later.
        trials: How many trials it begins, those that fail among them.
    """

    until: float = inf
    trials: float = inf


@dataclass(frozen=True)
class Ended:
    """Trials that have ended.

    Attributes:
        outcomes: How many ended in each outcome; a trial that failed has none.
        seconds: What all of them were expected to take of one core.
        elapsed: Seconds since the run's first batch began.
    """

    outcomes: Mapping[str, int]
    seconds: float
    elapsed: float


Watch = Callable[[Ended], None]


class Supply:
    """Hands out batches within a budget, and keeps account of those in flight.

    A batch is handed out only if the batches in flight will be done before the time is up, at the
    pace so far. An executor keeps several batches waiting for each worker; without this rule a
    run would overrun its time by all of them.

    Attributes:
        stopped: What ended the supply while trials were left: the time or the number of trials.
            None if nothing did.
    """

    def __init__(
        self, batches: Iterable[Batch | None], seconds: Callable[[Batch], float], budget: Budget
    ):
        """Supply these batches until the budget is used up.

        Args:
            batches: Taken lazily. None: all before it end before the next one is asked for.
            seconds: Expected time of one batch, on one core.
            budget: How much time may pass and how many trials may run.
        """
        self._batches, self._seconds, self._budget = batches, seconds, budget
        self.stopped: Literal["time", "trials"] | None = None
        self._began: float | None = None
        self._in_flight: deque[tuple[int, float]] = deque()  # trials, seconds of each
        self._seconds_in_flight = 0.0
        self._seconds_ended = 0.0

    def __iter__(self) -> Iterator[Batch | None]:
        """The batches; None where the next one has to wait for the end of one in flight."""
        left = self._budget.trials
        for whole in self._batches:
            if whole is None:
                while self._in_flight:
                    yield None
                continue
            for batch in _first_of(whole, left):
                while monotonic() + self._wait() >= self._budget.until:
                    if not self._in_flight:
                        self.stopped = "time"
                        return
                    yield None
                self._hand_out(batch)
                yield batch
            if left < len(whole):
                self.stopped = "trials"
                return
            left -= len(whole)

    def _wait(self) -> float:
        """Seconds until the batches in flight are done, at the pace so far if it is known."""
        if self._seconds_ended < PACE_SECONDS:
            return self._seconds_in_flight
        return self._seconds_in_flight * self._elapsed / self._seconds_ended

    @property
    def in_flight(self) -> int:
        """How many batches were handed out and have not ended."""
        return len(self._in_flight)

    @property
    def _elapsed(self) -> float:
        return 0.0 if self._began is None else monotonic() - self._began

    def _hand_out(self, batch: Batch) -> None:
        if self._began is None:
            self._began = monotonic()
        seconds = self._seconds(batch)
        self._in_flight.append((len(batch), seconds / len(batch)))
        self._seconds_in_flight += seconds

    def ended(self, outcomes: Mapping[str, int], failed: int = 0) -> Ended:
        """Note that trials have ended; we assume that they are those that were handed out first.

        Args:
            outcomes: How many ended in each.
            failed: How many more could not be trained.
        """
        trials, seconds = sum(outcomes.values()) + failed, 0.0
        while trials and self._in_flight:
            count, each = self._in_flight.popleft()
            if count > trials:
                self._in_flight.appendleft((count - trials, each))
            seconds += min(count, trials) * each
            trials -= min(count, trials)
        self._seconds_in_flight = self._seconds_in_flight - seconds if self._in_flight else 0.0
        self._seconds_ended += seconds
        return Ended(outcomes, seconds, self._elapsed)


def _first_of(batch: Batch, trials: float) -> Iterator[Batch]:
    """The first trials of a batch, up to a number: the batch itself, or pieces of it."""
    if trials >= len(batch):
        yield batch
    elif trials:
        first, second = batch.halves
        yield from _first_of(first, trials)
        yield from _first_of(second, max(0, trials - len(first)))
