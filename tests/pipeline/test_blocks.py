"""Blocks: a grid cut by shape, counted, and taken level by level without being listed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.trials import SETTINGS, Trial
from pipeline.grids.blocks import Blocks
from pipeline.grids.grid import Grid

RATES = tuple(np.geomspace(1e-3, 10, 7).tolist())
OF_SHAPE = [name for name, setting in SETTINGS.items() if setting.differs_within == "sweep"]
OF_RATES = [name for name, setting in SETTINGS.items() if setting.differs_within == "start"]

some_grids = st.sampled_from(
    [
        ((), None),
        ((("depth", "init_scale"),), None),
        ((("seed", "learning_rate"),), "depth < 8"),
        ((("width", "depth"),), "learning_rate * depth < 3"),
        ((), "init_scale * learning_rate < 1 and (seed == 1 or depth == 2)"),
    ]
)
repeatable = settings(max_examples=30, derandomize=True, deadline=None, database=None)


@pytest.fixture(scope="session")
def blocks_of(grid_of):
    """Makes the blocks of a grid of depths, widths, scales, seeds and rates."""
    axes = {"depth": (2, 4, 8), "width": (3, 6, 9), "init_scale": (0.5, 1.0, 2.0)}
    axes |= {"seed": tuple(range(7)), "learning_rate": RATES}

    def make(together, where):
        for group in together:
            length = min(len(axes[name]) for name in group)
            axes.update({name: axes[name][:length] for name in group})
        return Blocks(Grid(Trial, grid_of(**axes).axes, together, where))

    return make


def shape(trial):
    return tuple(getattr(trial, name) for name in OF_SHAPE)


def start(trial):
    return tuple(getattr(trial, name) for name in SETTINGS if name not in OF_RATES)


def indices(block, cells):
    return [block.indices(numbers) for numbers in cells.cut(lambda: 5, at_starts=False)]


@repeatable
@given(some_grids)
def test_each_cell_is_in_the_block_of_its_shape(blocks_of, described):
    """Once; what is counted of a block is what it has."""
    blocks = blocks_of(*described)
    grid, seen = blocks.grid, []
    for number, block in enumerate(blocks):
        own = np.concatenate(indices(block, block.cells))
        trials = [grid[index] for index in own.tolist()]
        assert {shape(trial) for trial in trials} == {shape(block.first)}
        assert blocks.sizes[number] == len(own)
        assert blocks.starts[number] == len(set(map(start, trials)))
        assert set(blocks.numbers(own).tolist()) == {number}
        (numbers,) = block.cells.cut(lambda: 10**6, at_starts=False)
        assert list(block.trials(numbers)) == trials
        seen.extend(own.tolist())
    assert sorted(seen) == list(range(grid.size))
    assert len(blocks) == len({shape(trial) for trial in grid})


@repeatable
@given(some_grids, st.booleans())
def test_levels_cut_a_block_into_all_its_cells(blocks_of, described, whole_starts):
    """Each cell once, at the highest level of its values; whole starts with their first trial."""
    blocks = blocks_of(*described)
    for number, block in enumerate(blocks):
        levels, seen = range(blocks.first_levels[number], blocks.last_levels[number] + 1), {}
        for level in levels:
            for run in indices(block, block.cells_of_level(level, whole_starts)):
                seen |= dict.fromkeys(run.tolist(), level)
        assert len(seen) == blocks.sizes[number]
        assert blocks.first_levels[number] in seen.values()
        if whole_starts:
            starts = {(start(blocks.grid[index]), level) for index, level in seen.items()}
            assert len(starts) == blocks.starts[number]
        else:
            assert max(seen.values()) == blocks.last_levels[number]


@repeatable
@given(some_grids, st.sets(st.integers(0, 500)))
def test_a_start_is_complete_when_all_its_trials_are(blocks_of, described, chosen):
    """As counted by listing them."""
    blocks = blocks_of(*described)
    cells = np.array(sorted(index for index in chosen if index < blocks.grid.size), np.int64)
    trials = [(number, start(t)) for number, b in enumerate(blocks) for t in _all(b)]
    given = [(int(blocks.numbers(np.array([c]))[0]), start(blocks.grid[c])) for c in cells.tolist()]
    complete = [each for each in set(given) if given.count(each) == trials.count(each)]
    counted = np.bincount([number for number, _ in complete], minlength=len(blocks))
    assert blocks.complete_starts(cells).tolist() == counted.tolist()


def _all(block):
    (numbers,) = block.cells.cut(lambda: 10**6, at_starts=False)
    return block.trials(numbers)


def test_runs_end_where_a_start_does_if_they_can(blocks_of):
    """A start that is longer than a run is cut, and the next one begins a run of its own."""
    (block, *_) = blocks_of((), None)
    runs = [block.trials(numbers) for numbers in block.cells.cut(lambda: 10, at_starts=True)]
    assert [len(run) for run in runs] == [7] * 21
    assert all(len({start(trial) for trial in run}) == 1 for run in runs)
    assert [len(c[0]) for c in block.cells.cut(lambda: 4, at_starts=True)] == [4, 3] * 21
    assert [len(c[0]) for c in block.cells.cut(lambda: 10, at_starts=False)] == [10] * 14 + [7]


def test_a_block_of_a_million_million_cells_is_taken_a_run_at_a_time(grid_of):
    """Its first level has the ends and the middle of a million rates, and one seed."""
    (block,) = Blocks(grid_of(seed=range(10**6), learning_rate=tuple(map(float, range(10**6)))))
    assert len(block.cells) == 10**12
    first = block.cells_of_level(0, whole_starts=False)
    (numbers,) = first.cut(lambda: 4096, at_starts=True)
    rates = [trial.learning_rate for trial in block.trials(numbers)]
    assert rates == [0, 500_000, 999_999]
    whole = block.cells_of_level(0, whole_starts=True)
    assert len(whole) == 10**6
