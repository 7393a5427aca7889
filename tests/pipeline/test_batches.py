"""Batches: every unfinished trial in one of them, task-sized, the costliest first."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import DATASETS
from core.trials import trial_id
from pipeline.batches import BATCH_SECONDS, MOST_TRIALS, batches, flops, seconds, trials_per_batch

DIGITS = DATASETS["digits"]
NONE = np.empty(0, np.int64)
RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 10, 16))


def grid_indices(todo):
    return [batch.block.start + position for batch in todo for position in batch.positions]


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.sets(st.integers(0, 143)), st.integers(1, 144))
def test_unfinished_trials_are_in_one_batch_each(grid_of, finished, most):
    """Whatever is finished and however large batches are; no batch is empty."""
    grid = grid_of(depth=(2, 4, 8), seed=(0, 1, 2), learning_rate=RATES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.batches.MOST_TRIALS", most)
        todo = list(batches(grid, DATASETS, np.array(sorted(finished), np.int64)))
    assert sorted(grid_indices(todo)) == [i for i in range(grid.size) if i not in finished]
    assert all(1 <= len(batch) <= most for batch in todo)


def test_a_batch_holds_the_trials_at_its_positions(grid_of):
    """They are of one shape; its id is the first one's with their number."""
    grid = grid_of(depth=(2, 4), learning_rate=RATES)
    batch, other = batches(grid, DATASETS, np.array([16, 17], np.int64))
    assert batch.trials == list(grid)[18:]
    assert other.trials == list(grid)[:16]
    assert batch.batch_id == f"{trial_id(grid[18])[:16]}-14"


def test_the_costliest_shapes_come_first(grid_of):
    """So no worker is left alone with a long task at the end."""
    grid = grid_of(depth=(2, 32, 8), width=(4, 64), dtype=("float64", "float32"))
    costs = [seconds(batch.trials[0], DIGITS) for batch in batches(grid, DATASETS, NONE)]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == 12


def test_a_batch_is_about_a_second_of_work(grid_of):
    """Long trainings go alone, short ones many together, but never too many."""
    trial = grid_of(depth=(8,), width=(32,), examples=(128,), steps=(100,))[0]
    size = trials_per_batch(trial, DIGITS)
    assert size * seconds(trial, DIGITS) == pytest.approx(BATCH_SECONDS, rel=0.1)
    assert trials_per_batch(replace(trial, steps=10**8), DIGITS) == 1
    assert trials_per_batch(replace(trial, depth=1, steps=0, examples=2), DIGITS) == MOST_TRIALS


def test_batches_are_whole_rows_of_learning_rates(grid_of, monkeypatch):
    """Trials with a common start are trained together, and it is measured once."""
    monkeypatch.setattr("pipeline.batches.MOST_TRIALS", 40)
    grid = grid_of(seed=tuple(range(5)), learning_rate=RATES)
    assert [len(batch) for batch in batches(grid, DATASETS, NONE)] == [32, 32, 16]


def test_flops_count_a_multiplication_and_an_addition_a_weight(grid_of):
    """By hand: 65 x 6 and 7 x 10 weights, 24 examples, 12 steps and the start, 3 passes each."""
    assert flops(grid_of()[0], DIGITS) == 2 * 3 * (65 * 6 + 7 * 10) * 24 * 13


def test_every_hidden_layer_counts_as_much(grid_of):
    """7 x 6 weights each, however deep; one layer alone leads from the inputs to the outputs."""
    counted = [flops(trial, DIGITS) / (6 * 24 * 13) for trial in grid_of(depth=(1, 2, 3, 100_000))]
    assert counted == [65 * 10, 65 * 6 + 70, 65 * 6 + 42 + 70, 65 * 6 + 99_998 * 42 + 70]


def test_a_large_batch_is_as_little_to_send_as_a_small_one(grid_of):
    """The trials are made where they are trained."""
    sizes = []
    for seeds in (1, 200):
        (batch,) = batches(grid_of(seed=range(seeds), learning_rate=RATES), DATASETS, NONE)
        sizes.append(len(pickle.dumps(batch)))
    assert len(batch) == 3200
    assert abs(sizes[1] - sizes[0]) < 20
