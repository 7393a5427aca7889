"""A sweep's promises: one row a trial, the same bits however it was run, nothing lost."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.outcomes import OUTCOMES
from core.trials import TRIAL_FIELDS, trial_id
from pipeline import sweep as sweeps
from pipeline.executors import run_on_ray, run_serially
from pipeline.grid import Grid
from pipeline.schemas import SCHEMAS
from pipeline.store import Store
from pipeline.sweep_file import Sweep

NOT_SCIENTIFIC = ["wall_seconds", "batch_id"]


def run(sweep, path, execute=run_serially):
    return report_of(sweep, Store(path), execute).outcomes


def report_of(sweep, store, execute):
    with store.writing():
        finished = sweeps.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, execute, lambda found: None)


def rows(path, table="runs"):
    """The scientific columns, sorted: what must never depend on how a sweep was run."""
    frame = pd.read_parquet(path / table).drop(columns=NOT_SCIENTIFIC, errors="ignore")
    keys = ["trial_id"] if table == "runs" else ["trial_id", *frame.columns[1:2]]
    return frame.sort_values(keys, ignore_index=True)


def interrupted_after(batches):
    """An executor that is interrupted when it has yielded so many batches."""

    def execute(work, todo):
        for number, result in enumerate(run_serially(work, todo)):
            if number == batches:
                raise KeyboardInterrupt
            yield result

    return execute


def test_the_small_sweep_shows_every_outcome(small_sweep, tmp_path):
    """So what holds for it holds however a training ends; without steps there is none."""
    assert set(run(small_sweep, tmp_path / "store")) == set(OUTCOMES) - {"untrained"}


def test_every_cell_of_the_grid_has_exactly_one_row(small_sweep, tmp_path):
    """The rows' ids are the grid's ids, and their settings those of the ids."""
    outcomes = run(small_sweep, tmp_path / "store")
    found = rows(tmp_path / "store")
    assert outcomes.total() == len(found) == small_sweep.grid.size
    assert set(found["trial_id"]) == {trial_id(trial) for trial in small_sweep.grid}
    by_id = {trial_id(trial): trial for trial in small_sweep.grid}
    for row in found.to_dict("records"):
        trial = by_id[row["trial_id"]]
        assert all(row[name] == getattr(trial, name) for name in TRIAL_FIELDS)


def test_running_again_trains_nothing(small_sweep, tmp_path):
    """A finished sweep is left alone, files included."""
    run(small_sweep, tmp_path / "store")
    files = sorted((tmp_path / "store").rglob("*.parquet"))
    assert run(small_sweep, tmp_path / "store").total() == 0
    assert sorted((tmp_path / "store").rglob("*.parquet")) == files


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_interrupted_and_resumed_equals_uninterrupted(small_sweep, tmp_path, monkeypatch, batches):
    """Bit for bit in every scientific column of every table."""
    monkeypatch.setattr("pipeline.batches.BATCH_SECONDS", 0.02)
    run(small_sweep, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(small_sweep, tmp_path / "resumed", interrupted_after(batches))
    kept = len(Store(tmp_path / "resumed").manifest["sweeps"]) and _count(tmp_path / "resumed")
    assert (kept > 0) is (batches > 0)
    trained = run(small_sweep, tmp_path / "resumed").total()
    assert trained == small_sweep.grid.size - kept
    for table in SCHEMAS:
        pd.testing.assert_frame_equal(
            rows(tmp_path / "whole", table), rows(tmp_path / "resumed", table), check_exact=True
        )


def _count(path):
    return sum(len(batch) for batch in Store(path).batches("runs", ["trial_id"]))


def test_serial_and_ray_write_the_same_bits(small_sweep, tmp_path, local_ray, monkeypatch):
    """Whatever order tasks finish in."""
    run(small_sweep, tmp_path / "serial")
    monkeypatch.setattr("pipeline.batches.BATCH_SECONDS", 0.02)
    run(small_sweep, tmp_path / "ray", run_on_ray)
    for table in SCHEMAS:
        pd.testing.assert_frame_equal(
            rows(tmp_path / "serial", table), rows(tmp_path / "ray", table), check_exact=True
        )


def test_a_larger_grid_trains_only_what_is_new(write_sweep, tmp_path):
    """Editing the sweep file keeps the common trials and their rows."""
    run(write_sweep(), tmp_path / "store")
    before = rows(tmp_path / "store")
    larger = write_sweep(seed="[0, 1, 2]")
    assert run(larger, tmp_path / "store").total() == larger.grid.size // 3
    after = rows(tmp_path / "store")
    kept = after[after["trial_id"].isin(before["trial_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, kept, check_exact=True)
    assert after["trial_id"].is_unique


def test_no_table_holds_nan_or_infinity(small_sweep, tmp_path):
    """A number that does not exist is NULL, though trainings overflow."""
    assert run(small_sweep, tmp_path / "store")["overflow"] > 0
    store = Store(tmp_path / "store")
    for table, schema in SCHEMAS.items():
        floats = [field.name for field in schema if pa.types.is_floating(field.type)]
        for batch in store.batches(table, floats):
            for column in batch.columns:
                assert pc.all(pc.is_finite(column)).as_py() is not False


def failing_on(culprit, execute=run_serially):
    """An executor whose work raises on any batch that holds the trial."""

    def run_with_culprit(work, todo):
        return execute(partial(_raise_on, culprit, work), todo)

    return run_with_culprit


def _raise_on(culprit, work, batch):
    if culprit in batch.trials:
        raise RuntimeError("planted")
    return work(batch)


@pytest.mark.parametrize("execute", [run_serially, run_on_ray])
def test_a_trial_that_fails_is_found_alone_and_retried(small_sweep, tmp_path, local_ray, execute):
    """All others have their rows; the manifest names the culprit until a run succeeds."""
    culprit, store = small_sweep.grid[70], Store(tmp_path / "store")
    report = report_of(small_sweep, store, failing_on(culprit, execute))
    assert [failure.trial for failure in report.failures] == [culprit]
    assert report.outcomes.total() == _count(store.path) == small_sweep.grid.size - 1
    (recorded,) = Store(store.path).manifest["failures"]
    assert recorded["trial_id"] == trial_id(culprit)
    assert recorded["reason"] == "RuntimeError: planted"
    assert run(small_sweep, store.path).total() == 1
    assert Store(store.path).manifest["failures"] == []


def test_a_failure_of_every_trial_ends_the_run(small_sweep, tmp_path, monkeypatch):
    """The fault is not in a trial: the error gives the count and the reason."""
    monkeypatch.setattr(sweeps, "MOST_FAILURES", 3)

    def execute(work, todo):
        return run_serially(_fail, todo)

    with pytest.raises(sweeps.TooManyFailuresError, match=r"3 trials failed.*ValueError: always"):
        run(small_sweep, tmp_path / "store", execute)


def _fail(batch):
    raise ValueError("always")


def test_the_manifest_says_what_was_run_and_by_which_rules(small_sweep, tmp_path):
    """Sweeps, thresholds, versions and machine stand in one readable file."""
    run(small_sweep, tmp_path / "store")
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert [sweep["name"] for sweep in manifest["sweeps"]] == ["small"]
    assert manifest["thresholds"]["diverged_at_once"] == 1e6
    assert manifest["versions"]["numpy"]
    assert manifest["machine"]["blas"]


def test_a_plan_counts_what_is_left(small_sweep, tmp_path):
    """It shrinks as rows come in, and an empty one costs nothing."""
    store = Store(tmp_path / "store")
    before = sweeps.plan(small_sweep, sweeps.finished_indices(small_sweep.grid, store))
    assert (before.trials, before.finished) == (192, 0)
    assert before.flops > 0
    assert not store.path.exists()
    run(small_sweep, store.path)
    after = sweeps.plan(small_sweep, sweeps.finished_indices(small_sweep.grid, store))
    assert (after.remaining, after.batches, after.flops, after.seconds) == (0, 0, 0, 0)


@pytest.mark.parametrize("finished", [0, 20])
def test_a_plan_of_very_many_shapes_is_estimated_from_a_sample(write_sweep, monkeypatch, finished):
    """The counts stay exact; it says from how many shapes the rest is, and is not far off."""
    sweep = write_sweep(depth=list(range(2, 42)), width=list(range(4, 14)))
    done = np.arange(finished * sweep.grid.size // 40)
    exact = sweeps.plan(sweep, done)
    monkeypatch.setattr(sweeps, "MOST_PRICED", 300)
    estimated = sweeps.plan(sweep, done)
    assert (exact.sampled_shapes, estimated.sampled_shapes) == (None, 300)
    assert (estimated.trials, estimated.finished) == (exact.trials, exact.finished)
    assert estimated.bytes == exact.bytes
    for name in ("batches", "flops", "seconds"):
        assert getattr(estimated, name) == pytest.approx(getattr(exact, name), rel=0.15)


def test_a_plan_makes_no_more_shapes_than_it_prices(grid_of, monkeypatch):
    """A grid of a billion points and a million shapes costs what its sample costs."""
    grid = grid_of(depth=range(2, 1002), width=range(1, 1001), seed=range(1000))
    made = []
    block = Grid.block
    monkeypatch.setattr(Grid, "block", lambda self, n: made.append(n) or block(self, n))
    plan = sweeps.plan(Sweep("large", grid, {}), np.empty(0, np.int64))
    assert plan.trials == 10**9
    assert len(made) == sweeps.MOST_PRICED


def test_a_plan_prices_what_is_left_though_the_sample_is_finished(grid_of, monkeypatch):
    """As a grid's rest of a few shapes: it takes time, if not known how much."""
    monkeypatch.setattr(sweeps, "MOST_PRICED", 1)
    grid = grid_of(depth=range(2, 12))
    numbers = [np.random.default_rng(0).integers(10)]
    plan = sweeps.plan(Sweep("rest", grid, {}), np.array(numbers))
    assert plan.remaining == 9
    assert plan.seconds > 0
    assert plan.batches > 0
