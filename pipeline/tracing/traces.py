"""What a sweep traces: the axes of its map, and the label whose boundary is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from core.settings import BETWEEN_NAMES, Setting
from core.trainers import Trainer
from pipeline.grids.grid import Grid
from pipeline.tracing.labels import labelings

MOST_AXES = 3
OF_SIGNAL = ("init_phase", "cause")  # results of networks that `measure` may leave out
# A driver keeps a label of each vertex, of a byte, and goes through the panels one by one.
MOST_VERTICES = 500_000_000
MOST_PANELS = 10_000


@dataclass(frozen=True)
class Trace:
    """What a sweep traces.

    Attributes:
        axes: One to three settings by name; every combination of the others makes a panel.
        of: The label: what core's results call it, or `trained` or `diverged`.
    """

    axes: tuple[str, ...]
    of: str = "outcome"


def trace_of(entry: Mapping[str, Any]) -> Trace | None:
    """What a sweep traces, from its entry in a store's manifest; None if it is dense."""
    found = entry.get("trace")
    return None if found is None else Trace(tuple(found["axes"]), found["of"])


def problem_of(trace: Trace, grid: Grid, trainer: Trainer) -> str | None:
    """Why a grid cannot be traced so, and what to do; None if it can."""
    known = labelings(trainer)
    if not grid.size:
        return "its grid has no cells; change where, or the axes"
    if trace.of not in known:
        return f"of: nothing to trace is called {trace.of!r}; set of: {' or '.join(known)}"
    measured = grid.values.get("measure", ()) if trace.of in OF_SIGNAL else ()
    if any("signal" not in str(value).split(BETWEEN_NAMES) for value in measured):
        return f"of: {trace.of} is measured by signal; set measure: [signal]"
    if not 1 <= len(trace.axes) <= MOST_AXES:
        return f"axes: must be one to {MOST_AXES}, got {len(trace.axes)}; the others make panels"
    for name in trace.axes:
        if trace.axes.count(name) > 1:
            return f"axes: {name} is named twice; name it once"
        if said := _no_axis(name, grid, trainer.settings):
            return f"axes: {name} {said}"
    for name, setting in trainer.settings.items():
        if setting.repeats and (tied := _tied_to(name, grid)):
            return (
                f"a traced sweep has all values of {name} in each cell, but {name} is tied to "
                f"{tied}; take {name} out of zip and where"
            )
    return _too_large(trace, grid, trainer)


def _no_axis(name: str, grid: Grid, settings: Mapping[str, Setting]) -> str | None:
    """Why a boundary cannot be traced along a setting, and what to do."""
    able = [n for n, s in settings.items() if _is_numeric(s) and len(grid.values[n]) > 1]
    remedy = f"the axes of numbers here are {', '.join(able) or 'none: give a field several'}"
    if name not in settings:
        return f"is no setting; {remedy}"
    if settings[name].repeats:
        return f"repeats trials and has no order; {remedy}"
    if not _is_numeric(settings[name]):
        return f"has names, which have no order; {remedy}"
    if len(grid.values[name]) == 1:
        return f"has one value, {grid.values[name][0]!r}; {remedy}"
    if tied := _tied_to(name, grid):
        return f"is tied to {tied} by zip or where; take it out of them, or trace another axis"
    return None


def _is_numeric(setting: Setting) -> bool:
    return setting.kind in (int, float) and not setting.repeats


def _tied_to(name: str, grid: Grid) -> str:
    """The settings whose values go with certain ones of this setting's alone."""
    factor = next(factor for factor in grid.factors if name in factor.settings)
    return ", ".join(other for other in factor.settings if other != name)


def _too_large(trace: Trace, grid: Grid, trainer: Trainer) -> str | None:
    counts = {name: len(values) for name, values in grid.values.items()}
    repeated = [name for name, setting in trainer.settings.items() if setting.repeats]
    vertices = grid.size // prod(counts[name] for name in repeated)
    panels = vertices // prod(counts[name] for name in trace.axes)
    if panels > MOST_PANELS:
        others = {n: c for n, c in counts.items() if n not in (*trace.axes, *repeated)}
        return (
            f"the other axes make {panels:,} panels, more than {MOST_PANELS:,}; shorten "
            f"{max(others, key=lambda name: others[name])}, or trace it too"
        )
    if vertices > MOST_VERTICES:
        return (
            f"a label is kept of each of {vertices:,} cells, more than {MOST_VERTICES:,}; shorten "
            f"{max(trace.axes, key=lambda name: counts[name])}, or run its panels as several sweeps"
        )
    return None
