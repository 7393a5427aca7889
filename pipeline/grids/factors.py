"""The factors of a grid: sets of axes that combine freely with one another.

A factor is one axis, axes that move together, or axes that a condition ties. The grid is the
product of its factors, so nothing but these has to be listed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.settings import Setting, Value
from pipeline.grids.coarse_to_fine import axis_levels, levels_of_places
from pipeline.grids.condition_terms import ConditionError
from pipeline.grids.conditions import Condition, conditions

Axes = Mapping[str, Sequence[Value]]
Places = NDArray[np.int64]
Group = tuple[str, ...]  # names of axes that move together, or of one

# The most combinations that a condition is evaluated on: a short one takes half a second.
MOST_TIED = 5_000_000

# By Setting.differs_within: networks of one shape are neighbors, and within a shape those of one
# start.
OUTERMOST_FIRST = ("sweep", "batch", "start")


@dataclass(frozen=True)
class Factor:
    """Combinations of some settings' values, sorted: the first setting changes slowest.

    Attributes:
        settings: The settings by name, in the order of OUTERMOST_FIRST.
        values: By name, the distinct values of the setting's axis in its order.
        places: By name, (combinations,): where in `values`.
        levels: (combinations,): when each comes, from coarse to fine.
    """

    settings: Mapping[str, Setting]
    values: Axes
    places: Mapping[str, Places]
    levels: NDArray[np.int8]
    _arrow: dict[tuple[str, pa.DataType], pa.Array] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.levels)

    @cached_property
    def shape_edges(self) -> Places:
        """Where the combinations of each shape begin, followed by their number."""
        return self._edges(["sweep"])

    @cached_property
    def start_edges(self) -> Places:
        """Where the combinations of each start begin, followed by their number."""
        return self._edges(["sweep", "batch"])

    @cached_property
    def start_levels(self) -> NDArray[np.int8]:
        """(combinations,): when each comes if all of a start come together."""
        if not len(self):
            return self.levels
        first = np.minimum.reduceat(self.levels, self.start_edges[:-1])
        return np.repeat(first, np.diff(self.start_edges))

    @cached_property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The values as trials have them, by name."""
        return {
            name: np.array([self.settings[name].decoded(value) for value in values])
            for name, values in self.values.items()
        }

    def arrow_values(self, name: str, kind: pa.DataType) -> pa.Array:
        """The values of a setting as a column of this type has them."""
        if (name, kind) not in self._arrow:
            self._arrow[name, kind] = pa.array(self.values[name], type=kind)
        return self._arrow[name, kind]

    def _edges(self, kinds: Collection[str]) -> Places:
        """Where the value of a setting of these kinds changes."""
        changes = np.zeros(len(self), bool)
        changes[:1] = True
        for name, setting in self.settings.items():
            if setting.differs_within in kinds:
                changes[1:] |= np.diff(self.places[name]) != 0
        return np.append(np.flatnonzero(changes), len(self))

    def distinct(self, names: Collection[str]) -> Places:
        """The first combination for each of these settings' values that occurs, in order."""
        return np.sort(np.unique(self.ranks(names), return_index=True)[1])

    def ranks(self, names: Collection[str]) -> Places:
        """(combinations,): equal numbers, from 0, for equal values of these settings."""
        rank = np.zeros(len(self), np.int64)
        for name in self.settings:
            if name in names:
                pairs = rank * len(self.values[name]) + self.places[name]
                rank = np.unique(pairs, return_inverse=True)[1]
        return rank

    def among(self, wanted: Mapping[str, Collection[Any]]) -> "Factor":
        """The combinations whose values are among those wanted for each setting."""
        kept = np.ones(len(self), bool)
        for name in self.settings:
            if name in wanted:
                kept &= np.array([v in wanted[name] for v in self.values[name]])[self.places[name]]
        places = {name: places[kept] for name, places in self.places.items()}
        return Factor(self.settings, self.values, places, self.levels[kept])

    def cell(self, combination: int) -> dict[str, Value]:
        """The values of a combination, by name."""
        return {n: self.values[n][places[combination]] for n, places in self.places.items()}

    def combinations(self, places: Mapping[str, Places]) -> Places:
        """Which combinations have these places; -1 where none has.

        Args:
            places: By name, (rows,): where in `values`; -1 for a value that is not there.
        """
        found = np.zeros(len(next(iter(places.values()))), np.int64)
        for name, known in self._prefixes.items():
            pairs = found * len(self.values[name]) + places[name]
            rank = np.searchsorted(known, pairs)
            is_known = known.take(rank, mode="clip") == pairs if len(known) else rank < 0
            found = np.where(is_known & (places[name] >= 0) & (found >= 0), rank, -1)
        return found

    @cached_property
    def _prefixes(self) -> dict[str, Places]:
        """Sorted numbers by which combinations are looked up, setting by setting.

        The number of the first n + 1 values of a combination is the rank of its first n values
        times the length of the next axis, plus the place on it. With all settings, the rank is
        the combination's own number, since combinations are sorted.
        """
        prefixes, rank = {}, np.zeros(len(self), np.int64)
        changes = np.zeros(len(self), bool)
        changes[:1] = True
        for name, places in self.places.items():
            pairs = rank * len(self.values[name]) + places
            changes[1:] |= np.diff(places) != 0
            prefixes[name] = pairs[changes]
            rank = np.cumsum(changes) - 1
        return prefixes


