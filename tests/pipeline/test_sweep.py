"""A sweep's promises: one row per trial, the same bits however it was run, nothing lost."""

import json
import pickle
from dataclasses import replace
from functools import partial
from itertools import takewhile
from math import inf
from time import sleep

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.outcomes import OUTCOMES
from core.settings import trial_id, values_of
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.budgets import Budget
from pipeline.executors import TASKS_PER_CPU, run_on_ray, run_serially
from pipeline.storage.schemas import schemas
from pipeline.storage.store import Store

TABLES = ("runs", *FULLY_CONNECTED.tables)


NOT_SCIENTIFIC = ["wall_seconds", "batch_id"]


def run(sweep, path, execute=run_serially):
    return report_of(sweep, Store(path, FULLY_CONNECTED), execute).outcomes


def report_of(sweep, store, execute=run_serially, budget=sweeps.ALL, watch=lambda ended: None):
    with store.writing():
        standing = plans.standing(sweep, store)
        return sweeps.run_sweep(sweep, standing, store, execute, watch, budget)


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
        assert values_of(by_id[row["trial_id"]]).items() <= row.items()


def test_running_again_trains_nothing(small_sweep, tmp_path):
    """A finished sweep is left alone, files included."""
    run(small_sweep, tmp_path / "store")
    files = sorted((tmp_path / "store").rglob("*.parquet"))
    assert run(small_sweep, tmp_path / "store").total() == 0
    assert sorted((tmp_path / "store").rglob("*.parquet")) == files


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_interrupted_and_resumed_equals_uninterrupted(small_sweep, tmp_path, monkeypatch, batches):
    """Bit for bit in every scientific column of every table."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
    run(small_sweep, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(small_sweep, tmp_path / "resumed", interrupted_after(batches))
    kept = len(Store(tmp_path / "resumed", FULLY_CONNECTED).manifest["sweeps"]) and _count(
        tmp_path / "resumed"
    )
    assert (kept > 0) is (batches > 0)
    trained = run(small_sweep, tmp_path / "resumed").total()
    assert trained == small_sweep.grid.size - kept
    for table in TABLES:
        pd.testing.assert_frame_equal(
            rows(tmp_path / "whole", table), rows(tmp_path / "resumed", table), check_exact=True
        )


def _count(path):
    return sum(len(batch) for batch in Store(path, FULLY_CONNECTED).batches("runs", ["trial_id"]))


def test_serial_and_ray_write_the_same_bits(small_sweep, tmp_path, local_ray, monkeypatch):
    """Whatever order tasks finish in, and however large batches get with those in flight."""
    run(small_sweep, tmp_path / "serial")
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
    monkeypatch.setattr("pipeline.cuts.MANY_IN_FLIGHT", 2)
    run(small_sweep, tmp_path / "ray", run_on_ray)
    for table in TABLES:
        pd.testing.assert_frame_equal(
            rows(tmp_path / "serial", table), rows(tmp_path / "ray", table), check_exact=True
        )


@pytest.mark.parametrize("trace", [None, "{axes: [init_scale, learning_rate], of: diverged}"])
def test_a_run_cuts_longer_batches_the_more_are_in_flight(
    write_sweep, tmp_path, monkeypatch, trace
):
    """Here all of them at once."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 1e-3)
    monkeypatch.setattr("pipeline.cuts.MANY_IN_FLIGHT", 1)
    axis = "{geomspace: [1.0e-2, 100, 33]}"
    one = {"depth": 2, "activation": "tanh", "seed": 0}
    sizes = []

    def take_all(work, todo):
        sizes.extend(map(len, takewhile(lambda batch: batch is not None, todo)))
        return iter(())

    traced = {} if trace is None else {"trace": trace}
    run(
        write_sweep(**one, init_scale=axis, learning_rate=axis, **traced),
        tmp_path / "store",
        take_all,
    )
    assert max(sizes) > 4 * sizes[0]


