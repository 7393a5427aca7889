"""Another trainer through the whole pipeline: settings and columns of its own, and no data.

It walks: each step adds a kick and takes a share of the walk so far. Its second version has
two settings more, whose defaults a row of the first one stands for.
"""

import json
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.reading.queries import answer
from analysis.reading.stores import read_runs
from core.settings import Trials, setting, trial_id
from core.trainers import Column, Table, Trainer
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.best_runs import best_columns
from pipeline.executors import run_on_ray, run_serially
from pipeline.plans import plan
from pipeline.storage.compaction import compact
from pipeline.storage.store import Store, StoreError
from pipeline.storage.verification import verify
from pipeline.sweep_files.loading import SweepFileError, load_sweep

SWEEP = """
name: walks
damping: [0.0, 0.5, 1.0e+200]
start: [origin, ledge]
kick: {geomspace: [0.25, 4, 3]}
seed: [0, 1, 2, 3]
steps: 6
"""
TRIALS = 72

# The settings that came later: what a row of before stands for, and another value.
LATER = {"drift": (0.25, 0.5), "reflected": (False, True)}


def first_version():
    """The trainer; made in a function, its code travels to Ray's workers with it."""

    @dataclass(frozen=True, kw_only=True)
    class Walk:
        damping: float = setting("lost per step, a share", remedy="as in damping: 0.5", least=0)
        seed: int = setting("seed of the kicks", written=0, least=0, differs_within="batch")
        start: str = setting("where it starts", "name", choices=("origin", "ledge"))
        steps: int = setting("kicks", "steps", written=10, least=1, most=1000)
        kick: float = setting("their deviation", "m", above=0, differs_within="start")

    return trainer_of(Walk)


def second_version():
    """Likewise; rows of the first version walked with the drift that was fixed then."""

    @dataclass(frozen=True, kw_only=True)
    class Walk:
        damping: float = setting("lost per step, a share", remedy="as in damping: 0.5", least=0)
        seed: int = setting("seed of the kicks", written=0, least=0, differs_within="batch")
        start: str = setting("where it starts", "name", choices=("origin", "ledge"))
        steps: int = setting("kicks", "steps", written=10, least=1, most=1000)
        kick: float = setting("their deviation", "m", above=0, differs_within="start")
        drift: float = setting("added per step", "m", default=0.25, remedy="as in drift: 0.5")
        reflected: bool = setting("whether it bounces off 0", "truth", default=False)

    return trainer_of(Walk)


def trainer_of(trials):
    def walked(trial):
        place, path = {"origin": 0.0, "ledge": 1.0}[trial.start], []
        for kick in np.random.default_rng(trial.seed).normal(0, trial.kick, trial.steps).tolist():
            place += getattr(trial, "drift", 0.25) + kick - trial.damping * place
            place = abs(place) if getattr(trial, "reflected", False) else place
            path.append(place)
        return path

    def train(trials, task):
        paths = np.array([walked(trial) for trial in trials])
        ends, (count, steps) = paths[:, -1], paths.shape
        near = np.where(np.abs(ends) < 1, "near", "far")
        return {
            "runs": {
                "outcome": np.where(np.isfinite(ends), near, "lost"),
                "end": ends,
                "last_negative": [max(np.flatnonzero(p < 0), default=None) for p in paths],
                "rose": ends > paths[:, 0],
            },
            "paths": {
                "place": np.repeat(np.arange(count), steps),
                "step": np.tile(np.arange(1, steps + 1), count),
                "height": paths.ravel(),
            },
        }

    return Trainer(
        trial=trials,
        results=(
            Column("outcome", str, "where it ended", "name", ("lost", "near", "far"), True),
            Column("end", float, "after the last step; NULL if lost", "m"),
            Column("last_negative", int, "step", "steps"),
            Column("rose", bool, "whether it ended above its first step", "truth"),
        ),
        tables={
            "paths": Table(
                (Column("step", int, "1 is the first", "steps"), Column("height", float, "", "m")),
                lambda trial: range(trial.steps, trial.steps + 1),
            )
        },
        train=train,
        seconds=lambda trial, data: 0.05,
        version="walk 1",
        thresholds={"near": 1.0},
    )


@pytest.fixture
def first():
    """The trainer's first version."""
    return first_version()


@pytest.fixture
def second():
    """Its second version, with two settings more."""
    return second_version()


@pytest.fixture
def load(tmp_path):
    """Loads the sweep file of a trainer, with lines added."""

    def load(trainer, *lines):
        path = tmp_path / "walks.yaml"
        path.write_text("\n".join([SWEEP, *lines]))
        return load_sweep(str(path), trainer)

    return load


def run(sweep, store, execute=run_serially):
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, execute, lambda found: None)


