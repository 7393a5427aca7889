"""The blocks of a grid: the cells of one shape, whose networks can be trained together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.settings import Trials, settings_of
from pipeline.grids.factors import Places
from pipeline.grids.grid import Grid


class Blocks(Sequence["Block"]):
    """The blocks of a grid, one per shape; indexable, not listed.

    Attributes:
        grid: As given.
        shape: How many shapes each factor has; a block's number is an index of this array.
        sizes: (blocks,) how many cells each has.
        first_levels, last_levels: (blocks,) the levels of the first and the last of them.
    """

    def __init__(self, grid: Grid):
        """Cut a grid into blocks.

        Args:
            grid: Whose blocks these are.
        """
        self.grid = grid
        edges = [factor.shape_edges for factor in grid.factors]
        self.shape = tuple(len(each) - 1 for each in edges)
        self.sizes = self.over(np.multiply, list(map(np.diff, edges)))
        levels = [factor.levels for factor in grid.factors]
        begins = [each[:-1] for each in edges]
        self.first_levels = self.over(np.maximum, list(map(np.minimum.reduceat, levels, begins)))
        self.last_levels = self.over(np.maximum, list(map(np.maximum.reduceat, levels, begins)))

    def over(self, combine: np.ufunc, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """(blocks,): from an array of each factor, with a value per shape of it."""
        return reduce(combine.outer, values).ravel()

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, number: int) -> "Block":  # type: ignore[override]  # no slices
        """The block of a number, from 0; IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} blocks, got number {number}")
        runs = []
        for factor, count in zip(reversed(self.grid.factors), reversed(self.shape), strict=True):
            number, place = divmod(number, count)
            runs.append(slice(*factor.shape_edges[place : place + 2].tolist()))
        return Block(self.grid, runs[::-1])

    def numbers(self, cells: Places) -> Places:
        """The number of each cell's block."""
        return self._ranks(cells, [factor.shape_edges for factor in self.grid.factors])

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(blocks,) how many starts each has."""
        counts = []
        for factor in self.grid.factors:
            shapes = np.searchsorted(factor.shape_edges, factor.start_edges[:-1], "right") - 1
            counts.append(np.bincount(shapes, minlength=len(factor.shape_edges) - 1))
        return self.over(np.multiply, counts)

    def starts_of(self, cells: Places) -> NDArray[np.int64]:
        """(blocks,) how many starts some cells have."""
        edges = [factor.start_edges for factor in self.grid.factors]
        first = np.unique(self._ranks(cells, edges), return_index=True)[1]
        return np.bincount(self.numbers(cells[first]), minlength=len(self))

    def complete_starts(self, cells: Places) -> NDArray[np.int64]:
        """(blocks,): of how many starts these cells have all trials; no cell may occur twice."""
        edges = [factor.start_edges for factor in self.grid.factors]
        _, first, counts = np.unique(
            self._ranks(cells, edges), return_index=True, return_counts=True
        )
        whole = np.ones(len(first), np.int64)
        for own, places in zip(edges, self.grid.combinations(cells[first]), strict=True):
            whole *= np.diff(own)[np.searchsorted(own, places, "right") - 1]
        return np.bincount(self.numbers(cells[first[counts == whole]]), minlength=len(self))

    def _ranks(self, cells: Places, edges: Sequence[Places]) -> Places:
        """Between which edges of the factors each cell lies, as one number."""
        ranks = np.zeros(len(cells), np.int64)
        for own, places in zip(edges, self.grid.combinations(cells), strict=True):
            if len(own) > 2:
                ranks = ranks * (len(own) - 1) + np.searchsorted(own, places, "right") - 1
        return ranks


@dataclass(frozen=True)
class Block:
    """The cells of one shape: a run of combinations of each factor of the grid."""

    grid: Grid
    runs: Sequence[slice]

    @cached_property
    def first(self) -> Any:
        """Its first trial."""
        return self.grid.trial_of([run.start for run in self.runs])

    @property
    def cells(self) -> "Cells":
        """All its cells."""
        return Cells(self, [[np.arange(run.start, run.stop) for run in self.runs]])

    def cells_of_level(self, level: int, whole_starts: bool) -> "Cells":
        """Its cells of a level, which is the highest of their combinations' levels.

        Args:
            level: From 0.
            whole_starts: Whether all trials of a start come with the first of them.
        """
        below, at, until = [], [], []
        for factor, run in zip(self.grid.factors, self.runs, strict=True):
            own = (factor.start_levels if whole_starts else factor.levels)[run]
            below.append(run.start + np.flatnonzero(own < level))
            at.append(run.start + np.flatnonzero(own == level))
            until.append(run.start + np.flatnonzero(own <= level))
        # Each cell is in the part of the first factor that reaches the level.
        parts = [[*below[:n], at[n], *until[n + 1 :]] for n in range(len(at))]
        return Cells(self, [part for part in parts if all(map(len, part))])

    def indices(self, numbers: Sequence[Places]) -> Places:
        """The grid's numbers of cells.

        Args:
            numbers: (cells,) for each factor: the combinations.
        """
        index = np.zeros(len(numbers[0]), np.int64)
        for factor, own in zip(self.grid.factors, numbers, strict=True):
            index = index * len(factor) + own
        return index

    def trials(self, numbers: Sequence[Places]) -> Trials[Any]:
        """The trials of cells.

        Args:
            numbers: As of `indices`.
        """
        known, columns = settings_of(self.grid.trial), {}
        for factor, chosen in zip(self.grid.factors, numbers, strict=True):
            for name, setting in factor.settings.items():
                if setting.differs_within != "sweep":
                    columns[name] = factor.arrays[name][factor.places[name][chosen]]
        return Trials(self.first, {name: columns[name] for name in known if name in columns})


@dataclass(frozen=True)
class Cells:
    """Some cells of a block, in order: the products of combinations, one after the other.

    Attributes:
        block: Whose cells they are.
        parts: Products, as combinations of each factor.
    """

    block: Block
    parts: Sequence[Sequence[Places]]

    def __len__(self) -> int:
        return sum(prod(map(len, part)) for part in self.parts)

    def between(self, first: int, last: int) -> list[Places]:
        """(cells,) for each factor: the combinations of the cells at these places.

        Args:
            first: The place of the first of them.
            last: The place after the last of them.
        """
        found = []
        for part in self.parts:
            size = prod(map(len, part))
            if first < size and last > 0:
                found.append(_combined(part, np.arange(max(first, 0), min(last, size))))
            first, last = first - size, last - size
        return [np.concatenate(columns) for columns in zip(*found, strict=True)]

    def cut(self, most: Callable[[], int], at_starts: bool) -> Iterator[list[Places]]:
        """Runs of cells, made one by one.

        Args:
            most: Cells in the next run.
            at_starts: Whether a run that is not the last ends where a start does, if it can.
        """
        first, count = 0, len(self)
        while first < count:
            limit = most()
            numbers = self.between(first, min(first + limit + 1, count))
            length = len(numbers[0])
            if length > limit:  # by the first cell of the next run
                length = (self._last_start(numbers) if at_starts else 0) or limit
            yield [each[:length] for each in numbers]
            first += length

    def _last_start(self, numbers: Sequence[Places]) -> int:
        """Where the last start among these cells begins; 0 if there is only one."""
        begins = np.zeros(len(numbers[0]), bool)
        for factor, own in zip(self.block.grid.factors, numbers, strict=True):
            starts = np.searchsorted(factor.start_edges, own, "right")
            begins[1:] |= np.diff(starts) != 0
        return int(np.flatnonzero(begins)[-1]) if begins.any() else 0


def _combined(part: Sequence[Places], places: Places) -> list[Places]:
    """The combinations of each factor at some places of their product; the last changes fastest."""
    found = []
    for own in reversed(part):
        if len(own) == 1:
            found.append(own.repeat(len(places)))
        else:
            places, place = np.divmod(places, len(own))
            found.append(own[place])
    return found[::-1]
