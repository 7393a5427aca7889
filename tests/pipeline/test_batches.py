"""Batches: every unfinished trial in one of them, and all of the map early."""

import pickle
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import DATASETS, load_dataset, make_task
from core.measuring.measurements import measure_starts
from core.settings import setting, trial_id, values_of
from core.training import FULLY_CONNECTED
from core.trials import Trial
from pipeline.batches import batch_seconds, batches, round_batches
from pipeline.grids.grid import Grid
from pipeline.prices import price
from pipeline.sweep_files.loading import load_sweep

from ..trainings import results

NONE = np.empty(0, np.int64)
RATES = tuple(np.geomspace(1e-4, 10, 16).tolist())


def batches_of(grid, finished=NONE):
    return list(batches(grid, FULLY_CONNECTED, DATASETS, finished))


def indices(grid, todo):
    return [index for batch in todo for index in grid.indices_of(_rows(batch)).tolist()]


def _rows(batch):
    return pa.RecordBatch.from_pylist([values_of(trial) for trial in batch.trials])


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(
    st.sets(st.integers(0, 143)),
    st.integers(1, 144),
    st.sampled_from([None, "depth * learning_rate < 1", "seed < depth"]),
    st.sampled_from([0.0, 1e9]),
)
def test_unfinished_trials_are_in_one_batch_each(grid_of, finished, most, where, least):
    """Whatever is finished, however large batches are and blocks cut; no batch is empty."""
    axes = grid_of(depth=(2, 4, 8), seed=(0, 1, 2), learning_rate=RATES).axes
    grid = Grid(Trial, axes, where=where)
    finished = np.array(sorted(index for index in finished if index < grid.size), np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.cuts.MOST_TRIALS", most)
        patch.setattr("pipeline.cuts.LEAST_CUT", least)
        todo = batches_of(grid, finished)
    assert sorted(indices(grid, todo)) == sorted({*range(grid.size)} - {*finished.tolist()})
    assert all(1 <= len(batch) <= most for batch in todo)
    assert all(len({trial.depth for trial in batch.trials}) == 1 for batch in todo)


def test_a_batch_is_called_by_its_first_trial_and_their_number(grid_of):
    """Halves are batches too."""
    (batch,) = batches_of(grid_of(learning_rate=RATES), np.array([14, 15]))
    assert list(batch.trials) == list(grid_of(learning_rate=RATES))[:14]
    assert batch.batch_id == f"{trial_id(batch.first)[:16]}-14"
    first, second = batch.halves
    assert [*first.trials, *second.trials] == list(batch.trials)
    assert second.batch_id == f"{trial_id(batch.trials[7])[:16]}-7"


def test_a_twentieth_of_the_quickstart_shows_all_of_its_map():
    """Every network at the ends and the middle of both axes, and not one of its corners."""
    sweep = load_sweep("quickstart")
    trained = []
    for batch in batches(sweep.grid, FULLY_CONNECTED, sweep.infos, NONE):
        trained.extend(batch.trials)
        if len(trained) > sweep.grid.size / 20:
            break
    axes = sweep.grid.axes
    seen = {(t.depth, t.activation, t.init_scale, t.learning_rate) for t in trained}
    for depth in (axes["depth"][0], axes["depth"][-1]):
        for activation in axes["activation"]:
            for scale in (axes["init_scale"][0], axes["init_scale"][-1]):
                for rate in (axes["learning_rate"][0], axes["learning_rate"][-1]):
                    assert (depth, activation, scale, rate) in seen
    between = [t for t in trained if t.init_scale in axes["init_scale"][7:9]]
    assert {t.learning_rate for t in between} & set(axes["learning_rate"][7:9])


def test_each_level_is_done_before_the_next(grid_of, monkeypatch):
    """A map is refined everywhere before it is refined again."""
    monkeypatch.setattr("pipeline.cuts.LEAST_CUT", 0.0)
    grid = grid_of(depth=(2, 4), init_scale=(0.25, 0.5, 1.0, 2.0, 4.0), learning_rate=RATES[:9])
    todo = batches_of(grid)
    coarse = {(s, r) for s in (0.25, 1.0, 4.0) for r in (RATES[0], RATES[4], RATES[8])}
    finer = {(s, r) for s in grid.axes["init_scale"] for r in RATES[:9:2]}
    cells = [[(t.init_scale, t.learning_rate) for t in batch.trials] for batch in todo]
    assert [len(own) for own in cells] == [9, 9, 16, 16, 20, 20]
    assert set(cells[0]) == set(cells[1]) == coarse
    assert {*cells[0], *cells[2]} == {*cells[1], *cells[3]} == finer


def test_the_costliest_shapes_come_first_at_the_end(grid_of):
    """So no worker is left alone with a long task; the last level is the only one here."""
    grid = grid_of(depth=(2, 32, 8), width=(4, 64), dtype=("float64", "float32"))
    todo = batches_of(grid)
    costs = [price(batch.first, FULLY_CONNECTED, DATASETS).seconds for batch in todo]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == 12


def test_only_the_last_blocks_of_very_many_are_sorted(grid_of, monkeypatch):
    """A sweep of a million shapes does not wait for their costs."""
    monkeypatch.setattr("pipeline.batches.MOST_SORTED", 2)
    depths = [batch.first.depth for batch in batches_of(grid_of(depth=(4, 9, 2), loss=("mse",)))]
    assert depths == [4, 9, 2]
    depths = [batch.first.depth for batch in batches_of(grid_of(depth=(2, 4, 9), loss=("mse",)))]
    assert depths == [2, 9, 4]


SHARP = {"width": (256,), "depth": (5,), "measure": ("sharpness",), "init_scale": (0.5, 1.0)}
MANY_RATES = tuple(np.geomspace(1e-4, 10, 99).tolist())


def test_a_start_is_cut_evenly_within_itself(grid_of):
    """No batch has two starts where one would do."""
    grid = grid_of(**SHARP, examples=(1000,), steps=(1000,), learning_rate=MANY_RATES)
    todo = batches_of(grid)
    assert {batch.starts for batch in todo} == {1}
    assert all(len({trial.init_scale for trial in batch.trials}) == 1 for batch in todo)
    assert np.median([len(batch) for batch in todo]) == max(map(len, todo))


def test_the_starts_measured_are_those_there_are(grid_of, monkeypatch):
    """Of a sweep whose sharpness takes longer than its trainings; and not a bit depends on it."""
    small = {"width": (8,), "depth": (3,), "examples": (24,), "steps": (1,)}
    grid = grid_of(**SHARP | small, learning_rate=MANY_RATES[::9])
    task = make_task(load_dataset("digits", 24), 24, "standardized", "standardized")
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 1e-6)
    measured = []

    def counted(params, *rest):
        measured.append(len(params[0]))
        return measure_starts(params, *rest)

    monkeypatch.setattr("core.measuring.starts.measure_starts", counted)
    together = [run for batch in batches_of(grid) for run in results(batch.trials, task)]
    assert sum(measured) == 2
    alone = [run for trial in grid for run in results([trial], task)]
    for run in (*together, *alone):
        del run.wall_seconds
    assert together == alone
    assert sum(measured) == 2 + grid.size


