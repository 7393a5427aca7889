"""verify names whatever is wrong with a store; a repair costs just what was lost."""

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.reading.stores import DamagedTableError, read_runs
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.storage.store import DamagedStoreError, Store
from pipeline.storage.verification import set_aside, verify


def run(sweep, store):
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)


@pytest.fixture
def store(own_store):
    """A sound store of several commits."""
    return own_store


def problems(store):
    found = {}
    for problem in verify(store):
        found.setdefault(problem.file, problem.problem)
    return found


def part(store, table, number=1):
    return store.path / table / store.parts(table)[number].name


def rewrite(path, change):
    rows = pq.read_table(path)
    pq.write_table(change(rows), path)


def with_column(name, values):
    def change(rows):
        place = rows.column_names.index(name)
        return rows.set_column(place, rows.schema.field(name), [values(rows[name].to_pylist())])

    return change


def test_a_sound_store_has_no_problem(store):
    """Every promise holds after several commits."""
    assert problems(store) == {}


def test_a_flipped_byte_is_found_by_its_checksum(store):
    """In the middle of a page, where Parquet itself would notice nothing."""
    path = part(store, "curves")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    assert "cannot be read" in problems(store)[f"curves/{path.name}"]


def test_a_column_whose_name_is_damaged_is_found(store):
    """The names have no checksum; what is no text is damage, for readers too."""
    path = part(store, "runs")
    path.write_bytes(path.read_bytes().replace(b"learning_rate", b"learning\xffrate"))
    assert "cannot be read" in problems(store)[f"runs/{path.name}"]
    with pytest.raises(DamagedTableError, match=r"verify .* --repair"):
        read_runs(store.path)


@pytest.mark.parametrize("table", ["runs", "layers", "curves"])
def test_a_truncated_file_is_named(store, table):
    """And reading the table says so too, with the remedy."""
    path = part(store, table)
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be read" in problems(store)[f"{table}/{path.name}"]
    with pytest.raises(DamagedStoreError, match=r"verify .* --repair"):
        list(store.batches(table, ["trial_id"]))


@pytest.mark.parametrize("number", [1, -1])
@pytest.mark.parametrize("table", ["runs", "layers", "curves"])
def test_a_missing_file_is_named_by_its_commit(store, table, number):
    """Be it the newest; a run refuses the store and says how to repair it."""
    commit = store.parts(table)[number].last
    part(store, table, number).unlink()
    assert problems(store)[table] == f"the part with commit {commit} is missing"
    said = rf"lost commit {commit}.*--repair"
    with pytest.raises(DamagedStoreError, match=said), store.writing():
        pass


@pytest.mark.parametrize("name", ["notes.txt", "runs/x.parquet", "layers/_SUCCESS"])
def test_a_foreign_file_is_named(store, name):
    """Wherever it lies."""
    (store.path / name).write_text("mine")
    assert "move it away" in problems(store)[name]


def test_rows_outside_the_schema_are_named(store):
    """NaN, an unknown outcome, a missing setting, a changed setting, another type."""
    changes = [
        ("tail_loss", lambda values: [np.nan, *values[1:]], "NaN or infinite"),
        ("outcome", lambda values: ["great", *values[1:]], "outcome 'great'"),
        ("width", lambda values: [None, *values[1:]], "without 'width'"),
        ("init_scale", lambda values: [9.9, *values[1:]], "settings of another id"),
    ]
    for number, (column, values, message) in enumerate(changes):
        path = part(store, "runs", 0)
        kept = path.read_bytes()
        rewrite(path, with_column(column, values))
        assert message in problems(store)[f"runs/{path.name}"], number
        path.write_bytes(kept)
    path = part(store, "runs", 0)
    rewrite(path, lambda rows: rows.set_column(1, "dataset", [pa.array(range(len(rows)))]))
    assert "as int64, expected string" in problems(store)[f"runs/{path.name}"]


def test_a_doubled_trial_is_named(store):
    """The same rows in a second part."""
    path = part(store, "runs", 0)
    shutil.copy(
        path, path.with_name(path.name.replace("part-00000001-00000001", "part-00000001-00000002"))
    )
    assert any("which has a row already" in problem for problem in problems(store).values())


def test_rows_without_a_run_are_named(store):
    """A curve whose trial has no row in runs."""
    path = part(store, "curves", 0)
    rewrite(path, with_column("trial_id", lambda values: ["f" * 24, *values[1:]]))
    assert "without a run" in problems(store)[f"curves/{path.name}"]


@pytest.mark.parametrize("table", ["runs", "layers"])
@pytest.mark.parametrize("damage", ["truncate", "remove"])
def test_a_repair_costs_just_the_damaged_commit(small_sweep, store, table, damage):
    """Set aside, run again: the same rows as before, and only the lost ones trained."""
    before = pd.read_parquet(store.path / "runs").drop(columns=["wall_seconds"])
    path, held = part(store, table), len(pq.read_table(part(store, "runs")))
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.unlink()
    with store.writing(mend=False):
        moved = set_aside(store, list(verify(store)))
    assert len(moved) == (3 if damage == "truncate" else 2)
    assert run(small_sweep, store).outcomes.total() == held
    assert problems(store) == {}
    after = pd.read_parquet(store.path / "runs").drop(columns=["wall_seconds"])
    pd.testing.assert_frame_equal(
        before.sort_values("trial_id", ignore_index=True).drop(columns="batch_id"),
        after.sort_values("trial_id", ignore_index=True).drop(columns="batch_id"),
        check_exact=True,
    )


def test_a_commit_that_lands_meanwhile_is_left_for_the_next_time(small_sweep, tmp_path):
    """Its layers are no rows without a run: only what was there at the start is judged."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    run(small_sweep, store)
    found = verify(store)
    layers = part(store, "layers", 0)
    later = layers.with_name(layers.name.replace("00000001-00000001", "00000002-00000002"))
    original = store.parts

    def parts(table):
        if table == "layers" and not later.exists():
            shutil.copy(layers, later)
        return original(table)

    store.parts = parts
    assert list(found) == []
    assert later.exists()


def test_doubled_rows_are_set_aside_with_their_runs(small_sweep, store):
    """Layers that stand in two parts: both go, their trials are trained again, once."""
    path = part(store, "layers", 0)
    second = store.parts("layers")[1]
    rows = pa.concat_tables(
        [pq.read_table(path), pq.read_table(store.path / "layers" / second.name)]
    )
    pq.write_table(rows, store.path / "layers" / second.name)
    assert any("rows lacking or doubled in layers" in said for said in problems(store).values())
    with store.writing(mend=False):
        set_aside(store, list(verify(store)))
    assert run(small_sweep, store).outcomes.total() > 0
    assert problems(store) == {}
    assert pd.read_parquet(store.path / "runs")["trial_id"].nunique() == small_sweep.grid.size
