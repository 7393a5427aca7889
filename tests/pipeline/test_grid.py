"""The grid: what axes, groups and a condition make, a cell at a time, and found by its settings."""

from itertools import islice, product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.settings import trial_id, values_of
from core.trials import Trial
from pipeline.grids import grid as grids
from pipeline.grids.grid import Grid

RATES = (0.5, 0.1, 0.2)


def some(values, most=3):
    return st.lists(values, min_size=1, max_size=most, unique=True).map(tuple)


# Apart by more than rounding: a condition takes closer numbers to be the same.
hundredths = st.integers(1, 1000).map(lambda number: number / 100)

some_axes = st.fixed_dictionaries(
    {
        "depth": some(st.integers(1, 50)),
        "activation": some(st.sampled_from(["tanh", "relu", "linear"])),
        "init_scale": some(hundredths),
        "seed": some(st.integers(0, 2**63 - 1)),
        "learning_rate": some(hundredths),
    }
)
some_groups = st.sampled_from(
    [
        (),
        (("depth", "init_scale"),),
        (("learning_rate", "activation", "seed"),),
        (("seed", "depth"), ("learning_rate", "init_scale")),
    ]
)
some_conditions = st.sampled_from(
    [
        None,
        "depth < 9",
        "learning_rate * depth > 3 and seed > 4",
        "init_scale < 3 or seed < 9 and depth != 4",
        "activation == 'tanh' and learning_rate < init_scale",
    ]
)
repeatable = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def rows_of(trials):
    return pa.RecordBatch.from_pylist([values_of(trial) for trial in trials])


def listed(axes, together, where):
    """The cells, made by listing all of the product."""
    moved = {name for group in together for name in group}
    groups = [*together, *((name,) for name in axes if name not in moved)]
    rows = product(*(zip(*(axes[name] for name in group), strict=True) for group in groups))
    names = [name for group in groups for name in group]
    cells = [dict(zip(names, (v for part in row for v in part), strict=True)) for row in rows]
    return [cell for cell in cells if where is None or eval(where, {}, dict(cell))]


@pytest.fixture(scope="session")
def made(grid_of):
    """Makes a grid whose groups are as long as the shortest of their axes."""

    def make(axes, together, where):
        for group in together:
            length = min(len(axes[name]) for name in group)
            axes = axes | {name: axes[name][:length] for name in group}
        whole = grid_of(**axes).axes
        return Grid(Trial, whole, together, where), listed(whole, together, where)

    return make


@repeatable
@given(some_axes, some_groups, some_conditions)
def test_a_grid_has_the_cells_that_listing_all_of_them_leaves(made, axes, together, where):
    """Whatever moves together and whatever a condition leaves out; each of them once."""
    grid, cells = made(axes, together, where)
    assert grid.size == len(cells)
    found = {tuple(sorted(values_of(trial).items())) for trial in grid}
    assert found == {tuple(sorted(cell.items())) for cell in cells}


@repeatable
@given(some_axes, some_groups, some_conditions)
def test_cells_are_found_again_by_their_settings(made, axes, together, where):
    """Each at its place; a combination that is no cell is not found."""
    grid, cells = made(axes, together, where)
    whole = Grid(Trial, grid.axes)
    is_cell = [values_of(trial) in cells for trial in whole]
    assert [values_of(trial) in grid for trial in whole] == is_cell
    rows = rows_of(whole)
    assert grid.rows_of(rows).num_rows == len(cells)
    indices = grid.indices_of(rows)
    assert sorted(indices.tolist()) == list(range(grid.size))
    inside = [trial for trial, inside in zip(whole, is_cell, strict=True) if inside]
    assert [grid[index] for index in indices.tolist()] == inside


def test_every_combination_has_one_cell(grid_of):
    """The learning rate changes fastest, the shape slowest, each axis in its own order."""
    grid = grid_of(depth=(4, 2), seed=(1, 0), learning_rate=RATES)
    cells = [(trial.depth, trial.seed, trial.learning_rate) for trial in grid]
    assert cells == list(product((4, 2), (1, 0), RATES))
    assert grid.size == len(grid) == 12


