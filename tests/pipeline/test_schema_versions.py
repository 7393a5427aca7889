"""A store written by an older phasesweep goes on, and reads together with what is new."""

import json
import shutil
from itertools import product
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from analysis.reading.stores import read_runs
from analysis.reading.views import connect
from core.gradient_descent import TRAINER
from core.settings import values_of
from core.training import FULLY_CONNECTED
from core.trials import DEFAULTS, SETTINGS
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.cli import app
from pipeline.executors import run_serially
from pipeline.storage.compaction import compact
from pipeline.storage.schemas import SCHEMA_VERSION, thresholds_digest
from pipeline.storage.store import Store
from pipeline.storage.verification import verify

ADDED_SINCE = [
    "rare_rise",
    "final_preconditioned_sharpness",
    "final_output_slope",
    "ntk_diagonal",
    "ntk_largest",
    "ntk_smallest",
    "jacobian_mean_square",
    "jacobian_largest",
    "stop",
    "trained_level",
    "targets",
    "weight_decay",
    "optimizer",
    "momentum",
    "beta2",
    "epsilon",
    "clip_norm",
    "schedule",
    "warmup_steps",
    "batch_size",
    "parameterization",
    "base_width",
    "learning_rate_first",
    "learning_rate_last",
    "init_scale_first",
    "init_scale_last",
    "biases",
    "test_examples",
    "test_loss",
    "test_accuracy",
    "generalization_gap",
    "residual",
    "normalization",
    "learning_rate_unit",
    "decay_steps",
    "decay_factor",
    "hidden_widths",
    "learning_rate_used",
    "trainer",
    "thresholds",
    "processor",
    "blas",
    "level",
    "reason",
]
RENAMED_SINCE = {"final_mean_slope": "mean_slope", "final_active_fraction": "active_fraction"}
# Settings among them: name, what an older row stands for, another value.
ADDED_SETTINGS = [
    ("stop", "full", "decided"),
    ("trained_level", 0.1, 0.5),
    ("targets", "standardized", "raw"),
    ("weight_decay", 0.0, 0.1),
    ("optimizer", "gd", "adam"),
    ("momentum", 0.9, 0.5),
    ("beta2", 0.999, 0.9),
    ("epsilon", 1e-8, 1e-6),
    ("clip_norm", 0.0, 1.0),
    ("schedule", "constant", "cosine"),
    ("warmup_steps", 10, 5),
    ("batch_size", 0, 4),
    ("parameterization", "standard", "mup"),
    ("base_width", 32, 16),
    ("learning_rate_first", 1.0, 0.5),
    ("learning_rate_last", 1.0, 0.5),
    ("init_scale_first", 1.0, 2.0),
    ("init_scale_last", 1.0, 0.5),
    ("biases", "trained", "none"),
    ("test_examples", 0, 20),
    ("residual", "none", "inverse_depth"),
    ("normalization", "none", "layer"),
    ("learning_rate_unit", "absolute", "inverse_sharpness"),
    ("decay_steps", 30, 5),
    ("decay_factor", 0.1, 0.5),
    ("hidden_widths", "equal", "6-2"),
]


def deciding(name):
    """The value of another setting with which this one decides something."""
    used_with = SETTINGS[name].used_with
    return {used_with[0]: used_with[1][0]} if used_with else {}


# Targets that are numbers, and two hidden layers, so that every setting that came since can take
# another value.
NUMBERS = {"dataset": "diabetes", "loss": "mse", "depth": 3, "init_scale": "[1, 1.0e+5]"}


def run(sweep, store):
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None).outcomes


