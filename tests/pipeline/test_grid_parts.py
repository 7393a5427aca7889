"""Parts of a grid: found by some of its settings, and no cell is listed for it."""

import pytest

from core.trials import Trial
from pipeline.grids.grid import Grid
from pipeline.grids.grid_parts import cell_among, distinct_cells


@pytest.fixture
def part_of(grid_of):
    """Makes a grid whose axes move together, or that a condition cuts."""
    return lambda together=(), where=None, **axes: Grid(
        Trial, grid_of(**axes).axes, together, where
    )


def pairs(grid, *names, **among):
    return [
        tuple(getattr(trial, name) for name in names)
        for trial in distinct_cells(grid, names, among)
    ]


def test_each_combination_of_some_settings_has_one_cell(part_of):
    """Whatever the other axes are."""
    grid = part_of(depth=(2, 3), width=(4, 8), seed=tuple(range(10**6)))
    assert pairs(grid, "depth", "width") == [(2, 4), (2, 8), (3, 4), (3, 8)]
    assert pairs(grid, "dataset") == [("digits",)]
    assert len(list(distinct_cells(grid, ()))) == 1


def test_axes_that_move_together_make_no_other_combination(part_of):
    """One that stands twice in an axis is one."""
    axes = {"depth": (2, 3, 2), "width": (4, 8, 4), "steps": (1, 2, 3)}
    grid = part_of([("depth", "width", "steps")], **axes)
    assert pairs(grid, "depth", "width") == [(2, 4), (3, 8)]
    assert pairs(grid, "steps", width=[4]) == [(1,), (3,)]


def test_a_condition_leaves_combinations_out(part_of):
    """And a cell is one for which it holds."""
    grid = part_of(where="depth * width < 20", depth=(2, 3), width=(4, 8))
    assert pairs(grid, "depth", "width") == [(2, 4), (2, 8), (3, 4)]
    assert pairs(grid, "depth", width=[8]) == [(2,)]


def test_a_cell_with_some_values_is_found_or_none(part_of):
    """What no cell has is none, be it no value of the axis."""
    grid = part_of(where="depth < width", depth=(2, 6), width=(4, 8))
    assert cell_among(grid, {"depth": [6]}).width == 8
    assert cell_among(grid, {"depth": [6], "width": [4]}) is None
    assert cell_among(grid, {"depth": [7]}) is None
