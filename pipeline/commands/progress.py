"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from pipeline.budgets import PACE_SECONDS, Ended, Watch
from pipeline.notation.durations import about, rate

LINE_SECONDS = 10.0

# The same hues as the stability map's.
STYLES = {
    "trained": "green",
    "slow": "cyan",
    "oscillating": "yellow",
    "untrained": "white",
    "stalled": "blue",
    "diverged": "red",
    "overflow": "magenta",
}


@dataclass(frozen=True)
class Course:
    """What is known about a run before it begins.

    Attributes:
        trials: How many have a row at its end.
        finished: How many of them have one already.
        seconds: The time that the others are expected to take on one core.
        outcomes: What a trial may come to, in the order in which they are listed.
        until: When its time is up, on the clock of time.monotonic.
        is_known: Whether it is known how many trials there will be. If not, as of a traced sweep,
            `trials` is the most, and the time left is not known.
    """

    trials: int
    finished: int
    seconds: float
    outcomes: Sequence[str]
    until: float = inf
    is_known: bool = True


@contextmanager
def progress(course: Course) -> Iterator[Watch]:
    """Show how far a run is; yields a function to call with the trials that have ended."""
    show = _bar if _can_move_the_cursor() else _lines
    with show(_Reached(course)) as watch:
        yield watch


def _can_move_the_cursor() -> bool:
    """Whether stderr is a terminal; what a notebook's `!phasesweep` gets looks like one."""
    return (
        sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and "JPY_PARENT_PID" not in os.environ
    )


class _Reached:
    """How far a run has come, in words."""

    def __init__(self, course: Course):
        self._course = course
        self._counts: Counter[str] = Counter()
        self._seconds = self._elapsed = 0.0

    def add(self, ended: Ended) -> None:
        self._counts.update(ended.outcomes)
        self._seconds += ended.seconds
        self._elapsed = ended.elapsed

    @property
    def done(self) -> int:
        return self._course.finished + self._counts.total()

    @property
    def trials(self) -> int:
        return self._course.trials

    @property
    def total(self) -> int | None:
        """Of a bar; None where it cannot say how full it is."""
        return self.trials if self._course.is_known else None

    @property
    def count(self) -> str:
        return f"{self.done:,}/{'' if self._course.is_known else 'at most '}{self.trials:,}"

    @property
    def rate(self) -> str:
        return f"{rate(self._counts.total(), self._elapsed)}/s" if self._elapsed else ""

    @property
    def left(self) -> str:
        """The time that the rest takes, or may take."""
        rest = self._rest
        until = max(self._course.until - monotonic(), 0.0)
        if until < (inf if rest is None else rest):
            return f"{about(until)} of budget left"
        return "" if rest is None else f"{about(rest)} left"

    @property
    def _rest(self) -> float | None:
        """Seconds until the end, at the pace so far; None before it is known.

        The pace is in expected costs: shapes differ in cost a thousandfold, so the number of
        trials left says little. It is used only where the trials so far have already cost more
        than all trials were expected to.
        """
        left, trained = self.trials - self.done, self._counts.total()
        if left <= 0:
            return 0.0
        if not self._course.is_known or not trained or self._seconds < PACE_SECONDS:
            return None
        expected = self._course.seconds - self._seconds
        return self._elapsed * (expected / self._seconds if expected > 0 else left / trained)

    def tally(self, *, styled: bool = False) -> str:
        listed = [(name, self._counts[name]) for name in self._course.outcomes]
        pairs = [(name, count) for name, count in listed if count]
        if not styled:
            counted = ", ".join(f"{name} {count:,}" for name, count in pairs)
            return f"in this run {counted}" if self._course.finished and counted else counted
        return "  ".join(f"[{STYLES.get(n, 'default')}]{n}[/] {count:,}" for n, count in pairs)


@contextmanager
def _bar(reached: _Reached) -> Iterator[Watch]:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[reached].count}"),
        TextColumn("{task.fields[reached].rate}"),
        TextColumn("{task.fields[reached].left}"),
        # What is left of the line: a narrow terminal cuts the outcomes, not the numbers.
        TextColumn(
            "{task.fields[outcomes]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
    )
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task(
            "", total=reached.total, completed=reached.done, reached=reached, outcomes=""
        )

        def watch(ended: Ended) -> None:
            reached.add(ended)
            bar.update(task, completed=reached.done, outcomes=reached.tally(styled=True))

        yield watch


@contextmanager
def _lines(reached: _Reached) -> Iterator[Watch]:
    last = monotonic()

    def watch(ended: Ended) -> None:
        nonlocal last
        reached.add(ended)
        now = monotonic()
        if now - last < LINE_SECONDS and reached.done < reached.trials:
            return
        last = now
        parts = (f"{reached.count} trainings", reached.rate, reached.left)
        words = ", ".join(part for part in parts if part)
        print(f"{words}; {reached.tally()}", file=sys.stderr, flush=True)

    yield watch
