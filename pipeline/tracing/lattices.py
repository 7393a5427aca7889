"""The vertices of a panel in nested levels: a coarse grid, whose gaps each level halves."""

from collections.abc import Callable, Sequence
from functools import reduce
from math import ceil, log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.grids.coarse_to_fine import levels_of_places

Mask = NDArray[np.bool_]
Vertices = NDArray[np.int64]

# The coarse grid has a vertex on every so many values of an axis, with gaps between these bounds.
COARSE_GAP = 16
FEWEST_GAPS, MOST_GAPS = 8, 32


class Lattice:
    """The vertices of a panel: the combinations of its axes' values, numbered in C order.

    A level's vertices lie at some places of each axis, the last level's at all. Its cells lie
    between neighboring places: a level has one fewer along each axis. Levels are aligned at the
    finest, so that cells are about square: a short axis has all its values early.

    Attributes:
        shape: How many values each axis has; two or more.
        levels: How many levels there are.
        size: How many vertices there are.
    """

    def __init__(self, shape: Sequence[int]):
        """Divide a panel of this shape."""
        self.shape, self.size = tuple(shape), prod(shape)
        above = [_above_the_coarse(count) for count in self.shape]
        finest = max(int(own.max()) for own in above)
        self.levels = finest + 1
        self._places = [
            [np.flatnonzero(own <= max(0, int(own.max()) - finest + level)) for own in above]
            for level in range(self.levels)
        ]

    def part(self, values: NDArray[np.int8], level: int) -> NDArray[np.int8]:
        """The values at a level's vertices, from an array of all; a copy."""
        return values[np.ix_(*self._places[level])]

    def numbers(self, vertices: Mask, level: int) -> Vertices:
        """Sorted numbers of a level's vertices, from a mask of them."""
        places = zip(self._places[level], np.nonzero(vertices), strict=True)
        return np.ravel_multi_index([own[at] for own, at in places], self.shape).astype(np.int64)

    def cells(self, vertices: Vertices, level: int) -> tuple[NDArray[np.int64], ...]:
        """Axis by axis, which of a level's cells holds each vertex; cells begin at their place."""
        places = zip(self._places[level], np.unravel_index(vertices, self.shape), strict=True)
        return tuple(
            np.minimum(np.searchsorted(own, at, "right") - 1, len(own) - 2) for own, at in places
        )

    def children(self, cells: Mask, level: int) -> Mask:
        """The next level's cells within a level's cells."""
        return cells[np.ix_(*self._parents(level + 1))]

    def parents(self, cells: Mask, level: int) -> Mask:
        """The cells of the level before in which a level's cells lie."""
        for axis, parents in enumerate(self._parents(level)):
            first = np.flatnonzero(np.diff(parents, prepend=-1))
            cells = np.logical_or.reduceat(cells, first, axis=axis)
        return cells

    def _parents(self, level: int) -> list[NDArray[np.int64]]:
        """Axis by axis, for each gap of a level the gap of the level before in which it lies."""
        both = zip(self._places[level], self._places[level - 1], strict=True)
        return [np.searchsorted(before, own[:-1], "right") - 1 for own, before in both]


def corners(cells: Mask) -> Mask:
    """The vertices of cells of the same level."""
    for axis in range(cells.ndim):
        beside = [(int(axis == other), int(axis == other)) for other in range(cells.ndim)]
        padded = np.pad(cells, beside)
        cells = _neighbors(np.logical_or, padded, axis)
    return cells


def around(cells: Mask, reach: int) -> Mask:
    """The cells within a reach of some, diagonally too."""
    size = 2 * reach + 1
    found: Mask = ndimage.maximum_filter(cells, size, mode="constant", cval=0)
    return found


def extremes(vertices: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The least and the largest value at the corners of each cell."""
    axes = range(vertices.ndim)
    least = reduce(lambda values, axis: _neighbors(np.minimum, values, axis), axes, vertices)
    return least, reduce(lambda values, axis: _neighbors(np.maximum, values, axis), axes, vertices)


def _neighbors(combine: Callable[..., Any], values: NDArray[Any], axis: int) -> NDArray[Any]:
    """Each value along an axis combined with the next one."""
    values = np.moveaxis(values, axis, 0)
    return np.moveaxis(combine(values[:-1], values[1:]), 0, axis)


def _above_the_coarse(count: int) -> NDArray[np.int64]:
    """For each value of an axis: how many levels after the coarse grid's it comes."""
    levels = levels_of_places(count).astype(np.int64)
    gaps = min(max((count - 1) / COARSE_GAP, FEWEST_GAPS), MOST_GAPS)
    coarse = min(ceil(log2(gaps)) - 1, int(levels.max()))
    return np.maximum(levels - coarse, 0)