def factors(
    axes: Axes,
    together: Sequence[Sequence[str]],
    where: str | None,
    settings: Mapping[str, Setting],
) -> list[Factor]:
    """The factors of a grid, those of the shape first, those of a start's trials last.

    Args:
        axes: The values of every setting.
        together: Names of axes that move together; they are equally long.
        where: Which combinations are cells; None for all.
        settings: By name.

    Raises:
        ConditionError: `where` is no condition, or ties more than MOST_TIED combinations.
    """
    moved = {name for group in together for name in group}
    groups = [tuple(group) for group in together]
    groups += [(name,) for name in settings if name not in moved]
    asked = conditions(where, axes, settings) if where is not None else []
    found = [_factor(tied, axes, asked, settings) for tied in _tied(groups, asked)]
    order = list(settings)

    def place(factor: Factor) -> tuple[int, int]:
        kinds = (OUTERMOST_FIRST.index(s.differs_within) for s in factor.settings.values())
        return max(kinds), min(order.index(name) for name in factor.settings)

    return sorted(found, key=place)


def _tied(groups: list[Group], asked: Sequence[Condition]) -> list[list[Group]]:
    """The groups; where a condition names settings of several groups, these are merged."""
    parts = [[group] for group in groups]
    for condition in asked:
        names = set(condition.names)
        tied = [part for part in parts if any(names & set(group) for group in part)]
        parts = [part for part in parts if part not in tied]
        parts.append([group for part in tied for group in part])
    return parts


def _factor(
    groups: list[Group], axes: Axes, asked: Sequence[Condition], settings: Mapping[str, Setting]
) -> Factor:
    """The factor of groups that conditions tie, or of one group."""
    own = _outermost_first({name: settings[name] for group in groups for name in group})
    values = {name: tuple(dict.fromkeys(axes[name])) for name in own}
    on_axes = {name: _value_places(axes[name], values[name]) for name in own}
    own_conditions = [condition for condition in asked if condition.names[0] in own]
    kept = _kept(groups, axes, own_conditions)
    places = {
        name: on_axes[name][own_kept]
        for group, own_kept in zip(groups, kept, strict=True)
        for name in group
    }
    levels = [_levels(g, axes, own)[k] for g, k in zip(groups, kept, strict=True)]
    order = np.lexsort([places[name] for name in reversed(own)])
    sorted_places = {name: places[name][order] for name in own}
    return Factor(own, values, sorted_places, reduce(np.maximum, levels)[order])


def _outermost_first(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    kinds = {name: OUTERMOST_FIRST.index(s.differs_within) for name, s in settings.items()}
    return {name: settings[name] for name in sorted(settings, key=lambda name: kinds[name])}


def _value_places(axis: Sequence[Value], values: Sequence[Value]) -> Places:
    """The place of each value of an axis among the distinct values."""
    place = {value: number for number, value in enumerate(values)}
    return np.array([place[value] for value in axis], np.int64)


def _kept(groups: list[Group], axes: Axes, asked: Sequence[Condition]) -> tuple[Places, ...]:
    """The part of a product of groups where all conditions hold, as places on each group's axes."""
    lengths = [len(axes[group[0]]) for group in groups]
    if not asked:
        return tuple(each.ravel() for each in np.indices(lengths))
    if prod(lengths) > MOST_TIED:
        raise ConditionError(
            f"ties {prod(lengths):,} combinations of {_named(groups, lengths)}, more than "
            f"{MOST_TIED:,}; shorten one of these axes, or let a condition name fewer"
        )
    values: dict[str, NDArray[Any]] = {}
    for number, group in enumerate(groups):
        shape = [-1 if number == other else 1 for other in range(len(groups))]
        values |= {name: np.array(axes[name]).reshape(shape) for name in group}
    with np.errstate(all="ignore"):
        holds = reduce(np.logical_and, (condition.holds(values) for condition in asked))
    return np.nonzero(np.broadcast_to(holds, lengths))


def _named(groups: list[Group], lengths: Sequence[int]) -> str:
    return ", ".join(
        f"{' with '.join(group)} ({length:,})"
        for group, length in zip(groups, lengths, strict=True)
    )


def _levels(group: Group, axes: Axes, settings: Mapping[str, Setting]) -> NDArray[np.int8]:
    """The level of each value of a group: by size for one axis, by order for several."""
    levels = [axis_levels(axes[name], settings[name]) for name in group]
    if len(group) > 1 and any(each.any() for each in levels):
        return levels_of_places(len(levels[0]))
    return levels[0]
