"""What is left of a sweep: counted exactly, priced, and never listed."""

import numpy as np
import pytest

from core.training import FULLY_CONNECTED
from core.trials import Trial
from pipeline import cuts, plans
from pipeline.batches import batch_seconds, batches
from pipeline.executors import run_serially
from pipeline.grids.grid import Grid
from pipeline.storage.store import Store
from pipeline.sweep import run_sweep
from pipeline.sweep_files.loading import Sweep

PRICE = cuts.price
NONE = np.empty(0, np.int64)


@pytest.fixture
def sweep_of(grid_of):
    """Makes a sweep of some axes, groups and a condition."""
    return lambda together=(), where=None, **axes: Sweep(
        "made", Grid(Trial, grid_of(**axes).axes, together, where), {}, FULLY_CONNECTED
    )


def test_a_plan_counts_what_is_left(small_sweep, tmp_path):
    """It shrinks as rows come in, and an empty one costs nothing."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    before = plans.plan(small_sweep, plans.finished_indices(small_sweep.grid, store))
    assert (before.trials, before.finished) == (192, 0)
    assert before.flops > 0
    assert not store.path.exists()
    with store.writing():
        run_sweep(small_sweep, NONE, store, run_serially, lambda ended: None)
    after = plans.plan(small_sweep, plans.finished_indices(small_sweep.grid, store))
    assert (after.remaining, after.batches, after.flops, after.seconds) == (0, 0, 0, 0)


@pytest.mark.parametrize("finished", [0, 40, 191])
@pytest.mark.parametrize("measure", ["none", "signal+sharpness"])
def test_a_plan_comes_to_what_its_batches_come_to(sweep_of, monkeypatch, finished, measure):
    """Whatever is left of it; how often starts are measured again is not counted exactly."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
    rates = tuple(np.geomspace(1e-3, 10, 8).tolist())
    axes = {"depth": (2, 5, 9), "seed": (0, 1, 2, 3), "width": (8, 64)}
    sweep = sweep_of(**axes, learning_rate=rates, measure=(measure,))
    done = np.sort(np.random.default_rng(1).choice(sweep.grid.size, finished, replace=False))
    planned = plans.plan(sweep, done)
    todo = list(batches(sweep.grid, FULLY_CONNECTED, sweep.infos, done))
    assert planned.remaining == sum(map(len, todo)) == 192 - finished
    seconds = sum(batch_seconds(batch, FULLY_CONNECTED, sweep.infos) for batch in todo)
    assert planned.seconds == pytest.approx(seconds, rel=0.15)
    assert planned.batches == pytest.approx(len(todo), rel=0.5)
    trials = [trial for batch in todo for trial in batch.trials]
    flops = sum(FULLY_CONNECTED.flops(trial, sweep.infos["digits"]) for trial in trials)
    assert planned.flops == flops


def test_a_plan_counts_what_a_condition_and_groups_leave(sweep_of):
    """Exactly, as listing the cells does."""
    axes = {"depth": (2, 4, 8), "width": (4, 8, 16), "seed": (0, 1, 2), "steps": (1, 10)}
    sweep = sweep_of([("width", "seed")], "steps * depth < 30", **axes)
    done = np.array([1, 2, 7])
    planned = plans.plan(sweep, done)
    assert (planned.trials, planned.remaining) == (12, 9)
    assert planned.shapes == len(
        {(t.depth, t.width, t.steps) for t in sweep.grid}
        - {(t.depth, t.width, t.steps) for t in map(sweep.grid.__getitem__, done.tolist())}
    )


@pytest.mark.parametrize("finished", [0, 20])
def test_a_plan_of_very_many_shapes_is_estimated_from_a_sample(write_sweep, monkeypatch, finished):
    """The counts stay exact; it says from how many shapes the rest is, and is not far off."""
    sweep = write_sweep(depth=list(range(2, 42)), width=list(range(4, 14)))
    done = np.arange(finished * sweep.grid.size // 40)
    exact = plans.plan(sweep, done)
    monkeypatch.setattr(plans, "MOST_PRICED", 300)
    estimated = plans.plan(sweep, done)
    assert (exact.sampled_shapes, estimated.sampled_shapes) == (None, 300)
    assert (estimated.trials, estimated.finished) == (exact.trials, exact.finished)
    assert (estimated.bytes, estimated.shapes) == (exact.bytes, exact.shapes)
    for name in ("batches", "flops", "seconds"):
        assert getattr(estimated, name) == pytest.approx(getattr(exact, name), rel=0.15)


def test_a_billion_cells_are_priced_by_a_sample_of_their_shapes(sweep_of, monkeypatch):
    """With axes that move together and a condition, a million shapes before it."""
    priced = []
    monkeypatch.setattr(
        "pipeline.cuts.price", lambda trial, *rest: priced.append(trial) or PRICE(trial, *rest)
    )
    axes = {"depth": range(2, 1002), "init_scale": tuple(map(float, range(1000)))}
    axes |= {"width": range(1, 1001), "seed": range(1000)}
    sweep = sweep_of([("depth", "init_scale")], "depth * width < 500500", **axes)
    planned = plans.plan(sweep, NONE)
    pairs = sum(depth * width < 500500 for depth in range(2, 1002) for width in range(1, 1001))
    assert planned.trials == pairs * 1000 > 5 * 10**8
    assert planned.shapes == pairs
    assert len(priced) == planned.sampled_shapes == plans.MOST_PRICED


def test_a_plan_prices_what_is_left_though_all_else_is_finished(sweep_of, monkeypatch):
    """The sample is of what is left."""
    monkeypatch.setattr(plans, "MOST_PRICED", 1)
    sweep = sweep_of(depth=range(2, 12))
    whole = plans.plan(sweep, NONE)
    rest = plans.plan(sweep, np.arange(9))
    assert (rest.remaining, rest.batches, rest.sampled_shapes) == (1, 1, None)
    assert 0 < rest.seconds < whole.seconds