def rows(store, table="runs"):
    """A table in one order, without what depends on how its rows came to be."""
    frame = pd.concat([pd.read_parquet(part) for part in sorted((store.path / table).iterdir())])
    keys = ["trial_id"] if table == "runs" else ["trial_id", "step"]
    return frame.drop(columns="batch_id", errors="ignore").sort_values(keys, ignore_index=True)


def asked(store, sql):
    """The rows that `phasesweep query` answers with."""
    return [tuple(row.values()) for batch in answer(store, sql) for row in batch.to_pylist()]


def assert_same_rows(store, other):
    for table in ("runs", "paths"):
        pd.testing.assert_frame_equal(rows(store, table), rows(other, table), check_exact=True)


@pytest.mark.parametrize("execute", [run_serially, run_on_ray])
def test_a_sweep_of_another_trainer_is_run_and_its_rows_are_sound(
    first, load, tmp_path, local_ray, execute
):
    """A row per cell, with what the trainer returns of it alone; nothing is run twice."""
    sweep, store = load(first), Store(tmp_path / "store", first)
    assert plan(sweep, plans.finished_indices(sweep.grid, store)).remaining == TRIALS
    report = run(sweep, store, execute)
    assert (report.outcomes.total(), report.failures) == (TRIALS, [])
    assert set(report.outcomes) == set(first.outcomes)
    found = rows(store).set_index("trial_id")
    for trial in map(sweep.grid.__getitem__, (0, TRIALS // 2, TRIALS - 1)):
        alone = first.train(Trials.of([trial]), None)["runs"]["end"][0]
        row = found.loc[trial_id(trial)]
        assert row["end"] == alone or (np.isnan(row["end"]) and not np.isfinite(alone))
        assert (row["kick"], row["start"]) == (trial.kick, trial.start)
    assert len(rows(store, "paths")) == 6 * TRIALS
    assert run(sweep, store).outcomes.total() == 0
    assert list(verify(store)) == []
    planned = plan(sweep, plans.finished_indices(sweep.grid, store))
    assert (planned.remaining, planned.flops) == (0, None)


def test_serial_and_ray_write_the_same_rows(first, load, tmp_path, local_ray):
    """Bit for bit, in both tables."""
    stores = [Store(tmp_path / name, first) for name in ("serial", "ray")]
    for store, execute in zip(stores, (run_serially, run_on_ray), strict=True):
        run(load(first), store, execute)
    assert_same_rows(*stores)


def test_a_run_that_was_cut_goes_on(first, load, tmp_path, monkeypatch):
    """After about half of its batches; the rows are those of a run that was not."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.2)
    whole, cut = Store(tmp_path / "whole", first), Store(tmp_path / "cut", first)
    run(load(first), whole)

    def interrupted(work, todo):
        for number, found in enumerate(run_serially(work, todo)):
            yield found
            if number == 8:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(load(first), cut, interrupted)
    kept = len(rows(cut))
    assert 0 < kept < TRIALS
    assert run(load(first), cut).outcomes.total() == TRIALS - kept
    assert_same_rows(whole, cut)
    assert list(verify(cut)) == []


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("outcome", "nowhere", "outcome 'nowhere'; known are lost, near, far"),
        ("outcome", None, "without 'outcome'"),
        ("start", None, "without 'start'"),
        ("steps", None, "without 'steps'"),
        ("damping", 0.75, "settings of another id"),
    ],
)
def test_damage_is_found_by_what_the_trainer_describes(
    first, load, tmp_path, column, values, message
):
    """Names, required columns and ids."""
    store = Store(tmp_path / "store", first)
    run(load(first), store)
    (path,) = (store.path / "runs").iterdir()
    found = pq.read_table(path)
    place, field = found.column_names.index(column), found.schema.field(column)
    changed = pa.array([values, *found[column].to_pylist()[1:]], field.type)
    pq.write_table(found.set_column(place, field, changed), path)
    assert any(message in problem.problem for problem in verify(store))


def test_a_file_without_a_setting_that_every_version_had_is_damaged(first, load, tmp_path):
    """No version wrote rows without it, so there is nothing that they could stand for."""
    store = Store(tmp_path / "store", first)
    run(load(first), store)
    (path,) = (store.path / "runs").iterdir()
    pq.write_table(pq.read_table(path).drop_columns("steps"), path)
    (said, *_) = [problem.problem for problem in verify(store)]
    assert said == f"has {TRIALS} rows without 'steps'"


def test_rows_lacking_in_a_further_table_are_found(first, load, tmp_path):
    """The trainer says how many a trial has."""
    store = Store(tmp_path / "store", first)
    run(load(first), store)
    (path,) = (store.path / "paths").iterdir()
    pq.write_table(pq.read_table(path)[1:], path)
    assert any("1 trials with rows lacking or doubled in paths" in p.problem for p in verify(store))


def test_a_compacted_store_is_sorted_by_the_trainers_settings(first, load, tmp_path, monkeypatch):
    """Those that a batch shares before those in which its trials differ."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.2)
    monkeypatch.setattr(sweeps, "COMMIT_SECONDS", 0.0)
    store, other = Store(tmp_path / "store", first), Store(tmp_path / "other", first)
    run(load(first), store)
    run(load(first), other)
    with store.writing():
        assert compact(store)["runs"][0] > 1
    assert_same_rows(store, other)
    (path,) = (store.path / "runs").iterdir()
    found = pd.read_parquet(path, columns=["damping", "start", "steps", "seed", "kick"])
    assert found.equals(found.sort_values(list(found.columns), ignore_index=True))
    (path,) = (store.path / "paths").iterdir()
    found = pd.read_parquet(path, columns=["trial_id", "step"])
    assert found.equals(found.sort_values(["trial_id", "step"], ignore_index=True))
    assert list(verify(store)) == []


def test_its_rows_are_read_by_sql_pandas_and_polars(first, load, tmp_path):
    """The same counts, with NULL where a number does not exist."""
    store = Store(tmp_path / "store", first)
    outcomes = run(load(first), store).outcomes
    sql = 'select outcome, count(*), count("end") from runs group by outcome'
    counts = {(name, n, 0 if name == "lost" else n) for name, n in outcomes.items()}
    assert set(asked(store.path, sql)) == counts
    assert read_runs(store.path)["outcome"].value_counts().to_dict() == outcomes
    by_polars = pl.read_parquet(store.path / "runs")["outcome"].value_counts()
    assert dict(by_polars.iter_rows()) == outcomes


def test_our_own_reading_of_a_best_run_leaves_it_alone(first):
    """It has no losses, of which one is a share of the best constant's."""
    assert best_columns(first) == []
    assert best_columns(FULLY_CONNECTED)


def test_a_store_of_another_trainer_is_refused(first, load, tmp_path):
    """Rather than found empty, and filled with what has other columns."""
    store = Store(tmp_path / "store", first)
    run(load(first), store)
    with pytest.raises(StoreError, match=r"another trainer .*: walks has the axis 'damping'"):
        Store(store.path, FULLY_CONNECTED)


def test_a_store_of_a_trainer_with_fewer_settings_is_refused(first, load, tmp_path):
    """Its rows are sound, and would be of other ids here."""

    @dataclass(frozen=True, kw_only=True)
    class TiredWalk(first.trial):
        tired: float = setting("share by which each kick is smaller")

    store = Store(tmp_path / "store", first)
    run(load(first), store)
    with pytest.raises(StoreError, match=r"another trainer .*: walks has no axis 'tired'; use"):
        Store(store.path, replace(first, trial=TiredWalk))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dataset: digits", "dataset"),
        ("learning_rate: 0.1", "learning_rate"),
        ("start: cliff", "origin.*ledge"),
        ("damping: -1", "damping"),
    ],
)
def test_a_wrong_sweep_file_is_refused_by_the_trainers_settings(first, tmp_path, line, message):
    """Fields of data and of other trainers are none of its own."""
    kept = [each for each in SWEEP.splitlines() if each.split(":")[0] != line.split(":")[0]]
    (tmp_path / "walks.yaml").write_text("\n".join([*kept, line]))
    with pytest.raises(SweepFileError, match=f"(?s){message}"):
        load_sweep(str(tmp_path / "walks.yaml"), first)