@pytest.fixture(scope="module")
def kept_older_store(sweep_in, tmp_path_factory):
    """A store of before, in which some columns of `runs` had no place."""
    folder = tmp_path_factory.mktemp("older")
    store = Store(folder / "store", FULLY_CONNECTED)
    run(sweep_in(folder, **NUMBERS), store)
    for part in store.parts("runs"):
        path = store.path / "runs" / part.name
        older = pq.read_table(path).drop_columns(ADDED_SINCE)
        pq.write_table(
            older.rename_columns([RENAMED_SINCE.get(n, n) for n in older.column_names]), path
        )
    judged = dict(FULLY_CONNECTED.thresholds)
    manifest = {**store.manifest, "schema_version": SCHEMA_VERSION - 1, "thresholds": judged}
    del manifest["judged_by"]
    for entry, (name, _, _) in product(manifest["sweeps"], ADDED_SETTINGS):
        del entry["axes"][name]
    (store.path / "manifest.json").write_text(json.dumps(manifest))
    return store.path


@pytest.fixture
def older_store(kept_older_store, tmp_path):
    """A copy of it, of the test's own."""
    return Path(shutil.copytree(kept_older_store, tmp_path / "store"))


def test_every_setting_that_came_later_is_tried_here():
    """All that an older row may lack."""
    assert {name: default for name, default, _ in ADDED_SETTINGS} == DEFAULTS


