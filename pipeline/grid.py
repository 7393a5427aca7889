"""The grid of a sweep: the product of its axes as Trials, made one at a time.

Nothing is listed: a grid of 10^12 cells costs what its axes cost.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.training import STACKED_FIELDS
from core.trials import DEFAULTS, TRIAL_FIELDS, Trial

Value = str | int | float
Axes = Mapping[str, tuple[Value, ...]]

SHAPE_FIELDS = tuple(name for name in TRIAL_FIELDS if name not in STACKED_FIELDS)

# Outermost first. Trials of one shape are neighbors, those of one start among them.
ORDER = (*SHAPE_FIELDS, *STACKED_FIELDS)


class Cells(Sequence[Trial]):
    """The product of some axes, the last of ORDER fastest; indexable, iterable, not listed."""

    def __init__(self, axes: Axes):
        """Args: axes: For each field of a Trial its values; those of DEFAULTS may be left out."""
        defaults: Axes = {name: (value,) for name, value in DEFAULTS.items()}
        self.axes = {name: {**defaults, **axes}[name] for name in ORDER}
        self._shape = tuple(len(values) for values in self.axes.values())
        self.size = prod(self._shape)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Trial:  # type: ignore[override]  # no slices
        """The trial at a place of the product; IndexError outside."""
        if not 0 <= index < self.size:
            raise IndexError(f"index {index} is outside a grid of {self.size} trials")
        values: dict[str, Value] = {}
        for name in reversed(ORDER):
            index, place = divmod(index, len(self.axes[name]))
            values[name] = self.axes[name][place]
        return Trial(**values)  # type: ignore[arg-type]  # the sweep file checked their types

    def __iter__(self) -> Iterator[Trial]:
        return (self[index] for index in range(self.size))


class Grid(Cells):
    """All cells of a sweep."""

    def __init__(self, axes: Axes):
        """Args: axes: As of Cells."""
        super().__init__(axes)
        self._stacked = {name: self.axes[name] for name in STACKED_FIELDS}
        self._block_size = prod(len(values) for values in self._stacked.values())
        firsts = {name: values[:1] for name, values in self._stacked.items()}
        self._shapes = Cells({**self.axes, **firsts})

    @property
    def shapes(self) -> int:
        """How many shapes of networks and tasks it has, and so blocks."""
        return self._shapes.size

    def block(self, number: int) -> "Block":
        """The trials of one shape; blocks are numbered in order, from 0."""
        first = self._shapes[number]
        shape = {name: (getattr(first, name),) for name in SHAPE_FIELDS}
        return Block({**shape, **self._stacked}, start=number * self._block_size)

    def blocks(self) -> Iterator["Block"]:
        """The grid cut into runs of same-shaped trials, in order."""
        return map(self.block, range(self.shapes))

    def __contains__(self, settings: object) -> bool:
        """Whether settings by name, as a failure records them, are a cell of the grid."""
        return isinstance(settings, Mapping) and all(
            settings.get(name, DEFAULTS.get(name)) in values for name, values in self.axes.items()
        )

    def indices_of(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Grid indices of those rows whose settings lie on the grid.

        Args:
            rows: With a column for every field of a Trial.
        """
        index, inside = self._places(rows)
        return index[inside]

    def rows_of(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Those of the rows whose settings lie on the grid; rows as of indices_of."""
        return rows.filter(pa.array(self._places(rows)[1]))

    def _places(self, rows: pa.RecordBatch) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Each row's grid index, and whether it has one."""
        index = np.zeros(len(rows), dtype=np.int64)
        inside = np.ones(len(rows), dtype=bool)
        for name, values in self.axes.items():
            column = rows[name]
            if name in DEFAULTS:  # NULL where an older version wrote the row
                column = column.fill_null(DEFAULTS[name])
            places = pc.index_in(column, value_set=pa.array(values, type=column.type))
            inside &= places.is_valid().to_numpy(zero_copy_only=False)
            index = index * len(values) + places.fill_null(0).to_numpy(zero_copy_only=False)
        return index, inside


class Block(Cells):
    """The trials of one shape: they differ in init scale, bias scale, seed, learning rate.

    Attributes:
        start: The grid index of the first.
    """

    def __init__(self, axes: Axes, start: int):
        """Args: axes: One value for each shape field. start: The first trial's grid index."""
        super().__init__(axes)
        self.start = start
