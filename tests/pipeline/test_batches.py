"""Batches: every unfinished trial in one of them, task-sized, the costliest first."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import DATASETS, load_dataset, make_task
from core.measurements import measure_starts
from core.training import train_trials
from core.trials import trial_id
from pipeline.batches import (
    BATCH_SECONDS,
    MOST_REPEATED,
    MOST_TRIALS,
    Packing,
    batches,
    flops,
    packing,
    seconds,
    start_seconds,
    unfinished_rows,
)

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
    rows = packing(trial, DIGITS, 16).rows
    assert rows * 16 * seconds(trial, DIGITS) == pytest.approx(BATCH_SECONDS, rel=0.3)
    assert packing(replace(trial, steps=10**8), DIGITS, 16) == Packing(rows=1, parts=16)
    small = replace(trial, depth=1, steps=0, examples=2)
    assert packing(small, DIGITS, 16) == Packing(rows=MOST_TRIALS // 16, parts=1)


SHARP = {"width": (256,), "depth": (5,), "measure": ("sharpness",), "init_scale": (0.5, 1.0)}
MANY_RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 10, 99))


@pytest.mark.parametrize("steps", [1, 10, 100, 1000, 10_000])
def test_a_start_is_measured_again_only_where_that_costs_little(grid_of, steps):
    """However long a training: whole rows where the start dominates, else parts of a second."""
    trial = grid_of(**SHARP, examples=(1000,), steps=(steps,))[0]
    packed, start = packing(trial, DIGITS, 99), start_seconds(trial, DIGITS)
    assert packed.rows == 1
    trainings = 99 / packed.parts * seconds(trial, DIGITS)
    assert packed.parts == 1 or start <= 1.5 * MOST_REPEATED * trainings
    if steps == 1:
        assert packed.parts == 1
    if steps >= 1000:
        assert packed.parts > 10


def test_a_row_is_cut_evenly_within_itself(grid_of):
    """No batch has two starts where one would do."""
    grid = grid_of(**SHARP, examples=(1000,), steps=(1000,), learning_rate=MANY_RATES)
    todo = list(batches(grid, DATASETS, NONE))
    assert all(len({trial.init_scale for trial in batch.trials}) == 1 for batch in todo)
    sizes = {len(batch) for batch in todo}
    assert max(sizes) - min(sizes) <= 1


def test_the_starts_measured_are_those_there_are(grid_of, monkeypatch):
    """Of a sweep whose sharpness takes longer than its trainings; and not a bit depends on it."""
    small = {"width": (8,), "depth": (3,), "examples": (24,), "steps": (1,)}
    grid = grid_of(**SHARP | small, learning_rate=MANY_RATES[::9])
    task = make_task(load_dataset("digits", 24), 24, "standardized")
    monkeypatch.setattr("pipeline.batches.BATCH_SECONDS", 1e-6)
    measured = []

    def counted(params, *rest):
        measured.append(len(params[0]))
        return measure_starts(params, *rest)

    monkeypatch.setattr("core.training.measure_starts", counted)
    todo = list(batches(grid, DATASETS, NONE))
    results = [run.result for batch in todo for run in train_trials(batch.trials, task)]
    assert sum(measured) == 2
    alone = [run.result for trial in grid for run in train_trials([trial], task)]
    assert results == alone
    assert sum(measured) == 2 + grid.size


def test_a_row_counts_as_left_until_all_of_it_is_finished(grid_of):
    """Its start is measured again for the last of its learning rates."""
    (block,) = grid_of(seed=(0, 1, 2), learning_rate=RATES).blocks()
    assert unfinished_rows(block, NONE) == 3
    assert unfinished_rows(block, np.arange(15)) == 3
    assert unfinished_rows(block, np.arange(16)) == 2
    assert unfinished_rows(block, np.arange(8, 40)) == 2
    assert unfinished_rows(block, np.arange(48)) == 0


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
