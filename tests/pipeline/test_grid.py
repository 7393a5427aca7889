"""The grid: the product of its axes, made a cell at a time and found again by its settings."""

from itertools import islice, product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.trials import settings as settings_of
from core.trials import trial_id
from pipeline.grid import SHAPE_FIELDS

RATES = (0.5, 0.1, 0.2)


def some(values, most=3):
    return st.lists(values, min_size=1, max_size=most, unique=True).map(tuple)


some_axes = st.fixed_dictionaries(
    {
        "depth": some(st.integers(1, 50)),
        "activation": some(st.sampled_from(["tanh", "relu", "linear"])),
        "init_scale": some(st.floats(0, 10)),
        "seed": some(st.integers(0, 2**63 - 1)),
        "learning_rate": some(st.floats(1e-12, 1e12)),
    }
)
repeatable = settings(max_examples=40, derandomize=True, deadline=None, database=None)


def rows_of(trials):
    return pa.RecordBatch.from_pylist([dict(settings_of(trial)) for trial in trials])


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


@repeatable
@given(some_axes)
def test_blocks_cut_the_grid_into_runs_of_one_shape(grid_of, axes):
    """Each cell is in one block, at its place; within a block only the stacked fields vary."""
    grid = grid_of(**axes)
    cells = [trial for block in grid.blocks() for trial in block]
    assert cells == list(grid)
    for block in grid.blocks():
        assert block[0] == grid[block.start]
        assert len({tuple(getattr(t, name) for name in SHAPE_FIELDS) for t in block}) == 1


def test_trials_of_one_start_are_neighbors(grid_of):
    """Their initial weights are drawn and measured once where they share a batch."""
    (block,) = grid_of(init_scale=(1.0, 2.0), seed=(0, 1), learning_rate=RATES).blocks()
    starts = [(trial.init_scale, trial.seed) for trial in block]
    assert starts == sorted(starts)


@repeatable
@given(some_axes, st.data())
def test_cells_are_found_again_by_their_settings(grid_of, axes, data):
    """indices_of inverts indexing, in any order and with repetitions."""
    grid = grid_of(**axes)
    indices = data.draw(st.lists(st.integers(0, grid.size - 1), min_size=1, max_size=20))
    found = grid.indices_of(rows_of(grid[index] for index in indices))
    assert found.tolist() == indices


def test_rows_that_are_not_on_the_grid_are_left_out(grid_of):
    """Another sweep's in the same store; a value close by is another value."""
    grid = grid_of(depth=(2, 4), learning_rate=(0.1, 0.2))
    other = grid_of(depth=(4, 8), learning_rate=(0.2, np.nextafter(0.1, 1)))
    assert grid.indices_of(rows_of(other)).tolist() == [3]
    assert grid.indices_of(rows_of(other)[:0]).tolist() == []


def test_an_id_does_not_depend_on_the_grid(grid_of):
    """Sweeps that overlap share rows, wherever on their grids the common cells lie."""
    ids = {trial_id(trial) for trial in grid_of(depth=(2, 4), learning_rate=(0.1, 0.2))}
    larger = {trial_id(t) for t in grid_of(learning_rate=RATES, depth=(8, 4, 2), seed=(3, 0))}
    assert ids < larger


def test_a_grid_of_a_million_million_cells_is_never_listed(grid_of):
    """Its ends, its blocks and the indices of some rows are had without making the others."""
    grid = grid_of(seed=range(10**6), learning_rate=tuple(map(float, range(10**6))))
    assert grid.size == len(grid) == 10**12
    assert [trial.learning_rate for trial in islice(grid, 3)] == [0, 1, 2]
    assert grid[10**12 - 1].seed == grid[10**12 - 1].learning_rate == 10**6 - 1
    assert [block.size for block in grid.blocks()] == [10**12]
    assert grid.indices_of(rows_of([grid[10**12 - 1], grid[7]])).tolist() == [10**12 - 1, 7]
