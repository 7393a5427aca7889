"""Parts of a grid: its cells with some values of some settings."""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any

from core.settings import Value, trial_from
from pipeline.grids.grid import Grid


def cell_among(grid: Grid, among: Mapping[str, Collection[Any]]) -> Any:
    """A cell of the grid with these values of some settings; None if it has none."""
    return next(distinct_cells(grid, (), among), None)


def distinct_cells(
    grid: Grid, names: Collection[str], among: Mapping[str, Collection[Any]] | None = None
) -> Iterator[Any]:
    """One cell for each combination of some settings' values that occurs in the grid.

    Args:
        grid: Only its factors are looked at, not its cells.
        names: The settings.
        among: Values of some settings that the cells must have; None for any.
    """
    parts = [factor.among(among or {}) for factor in grid.factors]
    chosen = [part.distinct(names).tolist() for part in parts]
    for numbers in product(*chosen):
        values: dict[str, Value] = {}
        for part, number in zip(parts, numbers, strict=True):
            values |= part.cell(number)
        yield trial_from(grid.trial, values)