def test_rounds_of_a_traced_sweep_wait_for_each_other_on_ray(
    write_sweep, tmp_path, local_ray, monkeypatch
):
    """A round is planned once the rows of the one before are committed: both end with the same."""
    axis = "{geomspace: [1.0e-2, 100, 33]}"
    trace = "{axes: [init_scale, learning_rate], of: diverged}"
    one = {"depth": 2, "activation": "tanh", "seed": 0, "steps": 6}
    sweep = write_sweep(**one, init_scale=axis, learning_rate=axis, trace=trace)
    run(sweep, tmp_path / "serial")
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 20)
    run(sweep, tmp_path / "ray", run_on_ray)
    found = rows(tmp_path / "ray")
    assert found["level"].max() == 2
    pd.testing.assert_frame_equal(rows(tmp_path / "serial"), found, check_exact=True)


def test_rows_are_committed_though_nothing_more_ends(small_sweep, tmp_path, monkeypatch):
    """As while a long training goes on: a driver that dies loses seconds, not hours."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    monkeypatch.setattr(sweeps, "COMMIT_SECONDS", inf)

    def pausing(work, todo):
        results = run_serially(work, todo)
        yield next(results)
        assert not store.parts("runs")
        monkeypatch.setattr(sweeps, "COMMIT_SECONDS", 0.0)
        yield None
        assert len(store.parts("runs")) == 1
        yield from results

    report_of(small_sweep, store, pausing)
    assert len(rows(store.path)) == small_sweep.grid.size


def test_a_slow_store_slows_the_submission(small_sweep, tmp_path, local_ray, monkeypatch):
    """What is in memory: the rows of a commit, and the tasks in flight, here three a CPU."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 2)
    monkeypatch.setattr(sweeps, "COMMIT_SECONDS", inf)
    monkeypatch.setattr(sweeps, "COMMIT_ROWS", 400)
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    taken, commit, in_flight, committed = [], store.commit, [], []

    def counting(work, todo):
        return run_on_ray(work, (taken.append(batch) or batch for batch in todo))

    def slowly(batches):
        before = len(taken)
        sleep(0.1)  # time in which all tasks in flight end
        assert len(taken) == before
        committed.append(len(batches))
        in_flight.append(len(taken) - sum(committed))
        commit(batches)
        *but_the_last, _ = (sum(map(len, rows.tables.values())) for rows in batches)
        assert sum(but_the_last) < 400

    monkeypatch.setattr(store, "commit", slowly)
    report_of(small_sweep, store, counting)
    assert len(committed) > 3
    assert max(in_flight) <= 2 * TASKS_PER_CPU


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
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    for table, schema in schemas(FULLY_CONNECTED).items():
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
    culprit, store = small_sweep.grid[70], Store(tmp_path / "store", FULLY_CONNECTED)
    report = report_of(small_sweep, store, failing_on(culprit, execute))
    assert [failure.trial for failure in report.failures] == [culprit]
    assert report.outcomes.total() == _count(store.path) == small_sweep.grid.size - 1
    (recorded,) = Store(store.path, FULLY_CONNECTED).manifest["failures"]
    assert recorded["trial_id"] == trial_id(culprit)
    assert recorded["reason"] == "RuntimeError: planted"
    assert run(small_sweep, store.path).total() == 1
    assert Store(store.path, FULLY_CONNECTED).manifest["failures"] == []


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
    (entry,) = manifest["sweeps"]
    assert (entry["name"], entry["zip"], entry["where"]) == ("small", [], None)
    assert entry["axes"]["depth"] == [2, 4]
    (judged,) = manifest["judged_by"].values()
    assert judged["diverged_at_once"] == 1e6
    assert "thresholds" not in manifest
    assert manifest["versions"]["numpy"]
    assert manifest["machine"]["blas"]


def test_a_sweep_run_again_has_one_entry(small_sweep, write_sweep, tmp_path):
    """And another condition on the same axes is another sweep."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    for _ in range(2):
        report_of(small_sweep, store)
    assert len(store.manifest["sweeps"]) == 1
    report_of(write_sweep(where="'depth < 4'"), store)
    assert [entry["where"] for entry in store.manifest["sweeps"]] == [None, "depth < 4"]


def test_the_thresholds_of_an_older_version_are_left_as_found(small_sweep, tmp_path):
    """Rows that do not say by which they were judged were judged by these."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        store.describe(thresholds={"diverged_at_once": 7.0})
    run(small_sweep, store.path)
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert manifest["thresholds"] == {"diverged_at_once": 7.0}


