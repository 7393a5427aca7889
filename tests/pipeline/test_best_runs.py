"""The best run found: looked for a batch at a time, named with what varies, and what would help."""

import tracemalloc
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest

from core.settings import trial_id, values_of
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.best_runs import (
    LEVELS,
    Found,
    best_as_json,
    best_columns,
    best_in_words,
    find_best,
    varying_settings,
)
from pipeline.executors import run_serially
from pipeline.storage.schemas import schemas
from pipeline.storage.store import Store

RUNS, COLUMNS = schemas(FULLY_CONNECTED)["runs"], best_columns(FULLY_CONNECTED)


def found_in(batches):
    return find_best(batches, FULLY_CONNECTED)


@pytest.fixture
def rows_of(grid_of):
    """Makes rows of `runs` with these tail losses, a depth each; other columns by name."""

    def make(tails, **given):
        trials = list(grid_of(depth=tuple(range(1, len(tails) + 1))))
        given = {"outcome": "slow", "baseline_loss": 2.0} | given
        rows = [
            {**values_of(trial), "trial_id": trial_id(trial), "tail_loss": tail, **given}
            for trial, tail in zip(trials, tails, strict=True)
        ]
        schema = pa.schema([RUNS.field(name) for name in COLUMNS])
        return pa.RecordBatch.from_pylist(rows, schema=schema)

    return make


def test_the_smallest_share_wins_wherever_it_stands(rows_of):
    """In the first batch or the last, and it is the loss over the best constant's."""
    batches = [rows_of([1.6, 0.84, 1.2]), rows_of([1.0, 1.4])]
    for order in (batches, batches[::-1]):
        found = found_in(order)
        assert (found.runs, found.trained, found.best.share) == (5, 0, 0.42)
        assert found.best.settings["depth"] == 2


def test_of_equal_runs_the_smallest_id_is_named(rows_of):
    """Whatever order they lie in: a compacted store names the same run."""
    rows = rows_of([1.0] * 6)
    smallest = min(rows["trial_id"].to_pylist())
    for batches in ([rows], [rows.slice(3), rows.slice(0, 3)]):
        assert found_in(batches).best.trial_id == smallest


@pytest.mark.parametrize(
    "columns",
    [{"baseline_loss": 0.0}, {"outcome": "overflow"}, {"outcome": "diverged"}],
)
def test_a_run_without_a_share_is_not_the_best(rows_of, columns):
    """A constant target's loss is 0, of which nothing is a share; a lost run has no end."""
    unfit = rows_of([0.0, 0.5], **columns)
    found = found_in([unfit])
    assert found == Found(runs=2, trained=0, best=None)
    assert list(best_in_words(found, [], "s", 0)) == [
        "best: none; no run ended with a loss that is a share of the best constant's"
    ]
    assert best_as_json(found, []) is None
    assert found_in([unfit, rows_of([1.0])]).best.share == 0.5


def test_a_run_without_a_tail_is_not_the_best(rows_of):
    """NULL is no small number."""
    assert found_in([rows_of([None, 1.5, None])]).best.share == 0.75


def test_before_the_first_run_nothing_is_said():
    """There is no best of none."""
    assert list(best_in_words(found_in([]), [], "s", 0)) == []


def test_a_run_that_trained_needs_no_remedy(rows_of):
    """One line, with the settings that vary."""
    found = found_in([rows_of([0.1, 0.9], outcome="trained")])
    (line,) = best_in_words(found, ["depth", "learning_rate"], "s", 0)
    assert line == (
        f"best: 0.05 of the best constant's loss, trial {found.best.trial_id} "
        "(depth 1, learning_rate 0.1); trained means <= 0.1"
    )


@pytest.mark.parametrize(
    ("tail", "level"), [(0.3, "0.2"), (0.41, "0.3"), (1.0, "0.5"), (1.85, "0.95")]
)
def test_where_nothing_trained_the_level_that_helps_is_named(rows_of, tail, level):
    """In the sweep file and on the map, by one that the best run has reached."""
    _, remedy = best_in_words(found_in([rows_of([tail, 1.99])]), ["depth"], "s3://b/s", 0)
    assert f"would have at {level};" in remedy
    assert f"`trained_level: {level}` in the sweep file" in remedy
    assert f"`phasesweep map s3://b/s --trained-level {level}`" in remedy
    assert tail <= float(level) * 2.0


def test_where_no_level_helps_none_is_named(rows_of):
    """A run as good as the best constant is none at any level."""
    _, remedy = best_in_words(found_in([rows_of([1.99])]), [], "s", 0)
    assert "a higher trained_level would mean nothing; try other" in remedy
    assert max(LEVELS) * 2.0 < 1.99


def test_what_varies_is_what_varies_on_the_grids_together(grid_of):
    """Of one sweep its axes; of two also what each holds fixed, differently."""
    one, other = grid_of(depth=(2, 4)), grid_of(width=(8,))
    assert varying_settings([one], FULLY_CONNECTED) == ["depth"]
    assert varying_settings([one, other], FULLY_CONNECTED) == ["depth", "width"]


@pytest.fixture
def store_of(tmp_path):
    """Runs a sweep into one store and returns it."""

    def run(sweep):
        store = Store(tmp_path / "store", FULLY_CONNECTED)
        with store.writing():
            finished = plans.finished_indices(sweep.grid, store)
            sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)
        return store

    return run


def test_the_best_of_a_store_is_what_pandas_finds(store_of, small_sweep):
    """In all rows, and in those of a grid alone."""
    store = store_of(small_sweep)
    runs = pd.read_parquet(store.path / "runs")
    ended = runs[~runs["outcome"].isin(["overflow", "diverged"])]
    share = ended["tail_loss"] / ended["baseline_loss"]
    found = found_in(store.batches("runs", COLUMNS))
    assert (found.best.trial_id, found.runs) == (ended["trial_id"][share.idxmin()], len(runs))
    assert found.trained == (runs["outcome"] == "trained").sum()


def test_only_rows_of_the_grid_count(store_of, write_sweep):
    """A better run of another sweep in the same store is not this sweep's."""
    store = store_of(write_sweep(learning_rate="[1.0e-3, 1.0]"))
    smaller = write_sweep(learning_rate="1.0e-3").grid
    found = found_in(map(smaller.rows_of, store.batches("runs", COLUMNS)))
    assert found.runs == smaller.size == store.rows("runs", store.parts("runs")).count_rows() / 2
    assert found.best.settings["learning_rate"] == 1e-3
    assert found_in(store.batches("runs", COLUMNS)).best.settings["learning_rate"] == 1.0


def test_memory_does_not_grow_with_the_rows(rows_of):
    """A hundred times the batches cost what one does."""
    rows = rows_of([1.0] * 200)

    def peak(batches):
        tracemalloc.start()
        found_in(rows for _ in range(batches))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(100) < 2 * peak(1)


def test_before_all_is_trained_no_level_is_named(rows_of):
    """The trials that are missing may be those that train."""
    (line,) = best_in_words(found_in([rows_of([1.82])]), [], "s", 110)
    assert line.startswith("best: 0.91 of the best constant's loss")


def test_a_trainer_without_such_a_loss_has_no_best_run(rows_of):
    """Nothing is looked at and nothing said, whichever of the columns it lacks."""
    results = FULLY_CONNECTED.results
    for name in ("tail_loss", "baseline_loss"):
        other = replace(FULLY_CONNECTED, results=tuple(c for c in results if c.name != name))
        assert best_columns(other) == []
        assert find_best([rows_of([1.0])], other) is None
    assert list(best_in_words(None, [], "s", 0)) == []
    assert best_as_json(None, []) is None