def test_an_older_store_is_sound_and_finished(older_store, write_sweep):
    """Nothing is trained again; the columns that it had not are no damage."""
    assert run(write_sweep(**NUMBERS), Store(older_store, FULLY_CONNECTED)).total() == 0
    assert list(verify(Store(older_store, FULLY_CONNECTED))) == []
    assert Store(older_store, FULLY_CONNECTED).manifest["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_store_of_each_version_before_is_read(older_store, version):
    """Its rows lack at most what this one's lack."""
    path = older_store / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": version}))
    assert list(verify(Store(older_store, FULLY_CONNECTED))) == []


def test_a_sweep_that_is_run_again_is_the_same_sweep(older_store, write_sweep):
    """Though the older version did not write the axes that there were not yet."""
    run(write_sweep(**NUMBERS), Store(older_store, FULLY_CONNECTED))
    (entry,) = Store(older_store, FULLY_CONNECTED).manifest["sweeps"]
    assert entry["axes"]["trained_level"] == [0.1]
    run(write_sweep(**NUMBERS, trained_level=0.5), Store(older_store, FULLY_CONNECTED))
    assert len(Store(older_store, FULLY_CONNECTED).manifest["sweeps"]) == 2


def test_old_and_new_rows_are_read_together(older_store, write_sweep):
    """By phasesweep and by DuckDB; a number that was not measured yet is NULL."""
    old = len(pd.read_parquet(older_store / "runs"))
    larger = write_sweep(**NUMBERS, seed="[0, 1, 2]")
    new = run(larger, Store(older_store, FULLY_CONNECTED)).total()
    runs = read_runs(older_store)
    assert len(runs) == old + new == larger.grid.size
    assert runs["rare_rise"].isna().sum() >= old
    assert runs["rare_rise"].notna().any()
    with connect(older_store) as views:
        known = views.sql("select count(rare_rise) from runs").fetchall()[0][0]
    assert known == runs["rare_rise"].notna().sum()
    parts = f"read_parquet('{older_store}/runs/*.parquet', union_by_name = true)"
    assert duckdb.sql(f"select count(rare_rise) from {parts}").fetchall()[0][0] == known


@pytest.mark.parametrize("name", RENAMED_SINCE)
def test_a_renamed_column_is_read_by_its_name_of_today(older_store, write_sweep, name):
    """From an older store, one with newer rows beside, and one merged since; in pandas and SQL."""
    files = pd.concat(map(pd.read_parquet, sorted((older_store / "runs").iterdir())))
    expected = files.set_index("trial_id")[RENAMED_SINCE[name]]
    assert expected.notna().any()

    def check():
        runs = read_runs(older_store)
        assert RENAMED_SINCE[name] not in runs
        found = runs.set_index("trial_id")[name].loc[expected.index]
        pd.testing.assert_series_equal(found, expected, check_names=False)
        alone = read_runs(older_store, ["trial_id", name]).set_index("trial_id")[name]
        pd.testing.assert_series_equal(alone.loc[expected.index], expected, check_names=False)
        value = expected.dropna().iloc[0]
        assert expected.eq(value).sum() <= len(read_runs(older_store, where={name: value}))
        assert len(read_runs(older_store, where={name: value})) > 0
        with connect(older_store) as views:
            known = views.sql(f"select count({name}) from runs").fetchall()[0][0]
        assert known == runs[name].notna().sum() >= expected.notna().sum()

    check()
    run(write_sweep(**NUMBERS, seed="[2]"), Store(older_store, FULLY_CONNECTED))
    check()
    store = Store(older_store, FULLY_CONNECTED)
    assert list(verify(store)) == []
    with store.writing():
        compact(store)
    check()


@pytest.mark.parametrize(("name", "default", "other"), ADDED_SETTINGS)
def test_an_older_row_is_read_as_what_it_stood_for(older_store, write_sweep, name, default, other):
    """Before any newer row is there, and beside one; also where it is asked for."""
    old = len(read_runs(older_store))
    assert read_runs(older_store, [name])[name].tolist() == [default] * old
    new = run(
        write_sweep(**NUMBERS, **deciding(name), **{name: other}),
        Store(older_store, FULLY_CONNECTED),
    ).total()
    assert new == old
    assert len(read_runs(older_store, where={name: default})) == old
    assert read_runs(older_store)[name].value_counts().to_dict() == {default: old, other: new}
    with connect(older_store) as views:
        for value, count in ((default, old), (other, new)):
            counted = views.execute(f"select count(*) from runs where {name} = ?", [value])
            assert counted.fetchall() == [(count,)]


def test_status_says_where_versions_of_the_trainer_are_mixed(older_store, write_sweep):
    """Rows without a version are the first one's; a store of one version says nothing of it."""
    old = len(read_runs(older_store))
    said = CliRunner().invoke(app, ["status", str(older_store)]).stdout
    assert "by version" not in said
    new = run(write_sweep(**NUMBERS, seed="[2]"), Store(older_store, FULLY_CONNECTED)).total()
    said = CliRunner().invoke(app, ["status", str(older_store)])
    assert said.exit_code == 0
    assert f"{old:,} by version 1, {new:,} by version {TRAINER}" in said.stdout
    said = CliRunner().invoke(app, ["status", str(older_store), "--json"]).stdout
    assert json.loads(said)["trainers"] == {"1": old, TRAINER: new}


def with_thresholds(store, **changes):
    """Let the manifest of an older store name other thresholds; None: none of that name."""
    path = store / "manifest.json"
    manifest = json.loads(path.read_text())
    changed = {**manifest["thresholds"], **changes}
    manifest["thresholds"] = {n: number for n, number in changed.items() if number is not None}
    path.write_text(json.dumps(manifest))
    return manifest["thresholds"]


def test_status_says_where_rows_were_judged_by_several_thresholds(older_store, write_sweep):
    """What differs, by how many rows; older rows go by the manifest's entry of before."""
    before = with_thresholds(older_store, plateau=0.02)
    old = len(read_runs(older_store))
    said = CliRunner().invoke(app, ["status", str(older_store)]).stdout
    assert "several thresholds" not in said
    larger = write_sweep(**NUMBERS, seed="[2]")
    new = run(larger, Store(older_store, FULLY_CONNECTED)).total()
    said = CliRunner().invoke(app, ["status", str(older_store)]).stdout
    (line,) = [line for line in said.splitlines() if "several thresholds" in line]
    assert line == (
        f"judged by several thresholds: plateau 0.02 for {old:,} runs, 0.01 for {new:,} runs"
    )
    said = CliRunner().invoke(app, ["status", str(older_store), "--json"]).stdout
    assert json.loads(said)["judged_by"] == [
        {"runs": old, "thresholds": before},
        {"runs": new, "thresholds": dict(FULLY_CONNECTED.thresholds)},
    ]
    assert Store(older_store, FULLY_CONNECTED).manifest["thresholds"] == before


def test_status_says_nothing_of_thresholds_that_are_the_same(older_store, write_sweep):
    """Though older rows do not name theirs."""
    run(write_sweep(**NUMBERS, seed="[2]"), Store(older_store, FULLY_CONNECTED))
    assert "several thresholds" not in CliRunner().invoke(app, ["status", str(older_store)]).stdout


def test_a_threshold_that_came_later_is_unknown_of_older_rows(older_store, write_sweep):
    """Their store's manifest does not name it."""
    with_thresholds(older_store, plateau=None)
    run(write_sweep(**NUMBERS, seed="[2]"), Store(older_store, FULLY_CONNECTED))
    said = CliRunner().invoke(app, ["status", str(older_store)]).stdout
    assert "judged by several thresholds: plateau unknown for " in said


def test_every_new_row_names_its_thresholds(older_store, write_sweep):
    """And the manifest says what they are; verify finds where it does not."""
    larger = write_sweep(**NUMBERS, seed="[0, 1, 2]")
    new = run(larger, Store(older_store, FULLY_CONNECTED)).total()
    store = Store(older_store, FULLY_CONNECTED)
    digest = thresholds_digest(FULLY_CONNECTED.thresholds)
    found = pd.concat(pd.read_parquet(part) for part in sorted((older_store / "runs").iterdir()))
    assert found["thresholds"].value_counts().to_dict() == {digest: new}
    assert store.manifest["judged_by"] == {digest: dict(FULLY_CONNECTED.thresholds)}
    with store.writing():
        store.describe(judged_by={})
    (problem,) = verify(store)
    assert (problem.file, problem.part) == ("manifest.json", None)
    assert f"no entry '{digest}' in judged_by" in problem.problem


@pytest.mark.parametrize(("name", "default", "other"), ADDED_SETTINGS)
def test_old_and_new_rows_are_merged(older_store, write_sweep, name, default, other):
    """Nothing is missing afterwards, and an older row says what it stood for."""
    together = {name: f"[{default}, {other}]"}
    for partner, value in deciding(name).items():
        together |= {partner: f"[{DEFAULTS[partner]}, {value}]", "zip": f"[{name}, {partner}]"}
    larger = write_sweep(**NUMBERS, seed="[0, 1]", **together)
    old = len(pd.read_parquet(older_store / "runs"))
    new = run(larger, Store(older_store, FULLY_CONNECTED)).total()
    assert new == old
    store = Store(older_store, FULLY_CONNECTED)
    with store.writing():
        compact(store)
    assert list(verify(Store(older_store, FULLY_CONNECTED))) == []
    assert run(larger, Store(older_store, FULLY_CONNECTED)).total() == 0
    merged = pd.read_parquet(older_store / "runs")[name]
    assert merged.value_counts().to_dict() == {default: old, other: new}


def test_a_damaged_level_is_no_older_row(older_store, write_sweep):
    """A row whose level is not that of its id is named."""
    run(write_sweep(**NUMBERS, trained_level=0.5), Store(older_store, FULLY_CONNECTED))
    store = Store(older_store, FULLY_CONNECTED)
    path = store.path / "runs" / store.parts("runs")[-1].name
    rows = pq.read_table(path)
    place = rows.schema.get_field_index("trained_level")
    nothing = pa.nulls(len(rows), pa.float64())
    pq.write_table(rows.set_column(place, rows.schema.field(place), nothing), path)
    assert any("settings of another id" in each.problem for each in verify(store))


def test_a_failure_that_an_older_version_recorded_is_of_the_grid(write_sweep):
    """So it is forgotten once its trial is trained."""
    grid = write_sweep(**NUMBERS).grid
    recorded = values_of(grid[0])
    for name, _, _ in ADDED_SETTINGS:
        del recorded[name]
    assert recorded in grid
    assert recorded not in write_sweep(**NUMBERS, stop="decided").grid


def test_every_file_carries_its_version_units_and_meanings(older_store):
    """In the Parquet metadata, whatever reads it."""
    schema = pq.read_schema(next((older_store / "curves").iterdir()))
    assert schema.metadata[b"phasesweep_schema_version"] == str(SCHEMA_VERSION).encode()
    assert all(field.metadata[b"meaning"] and field.metadata[b"unit"] for field in schema)
