"""A store written by an older phasesweep goes on, and reads together with what is new."""

import json

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from analysis.tables import connect, read_runs
from core.gradient_descent import TRAINER
from core.trials import settings
from pipeline import sweep as sweeps
from pipeline.cli import app
from pipeline.compaction import compact
from pipeline.executors import run_serially
from pipeline.schemas import SCHEMA_VERSION
from pipeline.store import Store
from pipeline.verification import verify

ADDED_SINCE = ["rare_rise", "active_fraction", "stop", "trainer"]


def run(sweep, store):
    with store.writing():
        finished = sweeps.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None).outcomes


@pytest.fixture
def older_store(write_sweep, tmp_path):
    """A store of the version before this one, in which some columns of `runs` had no place."""
    store = Store(tmp_path / "store")
    run(write_sweep(), store)
    for part in store.parts("runs"):
        path = store.path / "runs" / part.name
        pq.write_table(pq.read_table(path).drop_columns(ADDED_SINCE), path)
    manifest = {**store.manifest, "schema_version": SCHEMA_VERSION - 1}
    (store.path / "manifest.json").write_text(json.dumps(manifest))
    return store.path


def test_an_older_store_is_sound_and_finished(older_store, write_sweep):
    """Nothing is trained again; the columns that it had not are no damage."""
    assert run(write_sweep(), Store(older_store)).total() == 0
    assert list(verify(Store(older_store))) == []
    assert Store(older_store).manifest["schema_version"] == SCHEMA_VERSION


def test_old_and_new_rows_are_read_together(older_store, write_sweep):
    """By phasesweep and by DuckDB; a number that was not measured yet is NULL."""
    old = len(pd.read_parquet(older_store / "runs"))
    larger = write_sweep(seed="[0, 1, 2]")
    new = run(larger, Store(older_store)).total()
    runs = read_runs(older_store)
    assert len(runs) == old + new == larger.grid.size
    assert runs["rare_rise"].isna().sum() >= old
    assert runs["rare_rise"].notna().any()
    with connect(older_store) as views:
        known = views.sql("select count(rare_rise) from runs").fetchall()[0][0]
    assert known == runs["rare_rise"].notna().sum()
    parts = f"read_parquet('{older_store}/runs/*.parquet', union_by_name = true)"
    assert duckdb.sql(f"select count(rare_rise) from {parts}").fetchall()[0][0] == known


def test_an_older_row_is_read_as_what_it_stood_for(older_store, write_sweep):
    """Before any newer row is there, and beside one; also where it is asked for."""
    old = len(read_runs(older_store))
    assert read_runs(older_store, ["stop"])["stop"].tolist() == ["full"] * old
    run(write_sweep(stop="decided"), Store(older_store))
    assert len(read_runs(older_store, where={"stop": "full"})) == old
    assert read_runs(older_store)["stop"].value_counts().to_dict() == {"full": old, "decided": old}


def test_status_says_where_versions_of_the_trainer_are_mixed(older_store, write_sweep):
    """Rows without a version are the first one's; a store of one version says nothing of it."""
    old = len(read_runs(older_store))
    told = CliRunner().invoke(app, ["status", str(older_store)]).stdout
    assert "by version" not in told
    new = run(write_sweep(seed="[2]"), Store(older_store)).total()
    told = CliRunner().invoke(app, ["status", str(older_store)])
    assert told.exit_code == 0
    assert f"{old:,} by version 1, {new:,} by version {TRAINER}" in told.stdout
    told = CliRunner().invoke(app, ["status", str(older_store), "--json"]).stdout
    assert json.loads(told)["trainers"] == {"1": old, TRAINER: new}


def test_old_and_new_rows_are_merged(older_store, write_sweep):
    """Nothing is missing afterwards, and an older row says what it stood for."""
    larger = write_sweep(seed="[0, 1]", stop="[full, decided]")
    run(larger, Store(older_store))
    store = Store(older_store)
    with store.writing():
        compact(store)
    assert list(verify(Store(older_store))) == []
    assert run(larger, Store(older_store)).total() == 0
    assert pd.read_parquet(older_store / "runs")["stop"].value_counts().nunique() == 1


def test_a_failure_that_an_older_version_recorded_is_of_the_grid(write_sweep):
    """So it is forgotten once its trial is trained."""
    grid = write_sweep().grid
    recorded = dict(settings(grid[0]))
    del recorded["stop"]
    assert recorded in grid
    assert recorded not in write_sweep(stop="decided").grid


def test_every_file_carries_its_version_units_and_meanings(older_store):
    """In the Parquet metadata, whatever reads it."""
    schema = pq.read_schema(next((older_store / "curves").iterdir()))
    assert schema.metadata[b"phasesweep_schema_version"] == str(SCHEMA_VERSION).encode()
    assert all(field.metadata[b"meaning"] and field.metadata[b"unit"] for field in schema)