def test_batches_are_whole_starts(grid_of, monkeypatch):
    """Trials with a common start are trained together, and it is measured once."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 40)
    monkeypatch.setattr("pipeline.cuts.LEAST_CUT", 1e9)
    grid = grid_of(seed=tuple(range(5)), learning_rate=RATES, measure=("signal",))
    todo = batches_of(grid)
    assert [len(batch) for batch in todo] == [32, 32, 16]
    assert [batch.starts for batch in todo] == [2, 2, 1]


def test_a_batch_takes_what_its_trials_and_its_starts_take(grid_of):
    """By hand."""
    grid = grid_of(seed=(0, 1), learning_rate=RATES[:3], measure=("signal+sharpness",))
    (batch,) = batches_of(grid)
    assert list(batch.trials) == list(grid)
    of_trial = price(grid[0], FULLY_CONNECTED, DATASETS)
    assert of_trial.start > 0
    seconds = batch_seconds(batch, FULLY_CONNECTED, DATASETS)
    assert seconds == pytest.approx(6 * of_trial.seconds + 2 * of_trial.start)


def test_a_batch_is_little_to_send(grid_of, monkeypatch):
    """Two numbers per trial, for what its trials differ in; it arrives as it was, halves too."""
    monkeypatch.setattr("pipeline.cuts.LEAST_CUT", 1e9)
    (batch,) = batches_of(grid_of(seed=range(200), learning_rate=RATES))
    assert len(batch) == 3200
    assert len(pickle.dumps(batch)) < 3200 * 2 * 8 + 3000
    for each in (batch, *batch.halves, batch.halves[1].halves[1]):
        received = pickle.loads(pickle.dumps(each))
        assert received.batch_id == each.batch_id
        assert received.trials.ids() == each.trials.ids()
        assert list(received.trials.columns) == list(each.trials.columns)


def test_what_is_left_here_and_there_is_trained_together(grid_of):
    """As batches of trials that failed: few, where cutting first would leave many."""
    grid = grid_of(seed=tuple(range(4000)), learning_rate=RATES)
    left = np.sort(np.random.default_rng(0).choice(grid.size, 200, replace=False))
    todo = batches_of(grid, np.setdiff1d(np.arange(grid.size), left))
    assert sorted(indices(grid, todo)) == left.tolist()
    assert len(todo) < 25


def test_batches_take_longer_where_many_are_in_flight(grid_of, monkeypatch):
    """When they are cut; their trials are the same, be they a grid's or a round's."""
    monkeypatch.setattr("pipeline.cuts.MANY_IN_FLIGHT", 2)
    trainer = replace(FULLY_CONNECTED, seconds=lambda *of: 0.5, start_seconds=lambda *of: 0.0)
    grid = grid_of(seed=(0,), learning_rate=tuple(np.geomspace(1e-4, 10, 32).tolist()))
    dense = list(batches(grid, trainer, DATASETS, NONE, count().__next__))
    assert sorted(indices(grid, dense)) == [*range(32)]
    assert max(map(len, dense)) >= 6
    a_round = list(round_batches(grid, trainer, DATASETS, np.arange(32), {}, count().__next__))
    assert [len(batch) for batch in a_round] == [2, 2, 2, 3, 4, 6, 7, 6]
    assert indices(grid, a_round) == [*range(32)]


@dataclass(frozen=True, kw_only=True)
class Alone:
    """A trial of which each has a shape of its own, and nothing costs anything."""

    size: int = setting("its size")
    fast: bool = setting("whether it is fast")


def test_settings_that_all_decide_the_shape_make_a_batch_each():
    """Of another trainer, which has no starts."""
    trainer = replace(FULLY_CONNECTED, trial=Alone, task=None, seconds=lambda trial, data: 1.0)
    trainer = replace(trainer, start_seconds=lambda trial, data: 0.0, flops=None)
    grid = Grid(Alone, {"size": (1, 2, 3), "fast": (False, True)}, where="fast or size < 3")
    todo = list(batches(grid, trainer, {}, np.array([1])))
    assert [len(batch) for batch in todo] == [1] * 4
    assert {batch.first for batch in todo} == {*grid} - {grid[1]}
    assert [batch.trials.ids() for batch in todo] == [[trial_id(batch.first)] for batch in todo]


def test_some_trials_are_in_one_batch_each_with_what_asked_for_them(grid_of, rng, monkeypatch):
    """Of one shape each, the costliest first; halves keep what belongs to each trial."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 7)
    grid = grid_of(depth=(2, 8, 4), seed=(0, 1, 2), learning_rate=RATES)
    cells = rng.choice(grid.size, 50, replace=False)
    asked = {"level": cells % 5, "reason": np.array([f"cell {cell}" for cell in cells])}
    todo = list(round_batches(grid, FULLY_CONNECTED, DATASETS, cells, asked))
    assert sorted(indices(grid, todo)) == sorted(cells.tolist())
    depths = [batch.first.depth for batch in todo]
    assert depths == sorted(depths, reverse=True)
    for batch in (half for whole in todo for half in whole.halves if len(half)):
        assert len(batch) <= 7
        assert {trial.depth for trial in batch.trials} == {batch.first.depth}
        own = grid.indices_of(_rows(batch)).tolist()
        assert batch.asked["level"].tolist() == [cell % 5 for cell in own]
        assert batch.asked["reason"].tolist() == [f"cell {cell}" for cell in own]