def test_no_cell_lies_outside(grid_of):
    """Neither beyond the last nor, as in a list, before the first."""
    grid = grid_of(depth=(2, 4))
    for index in (-1, 2):
        with pytest.raises(IndexError, match=f"index {index} is outside a grid of 2 trials"):
            grid[index]


def test_values_that_stand_twice_in_a_group_are_one(grid_of):
    """As a depth for each of several scales."""
    axes = grid_of(depth=(2, 8, 2), init_scale=(1.0, 1.0, 3.0)).axes
    grid = Grid(Trial, axes, [("depth", "init_scale")])
    assert {(trial.depth, trial.init_scale) for trial in grid} == {(2, 1.0), (8, 1.0), (2, 3.0)}
    assert {**values_of(grid[0]), "depth": 8, "init_scale": 3.0} not in grid


def test_rows_that_are_not_on_the_grid_are_left_out(grid_of):
    """Another sweep's in the same store; a value close by is another value."""
    grid = grid_of(depth=(2, 4), learning_rate=(0.1, 0.2))
    other = grid_of(depth=(4, 8), learning_rate=(0.2, np.nextafter(0.1, 1)))
    assert grid.indices_of(rows_of(other)).tolist() == [3]
    assert grid.indices_of(rows_of(other)[:0]).tolist() == []
    assert "no settings" not in grid


def test_rows_from_before_a_setting_are_found(grid_of):
    """NULL stands for the setting's default, and so does a failure that has none."""
    rows = rows_of(grid_of(seed=(0, 1)))
    stop = rows.schema.get_field_index("stop")
    older = rows.set_column(stop, "stop", pa.nulls(2, pa.string()))
    assert grid_of(seed=(1, 2)).indices_of(older).tolist() == [0]
    assert grid_of(seed=(1,), stop=("decided",)).indices_of(older).tolist() == []
    settings = values_of(grid_of()[0])
    del settings["stop"]
    assert settings in grid_of()


def test_an_id_does_not_depend_on_the_grid(grid_of):
    """Sweeps that overlap share rows, wherever on their grids the common cells lie."""
    ids = {trial_id(trial) for trial in grid_of(depth=(2, 4), learning_rate=(0.1, 0.2))}
    larger = {trial_id(t) for t in grid_of(learning_rate=RATES, depth=(8, 4, 2), seed=(3, 0))}
    assert ids < larger


def test_a_manifests_entry_is_a_grid(grid_of):
    """Of an older version it has neither groups nor a condition, nor later settings' axes."""
    axes = dict(grid_of(depth=(2, 4), seed=(0, 1)).axes)
    entry = {"axes": axes, "zip": [["depth", "seed"]], "where": "depth < 4"}
    assert [t.seed for t in grids.grid_of(entry, Trial)] == [0]
    del axes["stop"]
    assert [t.stop for t in grids.grid_of({"axes": axes}, Trial)] == ["full"] * 4


def test_a_grid_of_a_million_million_cells_is_never_listed(grid_of):
    """Its ends and the indices of some rows are had without making the others."""
    grid = grid_of(seed=range(10**6), learning_rate=tuple(map(float, range(10**6))))
    assert grid.size == len(grid) == 10**12
    assert [trial.learning_rate for trial in islice(grid, 3)] == [0, 1, 2]
    assert grid[10**12 - 1].seed == grid[10**12 - 1].learning_rate == 10**6 - 1
    assert grid.indices_of(rows_of([grid[10**12 - 1], grid[7]])).tolist() == [10**12 - 1, 7]


def test_values_that_a_condition_leaves_out_everywhere_are_none_of_the_grid(grid_of):
    """As an activation that need not be compiled."""
    axes = grid_of(depth=(8, 4, 2), activation=("tanh", "relu"), seed=(0, 1)).axes
    grid = Grid(Trial, axes, (), "activation == 'relu' and (seed == 1 or depth > 4)")
    assert grid.values["activation"] == ("relu",)
    assert grid.values["depth"] == (8, 4, 2)
    assert Grid(Trial, axes, (), "depth < 8 and seed == 1").values["depth"] == (4, 2)
