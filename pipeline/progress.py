"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from core.outcomes import OUTCOMES
from pipeline.sweep import Watch

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


@contextmanager
def progress(trials: int, finished: int) -> Iterator[Watch]:
    """Show how far a run is; yields what to tell of every batch's outcomes.

    Args:
        trials: Of the whole sweep.
        finished: Already in the store.
    """
    show = _bar if sys.stderr.isatty() else _lines
    with show(trials, finished) as watch:
        yield watch


@contextmanager
def _bar(trials: int, finished: int) -> Iterator[Watch]:
    counts: Counter[str] = Counter()
    began = monotonic()
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[outcomes]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=trials, completed=finished, rate="", outcomes="")

        def watch(found: Mapping[str, int]) -> None:
            counts.update(found)
            rate = counts.total() / (monotonic() - began)
            bar.update(
                task,
                advance=sum(found.values()),
                rate=f"{rate:,.0f}/s",
                outcomes=_tally(counts, styled=True),
            )

        yield watch


@contextmanager
def _lines(trials: int, finished: int) -> Iterator[Watch]:
    counts: Counter[str] = Counter()
    began = last = monotonic()

    def watch(found: Mapping[str, int]) -> None:
        nonlocal last
        counts.update(found)
        now, done = monotonic(), finished + counts.total()
        if now - last < LINE_SECONDS and done < trials:
            return
        last = now
        rate = counts.total() / (now - began)
        left = (trials - done) / rate
        print(
            f"{done:,}/{trials:,} trainings, {rate:,.0f}/s, {left:,.0f} s left; {_tally(counts)}",
            file=sys.stderr,
            flush=True,
        )

    yield watch


def _tally(counts: Mapping[str, int], *, styled: bool = False) -> str:
    pairs = [(outcome, counts[outcome]) for outcome in OUTCOMES if counts.get(outcome)]
    if styled:
        return "  ".join(f"[{STYLES[name]}]{name}[/] {count:,}" for name, count in pairs)
    return ", ".join(f"{name} {count:,}" for name, count in pairs)