def test_the_trainer_is_prepared_before_anything_is_trained(small_sweep, tmp_path, capsys):
    """With the sweep's axes; what it says goes to stderr."""
    prepared = []

    def prepare(axes, say):
        say("compiling: some seconds")
        prepared.append(axes)

    def execute(work, todo):
        assert prepared == [small_sweep.grid.values]
        return run_serially(work, todo)

    trainer = replace(FULLY_CONNECTED, prepare=prepare)
    outcomes = run(replace(small_sweep, trainer=trainer), tmp_path / "store", execute)
    assert outcomes.total() == small_sweep.grid.size
    assert capsys.readouterr() == ("", "compiling: some seconds\n")


def test_the_work_of_a_task_can_be_sent(small_sweep):
    """Trainer and data alike: workers get it pickled, and train the same with it."""
    work = sweeps.TrainBatch(FULLY_CONNECTED, sweeps.tasks(small_sweep))
    (batch, *_) = sweeps.batches(
        small_sweep.grid, FULLY_CONNECTED, small_sweep.infos, np.empty(0, np.int64)
    )
    sent = pickle.loads(pickle.dumps(work))
    assert sent.trainer == FULLY_CONNECTED
    columns = [name for name in work(batch).runs.column_names if name != "wall_seconds"]
    assert sent(batch).runs.select(columns) == work(batch).runs.select(columns)


@pytest.mark.parametrize("execute", [run_serially, run_on_ray])
def test_so_many_new_rows_come_as_asked_for(small_sweep, tmp_path, local_ray, execute):
    """Exactly; again as many, until what is left is fewer. All are those of one run."""
    run(small_sweep, tmp_path / "whole")
    store, budget = Store(tmp_path / "parts", FULLY_CONNECTED), Budget(trials=77)
    reports = [report_of(small_sweep, store, execute, budget) for _ in range(4)]
    assert [report.outcomes.total() for report in reports] == [77, 77, 192 - 2 * 77, 0]
    assert [report.stopped for report in reports] == ["trials", "trials", None, None]
    pd.testing.assert_frame_equal(
        rows(tmp_path / "whole"), rows(tmp_path / "parts"), check_exact=True
    )


def test_a_trial_that_fails_counts_as_one_asked_for(small_sweep, tmp_path):
    """Else a trial that always fails would not let the run end where it was asked to."""
    store, culprit = Store(tmp_path / "store", FULLY_CONNECTED), first_trial(small_sweep)
    report = report_of(small_sweep, store, failing_on(culprit), Budget(trials=10))
    assert (report.outcomes.total(), len(report.failures), report.stopped) == (9, 1, "trials")


def first_trial(sweep):
    (batch, *_) = sweeps.batches(sweep.grid, FULLY_CONNECTED, sweep.infos, np.empty(0, np.int64))
    return batch.first


@pytest.mark.parametrize("execute", [run_serially, run_on_ray])
def test_time_that_is_up_leaves_what_was_trained(
    small_sweep, tmp_path, local_ray, execute, monkeypatch
):
    """Committed; the next run goes on, and what comes of both is what comes of one."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 6)
    clock = {"now": 0.0}
    monkeypatch.setattr("pipeline.budgets.monotonic", lambda: clock["now"])
    store = Store(tmp_path / "parts", FULLY_CONNECTED)

    def watch(ended):
        clock["now"] += 1.0

    report = report_of(small_sweep, store, execute, Budget(until=3.0), watch)
    assert report.stopped == "time"
    assert 0 < report.outcomes.total() == _count(store.path) < small_sweep.grid.size
    run(small_sweep, tmp_path / "whole")
    run(small_sweep, store.path)
    pd.testing.assert_frame_equal(
        rows(tmp_path / "whole"), rows(tmp_path / "parts"), check_exact=True
    )


def test_what_ended_was_expected_to_take_what_the_plan_says(small_sweep, tmp_path, monkeypatch):
    """All batches together, a failed trial among them: the time left ends at 0."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
    store, ended = Store(tmp_path / "store", FULLY_CONNECTED), []
    planned = plans.plan(small_sweep, np.empty(0, np.int64))
    execute = failing_on(first_trial(small_sweep))
    report_of(small_sweep, store, execute, watch=ended.append)
    assert sum(each.seconds for each in ended) == pytest.approx(planned.seconds)
    assert sum(sum(each.outcomes.values()) for each in ended) == planned.trials - 1
