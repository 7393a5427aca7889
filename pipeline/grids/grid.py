"""The grid of a sweep: its cells, each a trial, made when asked for.

Nothing is listed: a grid of 10^12 cells costs what its axes cost, and what a condition ties.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.settings import Value, defaults, settings_of, trial_from
from pipeline.grids.factors import Axes, Factor, Places, factors


class Grid(Sequence[Any]):
    """The cells of a sweep, numbered from 0; indexable, iterable, not listed.

    Attributes:
        trial: The class of its trials.
        axes: The values of every setting, as they stand in columns.
        together: Names of axes that move together.
        where: The condition that all cells meet; None for none.
        factors: What it is the product of; cells are numbered with the last one fastest.
        size: How many cells it has.
    """

    def __init__(
        self,
        trial: type,
        axes: Axes,
        together: Sequence[Sequence[str]] = (),
        where: str | None = None,
    ):
        """Count the cells.

        Args:
            trial: As the attribute.
            axes: For each setting its values; those that have a default may be left out.
            together: As the attribute; these axes are equally long.
            where: As the attribute.

        Raises:
            ConditionError: `where` is no condition on these settings.
        """
        settings = settings_of(trial)
        given = {**{name: (value,) for name, value in defaults(settings).items()}, **axes}
        self.trial = trial
        self.axes = {name: tuple(given[name]) for name in settings}
        self.together = tuple(map(tuple, together))
        self.where = where
        self.factors = factors(self.axes, self.together, where, settings)
        self.size = prod(map(len, self.factors))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:  # type: ignore[override]  # no slices
        """The trial of a cell; IndexError outside."""
        if not 0 <= index < self.size:
            raise IndexError(f"index {index} is outside a grid of {self.size} trials")
        numbers = []
        for factor in reversed(self.factors):
            index, number = divmod(index, len(factor))
            numbers.append(number)
        return self.trial_of(numbers[::-1])

    @property
    def first(self) -> Any:
        """The trial of its first cell."""
        return self[0]

    @property
    def values(self) -> dict[str, tuple[Value, ...]]:
        """By setting, the values that some cell has, in the order of its axis."""
        return {
            name: tuple(factor.values[name][place] for place in np.unique(places).tolist())
            for factor in self.factors
            for name, places in factor.places.items()
        }

    def combinations(self, cells: Places) -> Iterator[Places]:
        """Factor by factor, (cells,): which of its combinations each cell has."""
        stride = self.size
        for factor in self.factors:
            stride //= len(factor)
            yield cells // stride % len(factor) if len(factor) > 1 else np.zeros_like(cells)

    def trial_of(self, numbers: Sequence[int]) -> Any:
        """The trial with these combinations, one of each factor."""
        values: dict[str, Value] = {}
        for factor, number in zip(self.factors, numbers, strict=True):
            values |= factor.cell(number)
        return trial_from(self.trial, values)

    def __contains__(self, settings: object) -> bool:
        """Whether settings by name, as a failure records them, are a cell of the grid."""
        if not isinstance(settings, Mapping):
            return False
        known = defaults(settings_of(self.trial))
        return all(
            _number(factor, {n: settings.get(n, known.get(n)) for n in factor.settings}) >= 0
            for factor in self.factors
        )

    def indices_of(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """The numbers of the cells that have a row; rows of no cell are ignored.

        Args:
            rows: With a column for every setting.
        """
        index, inside = self.numbers(rows)
        return index[inside]

    def rows_of(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows whose settings are those of a cell; takes rows as indices_of does."""
        return rows.filter(pa.array(self.numbers(rows)[1]))

    def numbers(self, rows: pa.RecordBatch) -> tuple[Places, NDArray[np.bool_]]:
        """The number of each row's cell, and whether it has one; takes rows as indices_of does."""
        index = np.zeros(len(rows), dtype=np.int64)
        inside = np.ones(len(rows), dtype=bool)
        for factor in self.factors:
            places = {name: _value_places(factor, name, rows) for name in factor.places}
            numbers = factor.combinations(places)
            inside &= numbers >= 0
            index = index * len(factor) + numbers
        return index, inside


def _value_places(factor: Factor, name: str, rows: pa.RecordBatch) -> Places:
    """The place of each row's value among a setting's values; -1 where it is none of them."""
    column, default = rows[name], factor.settings[name].encoded_default
    if default is not None:  # NULL where an older version wrote the row
        column = column.fill_null(default)
    known = factor.arrow_values(name, column.type)
    return np.asarray(pc.index_in(column, value_set=known).fill_null(-1), np.int64)


def _number(factor: Factor, values: Mapping[str, Any]) -> int:
    """The number of a factor's combination with these values; -1 if there is none."""
    known = factor.values
    if any(value not in known[name] for name, value in values.items()):
        return -1
    places = {name: np.array([known[name].index(value)]) for name, value in values.items()}
    return int(factor.combinations({name: places[name] for name in factor.places})[0])


def grid_of(entry: Mapping[str, Any], trial: type) -> Grid:
    """The grid of a sweep, from its entry in a store's manifest.

    Args:
        entry: With `axes`, and `zip` and `where` if the version that wrote it knew them.
        trial: The class of the store's trials.
    """
    return Grid(trial, entry["axes"], entry.get("zip", ()), entry.get("where"))