def test_a_trial_that_fails_is_recorded_until_it_is_trained(first, load, tmp_path):
    """By its id and settings, and all others have their rows."""
    sweep, store = load(first), Store(tmp_path / "store", first)
    culprit = sweep.grid[40]

    def failing(work, todo):
        def raising(batch):
            if trial_id(culprit) in batch.trials.ids():
                raise RuntimeError("planted")
            return work(batch)

        return run_serially(raising, todo)

    report = run(sweep, store, failing)
    assert [failure.trial for failure in report.failures] == [culprit]
    (recorded,) = Store(store.path, first).manifest["failures"]
    assert (recorded["trial_id"], recorded["settings"]["kick"]) == (trial_id(culprit), culprit.kick)
    assert run(sweep, Store(store.path, first)).outcomes.total() == 1
    assert Store(store.path, first).manifest["failures"] == []


# From here on: a store of the first version in the hands of the second.


@pytest.fixture
def older(first, load, tmp_path):
    """The folder of a finished store of the first version."""
    store = Store(tmp_path / "store", first)
    run(load(first), store)
    return store.path


@pytest.fixture
def mixed(older, second, load):
    """The same with rows of the second version for other values of what came later."""
    for name, (_, other) in LATER.items():
        assert run(load(second, f"{name}: {json.dumps(other)}"), Store(older, second)).outcomes
    return older


