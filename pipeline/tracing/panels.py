"""The panels of a grid: its cells that differ in the traced axes and in seeds alone."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.settings import Value, settings_of, values_of
from pipeline.grids.factors import Factor, Places
from pipeline.grids.grid import Grid
from pipeline.tracing.lattices import Vertices


class Panels:
    """A grid cut into panels, all of one shape.

    Attributes:
        axes: The traced axes: by name, their values in ascending order.
        shape: How many values each has.
        seeds: How many trials a vertex has.
        origins: (panels,) the number of each panel's first cell.
    """

    def __init__(self, grid: Grid, axes: Sequence[str]):
        """Cut a grid; each traced axis, and each that repeats, is a factor of its own."""
        self._grid = grid
        strides = _strides(grid)
        factors = {name: factor for factor in grid.factors for name in factor.settings}
        ascending = {name: _ascending(factors[name], name) for name in axes}
        self.axes = {
            name: _values(factors[name], name)[order].tolist() for name, order in ascending.items()
        }
        self.shape = tuple(map(len, ascending.values()))
        self._offsets = [order * strides[name] for name, order in ascending.items()]
        repeated = [name for name, each in settings_of(grid.trial).items() if each.repeats]
        self._of_seeds = _sums([np.arange(len(factors[n])) * strides[n] for n in repeated])
        self.seeds = len(self._of_seeds)
        self._inner = [*axes, *repeated]
        outer = [f for f in grid.factors if not set(self._inner) & set(f.settings)]
        self.origins = _sums([np.arange(len(f)) * strides[next(iter(f.settings))] for f in outer])

    def __len__(self) -> int:
        return len(self.origins)

    def cells(self, panel: int, vertices: Vertices) -> Places:
        """(vertices, seeds): the grid's numbers of their trials."""
        places = np.unravel_index(vertices, self.shape)
        cells = np.full(len(vertices), self.origins[panel])
        for own, at in zip(self._offsets, places, strict=True):
            cells += own[at]
        return cells[:, None] + self._of_seeds

    def numbers(self, cells: Places) -> Places:
        """In which panel each cell lies."""
        origins = np.zeros(len(cells), np.int64)
        strides = _strides(self._grid)
        for factor, own in zip(self._grid.factors, self._grid.combinations(cells), strict=True):
            name = next(iter(factor.settings))
            if name not in self._inner:
                origins += own * strides[name]
        return np.searchsorted(self.origins, origins)

    def settings(self, panel: int) -> dict[str, Value]:
        """The values that all trials of a panel have, by name."""
        values = values_of(self._grid[int(self.origins[panel])])
        return {name: value for name, value in values.items() if name not in self._inner}

    def identity(self, panel: int) -> dict[str, Value]:
        """Those of them that are no default: as with a trial's id, a new setting changes none."""
        known = settings_of(self._grid.trial)
        settings = self.settings(panel).items()
        return {n: value for n, value in settings if value != known[n].encoded_default}

    def varying(self, panel: int) -> dict[str, Value]:
        """Those of them in which panels differ."""
        values = self._grid.values
        return {n: value for n, value in self.settings(panel).items() if len(values[n]) > 1}


def _strides(grid: Grid) -> dict[str, int]:
    """For each setting, by how much the number of a cell grows with its factor's combination."""
    strides: dict[str, int] = {}
    stride = 1
    for factor in reversed(grid.factors):
        strides |= dict.fromkeys(factor.settings, stride)
        stride *= len(factor)
    return strides


def _values(factor: Factor, name: str) -> NDArray[Any]:
    return np.array(factor.values[name])[factor.places[name]]


def _ascending(factor: Factor, name: str) -> Places:
    return np.argsort(_values(factor, name), kind="stable")


def _sums(each: Sequence[Places]) -> Places:
    """All sums of one number of each, the last one's fastest; 0 if there are none."""
    return reduce(np.add.outer, each, np.zeros((), np.int64)).ravel()
