"""Which runs a figure draws, and where: the one place that decides it.

Someone asks for a View, and a figure says in its Places what it has room for. From both follows a
Layout: which setting lies on which axis, what is left out, and what the title says about that.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.reading.conditions import condition, listed
from analysis.reading.setting_values import (
    as_written,
    evenly_chosen,
    is_number,
    ordered,
    plural,
    spoken,
)
from analysis.reading.stores import (
    REPEATS,
    UnsuitableRunsError,
    axes,
    factors,
    following,
)
from analysis.tables.views import ROLES, View
from core.trials import SETTINGS

MOST_PANELS = 8  # along a row or down a column, of a number's values


@dataclass(frozen=True)
class Places:
    """The room that a figure has for settings.

    Attributes:
        free: By role (x, y, lines, columns or rows), the settings that it takes by default: the
            first that varies. If none does, x, y and lines take any other number, x and y also
            names if both are free; columns and rows take any setting.
        own: By role, what the figure always draws there.
        pooled: Settings whose runs are drawn together, or that change nothing here.
        pools_rest: Whether settings without a place are drawn together too; if not, each is held at
            one value.
        on_request: Roles that take only what they take by default, unless a setting is asked for.
        deepest: Whether only the largest depth is drawn, unless depth is asked for.
        lines: How many lines are drawn at most.
        panels: How many columns, or rows, of panels a number may have.
    """

    free: Mapping[str, Sequence[str]]
    own: Mapping[str, str] = field(default_factory=dict)
    pooled: Collection[str] = ()
    pools_rest: bool = False
    on_request: Collection[str] = ()
    deepest: bool = False
    lines: int = 5
    panels: int = MOST_PANELS


PANELS = {"columns": ("depth",), "rows": ("activation",)}
# Learning rate x init scale, width x depth, bias scale x init scale.
CELLS = {"x": ("learning_rate", "width", "bias_scale"), "y": ("init_scale", "depth")}
MAP = Places(free={**CELLS, **PANELS})


@dataclass(frozen=True)
class Panel:
    """One panel of a layout.

    Attributes:
        row, column: Its place, from above and from the left.
        runs: What is drawn in it; maybe nothing.
    """

    row: int
    column: int
    runs: pd.DataFrame


@dataclass(frozen=True)
class Layout:
    """Which runs are drawn, and where.

    Attributes:
        runs: Those drawn.
        names: The setting in each role: x, y, lines, columns, rows. Roles without one are
            missing.
        values: The values that are drawn of the settings in lines, columns and rows.
        note: Which runs are left out, for the title; None if none are.
    """

    runs: pd.DataFrame
    names: Mapping[str, str]
    values: Mapping[str, list[Any]]
    note: str | None

    @property
    def cell(self) -> list[str]:
        """The settings that have places."""
        return list(dict.fromkeys(self.names.values()))

    def panels(self) -> Iterator[Panel]:
        """The panels, row by row."""
        for row, in_row in enumerate(self._split(self.runs, "rows")):
            for column, here in enumerate(self._split(in_row, "columns")):
                yield Panel(row, column, here)

    def _split(self, runs: pd.DataFrame, role: str) -> Iterator[pd.DataFrame]:
        if role not in self.names:
            yield runs
            return
        for value in self.values[role]:
            yield runs[runs[self.names[role]] == value]


def laid_out(runs: pd.DataFrame, view: View, places: Places) -> Layout:
    """Lay out runs as a view asks, in the places of a figure.

    If a number would have too many rows, columns or lines, an even choice of its values is drawn.
    Settings that vary and have no place are held at one combination of values: the one with the
    most cells, and among equals the one with the most even mix of outcomes.

    Args:
        runs: The settings, and `outcome`.
        view: What is asked for.
        places: What the figure has room for.

    Raises:
        UnsuitableRunsError: As View.kept, or the figure has no such place.
    """
    here = view.kept(runs)
    names = placed(here, view, places)
    drawn, held = _held(here, names, places)
    values, notes = {}, []
    most_of = {"lines": places.lines, "columns": places.panels, "rows": places.panels}
    for role, most in most_of.items():
        if role not in names:
            continue
        every = ordered(drawn[names[role]])
        values[role] = evenly_chosen(every, most) if is_number(names[role]) else every
        if len(values[role]) < len(every):
            notes.append(f"{len(values[role])} of {len(every)} {plural(names[role])} shown")
    for role, shown in values.items():
        drawn = drawn[drawn[names[role]].isin(shown)]
    notes += [f"{spoken(n)} {as_written(n, v)} of {listed(here[n])} shown" for n, v in held.items()]
    notes += _followers(drawn, names)
    return Layout(drawn, names, values, "; ".join([*_unequal(view), *notes]) or None)


def _followers(runs: pd.DataFrame, names: Mapping[str, str]) -> Iterator[str]:
    """What follows from a value that does not say it: width 14 where hidden widths = equal."""
    for name, other in following(runs).items():
        default = SETTINGS[other].encoded_default
        values = runs.loc[runs[other] == default, name].unique().tolist()
        if name not in names.values() and values:
            yield f"{spoken(name)} {as_written(name, values[0])} where {spoken(other)} = {default}"


def _unequal(view: View) -> list[str]:
    """The conditions that leave more than one value: a title does not say them otherwise."""
    conditions = [condition(text) for text in view.where]
    return [f"where {c}" for c in conditions if c.sign != "=" or len(c.values) > 1]


def placed(runs: pd.DataFrame, view: View, places: Places) -> dict[str, str]:
    """The setting in each role of a figure: x, y, lines, columns, rows, as far as there are any.

    Args:
        runs: Those that the view keeps.
        view, places: As of laid_out.

    Raises:
        UnsuitableRunsError: The figure has no such place.
    """
    names = {role: name for role, name in places.own.items() if name in SETTINGS}
    for role, name in view.named.items():
        _require_room(role, name, places)
        names[role] = name
    for roles, candidates in _turns(runs, places):
        for role in roles:
            usual = places.free.get(role, ()) if candidates is None else candidates
            taken = {*names.values(), *places.pooled}
            left = [name for name in usual if name in runs and name not in taken]
            if role in places.free and role not in names and left:
                names[role] = left[0]
    if "columns" in places.free and "columns" not in names and "rows" not in view.named:
        beside = names.pop("rows", None)
        usual = [n for n in places.free["columns"] if n in runs and n not in names.values()]
        columns = beside or next(iter(usual), None)
        names |= {} if columns is None else {"columns": columns}
    return {role: names[role] for role in ("x", "y", "lines", "columns", "rows") if role in names}


def _turns(
    runs: pd.DataFrame, places: Places
) -> Iterator[tuple[Sequence[str], Sequence[str] | None]]:
    """The order in which roles are filled, each time with the candidates; None: the usual ones."""
    follows = following(runs)
    varying = [name for name in axes(runs) if name not in follows]
    deciding = [n for n in varying if n in factors(runs) and not (places.deepest and n == "depth")]
    numbers = [name for name in deciding if is_number(name)]
    others = [name for name in deciding if not is_number(name)]
    usual = {role: [n for n in names if n in varying] for role, names in places.free.items()}
    for role in ("x", "y"):
        yield (role,), usual.get(role, [])
    yield ("x", "y"), numbers
    if {"x", "y"} <= places.free.keys():  # a map's cells need no order
        yield ("x", "y"), others
        yield ("x", "y"), [name for name in varying if name in REPEATS]
    for candidates in (usual.get("lines", []), numbers):
        yield ("lines",), candidates
    for role in ("columns", "rows"):
        yield (role,), usual.get(role, [])
    for role in ("columns", "rows"):
        yield (role,), [] if role in places.on_request else [*numbers, *others]
    yield ("x", "y", "lines"), None  # what does not vary has its place, too


def _require_room(role: str, name: str, places: Places) -> None:
    """Refuse a setting where the figure has another, or no such role."""
    if role in places.free:
        if name in places.own.values():
            (own,) = (other for other, fixed in places.own.items() if fixed == name)
            raise UnsuitableRunsError(
                f"--{role} {name}: this figure has it elsewhere ({own}); name another setting, "
                "or draw `phasesweep map`, whose axes are free"
            )
        return
    if places.own.get(role) == name:
        return
    free = [f"--{each}" for each in ROLES if each in places.free]
    own = f"has {spoken(places.own[role])} there" if role in places.own else "has no such place"
    raise UnsuitableRunsError(
        f"--{role} {name}: this figure {own}; it takes "
        f"{', '.join(['--where', *free])}, and the axes of `phasesweep map` are free"
    )


def _held(
    runs: pd.DataFrame, names: Mapping[str, str], places: Places
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The runs of one combination of the settings without a place, and that combination."""
    taken = {*names.values(), *places.pooled}
    held = {}
    if places.deepest and "depth" not in taken and runs["depth"].nunique() > 1:
        held["depth"] = int(runs["depth"].max())
        runs = runs[runs["depth"] == held["depth"]]
    rest = [] if places.pools_rest else [n for n in factors(runs) if n not in taken]
    follows = following(runs)
    rest = [name for name in rest if follows.get(name) not in {*taken, *rest}]
    if not rest:
        return runs, held
    cells = runs.drop_duplicates([*rest, *names.values()]).groupby(rest).size()
    counts = runs.groupby([*rest, "outcome"]).size()
    shares = counts / counts.groupby(rest).transform("sum")
    evenness = -(shares * np.log(shares)).groupby(rest).sum()
    ranked = pd.DataFrame({"cells": cells, "evenness": evenness.round(9)})
    best = ranked.sort_values(["cells", "evenness"], ascending=False, kind="stable").index[0]
    chosen = dict(zip(rest, best if len(rest) > 1 else [best], strict=True))
    for name, value in chosen.items():
        runs = runs[runs[name] == value]
    return runs, held | chosen