def test_the_ids_of_a_trial_do_not_change(first, second, load):
    """Nor the order of the grid: a setting is hashed where it differs from its default."""
    old, new = load(first).grid, load(second).grid
    assert [trial_id(old[n]) for n in range(TRIALS)] == [trial_id(new[n]) for n in range(TRIALS)]
    assert new[0].drift == 0.25
    assert new[0].reflected is False


def test_an_older_row_is_not_trained_again(older, second, load):
    """It is sound and finished, and only what is new is trained, beside it."""
    assert list(verify(Store(older, second))) == []
    assert run(load(second), Store(older, second)).outcomes.total() == 0
    for name, (default, other) in LATER.items():
        lines = f"{name}: [{json.dumps(default)}, {json.dumps(other)}]"
        assert run(load(second, lines), Store(older, second)).outcomes.total() == TRIALS
    assert list(verify(Store(older, second))) == []
    assert rows(Store(older, second))["trial_id"].is_unique


def test_an_older_row_is_no_row_of_another_value(older, second, load):
    """Its trial is that of the defaults alone."""
    store = Store(older, second)
    for name, (default, other) in LATER.items():
        for value, count in ((default, TRIALS), (other, 0)):
            grid = load(second, f"{name}: {json.dumps(value)}").grid
            assert len(plans.finished_indices(grid, store)) == count


def test_a_compaction_writes_what_older_rows_stand_for(mixed, second):
    """In the setting's own type, so that any reader finds them; numbers stay what they were."""
    before = rows(Store(mixed, second))[["trial_id", "end", "rose"]]
    store = Store(mixed, second)
    with store.writing():
        compact(store)
    (path,) = (mixed / "runs").iterdir()
    for name, (default, other) in LATER.items():
        column = pq.read_table(path)[name]
        assert column.null_count == 0
        assert column.type == {float: pa.float64(), bool: pa.bool_()}[type(default)]
        assert column.to_pylist().count(other) == TRIALS
        assert column.to_pylist().count(default) == 2 * TRIALS
    pd.testing.assert_frame_equal(before, rows(store)[before.columns], check_exact=True)
    assert list(verify(Store(mixed, second))) == []
    counted = duckdb.sql(f"select count(*) from '{path}' where not reflected").fetchall()
    assert counted == [(2 * TRIALS,)]


def defaults_in(folder):
    """What older rows stand for, as the newest file says it to a reader without our code."""
    schema = pq.read_schema(max((folder / "runs").iterdir()))
    about = {field.name: field.metadata for field in schema}
    return {name: json.loads(a[b"default"]) for name, a in about.items() if b"default" in a}


def test_a_file_says_what_older_rows_stand_for(mixed, second):
    """In the metadata of its columns."""
    assert defaults_in(mixed) == {name: default for name, (default, _) in LATER.items()}


@pytest.mark.parametrize("name", LATER)
def test_duckdb_finds_older_rows_by_coalesce(mixed, name):
    """On the files themselves."""
    parts = f"read_parquet('{mixed}/runs/*.parquet', union_by_name = true)"
    default, _ = LATER[name]
    asked = f"select count(*) from {parts} where coalesce({name}, $1) = $1"
    assert duckdb.execute(asked, [defaults_in(mixed)[name]]).fetchall() == [(2 * TRIALS,)]
    assert defaults_in(mixed)[name] == default


@pytest.mark.parametrize("name", LATER)
def test_polars_finds_older_rows_by_fill_null(mixed, name):
    """On the files themselves."""
    parts = [pl.scan_parquet(part) for part in sorted((mixed / "runs").iterdir())]
    default, _ = LATER[name]
    filled = pl.col(name).fill_null(defaults_in(mixed)[name])
    found = pl.concat(parts, how="diagonal").filter(filled == default).collect()
    assert found.height == 2 * TRIALS
    assert found.select(filled).dtypes == [{float: pl.Float64, bool: pl.Boolean}[type(default)]]


@pytest.mark.parametrize("name", LATER)
def test_pandas_and_sql_read_older_rows_as_their_defaults(mixed, name):
    """By analysis, which finds the defaults in the files."""
    default, other = LATER[name]
    found = read_runs(mixed)[name]
    assert found.dtype == pd.Series([default]).dtype
    assert found.value_counts().to_dict() == {default: 2 * TRIALS, other: TRIALS}
    assert len(read_runs(mixed, where={name: default})) == 2 * TRIALS
    counted = f"select count(*) from runs where {name} = {json.dumps(default)}"
    assert asked(mixed, counted) == [(2 * TRIALS,)]
