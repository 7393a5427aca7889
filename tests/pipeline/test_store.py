"""The store: what it refuses, that commits are whole, who may write."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pyarrow.dataset as ds
import pytest

from core.training import FULLY_CONNECTED
from core.trials import TRIAL_FIELDS
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.batches import batches
from pipeline.executors import run_serially
from pipeline.storage.schemas import SCHEMA_VERSION, thresholds_digest
from pipeline.storage.store import Store, StoreError, StoreInUseError

TABLES = ("runs", *FULLY_CONNECTED.tables)


@pytest.fixture
def batch_rows(small_sweep):
    """The rows of two batches."""
    work = sweeps.TrainBatch(FULLY_CONNECTED, sweeps.tasks(small_sweep))
    finished = plans.finished_indices(small_sweep.grid, Store("no such store", FULLY_CONNECTED))
    todo = batches(small_sweep.grid, FULLY_CONNECTED, small_sweep.infos, finished)
    return list(run_serially(work, list(todo)[:2]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", "mine", "no phasesweep store.*no manifest.json.*--store"),
        ("manifest.json", "{", "damaged"),
        ("manifest.json", "[]", "not a phasesweep manifest"),
        ("manifest.json", '{"format": "other"}', "not a phasesweep manifest"),
    ],
)
def test_a_folder_that_is_no_store_is_refused_and_left_alone(tmp_path, name, content, message):
    """The error names the folder, the reason and what to do."""
    (tmp_path / name).write_text(content)
    with pytest.raises(StoreError, match=message):
        Store(tmp_path, FULLY_CONNECTED)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_store(tmp_path):
    """A path to a file is not taken for a folder, and one below a file cannot be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        Store(tmp_path / "file", FULLY_CONNECTED)
    with (
        pytest.raises(StoreError, match=r"cannot read .*Not a directory.*--store"),
        Store(tmp_path / "file" / "store", FULLY_CONNECTED).writing(),
    ):
        pass


def test_a_store_of_another_schema_version_is_refused(tmp_path):
    """Both versions are named."""
    manifest = {"format": "phasesweep store", "schema_version": 999, "sweeps": []}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=f"999.*{SCHEMA_VERSION}"):
        Store(tmp_path, FULLY_CONNECTED)


def test_only_parquet_lies_in_the_tables_folders(batch_rows, tmp_path):
    """So pandas, Polars and DuckDB read them without a filter."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        store.commit(batch_rows)
    for table in TABLES:
        assert {path.suffix for path in (store.path / table).iterdir()} == {".parquet"}
    assert len(pd.read_parquet(store.path / "runs")) == sum(len(r.runs) for r in batch_rows)


def test_every_column_says_its_unit_and_meaning(batch_rows, tmp_path):
    """The data dictionary travels in the Parquet schema."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        store.commit(batch_rows)
    for table in TABLES:
        schema = ds.dataset(store.path / table).schema
        assert all(field.metadata[b"unit"] and field.metadata[b"meaning"] for field in schema)
    assert set(TRIAL_FIELDS) < set(ds.dataset(store.path / "runs").schema.names)


def test_the_manifest_names_the_thresholds_of_every_commit(batch_rows, tmp_path):
    """By their digests, those of before too."""
    other = replace(FULLY_CONNECTED, thresholds={"plateau": 0.5})
    for trainer in (FULLY_CONNECTED, other):
        store = Store(tmp_path / "store", trainer)
        with store.writing():
            assert thresholds_digest(trainer.thresholds) not in store.manifest.get("judged_by", {})
            store.commit(batch_rows)
    assert Store(tmp_path / "store", other).manifest["judged_by"] == {
        thresholds_digest(trainer.thresholds): dict(trainer.thresholds)
        for trainer in (FULLY_CONNECTED, other)
    }


def test_a_writer_killed_at_once_leaves_a_store(tmp_path):
    """Whatever a writer creates first, the folder is a store that the next can write."""
    (tmp_path / "lock").write_text("process 1 on nowhere")
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "half").write_text("{")
    with Store(tmp_path, FULLY_CONNECTED).writing():
        assert Store(tmp_path, FULLY_CONNECTED).exists
    assert not list((tmp_path / "staging").iterdir())


def test_a_writer_keeps_what_another_wrote_since_it_opened_the_store(grid_of, tmp_path):
    """The manifest is read again under the lock: no sweep is dropped from it."""
    axes = {name: list(values) for name, values in grid_of().axes.items()}
    first = {"name": "first", "axes": axes}
    early, late = (
        Store(tmp_path / "store", FULLY_CONNECTED),
        Store(tmp_path / "store", FULLY_CONNECTED),
    )
    with early.writing():
        early.describe(sweeps=[first])
    with late.writing():
        late.describe(note="second")
    assert Store(tmp_path / "store", FULLY_CONNECTED).manifest["sweeps"] == [first]


def test_a_path_that_the_system_refuses_is_reported(tmp_path):
    """The error names the folder, the system's reason and what to do."""
    with pytest.raises(StoreError, match=r"a{300}: File name too long; choose another --store"):
        Store(tmp_path / ("a" * 300), FULLY_CONNECTED)


def test_a_commit_that_never_came_to_its_runs_part_is_removed(batch_rows, tmp_path, monkeypatch):
    """A crash between the tables' files leaves no orphan: the trials are trained again."""
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    write = store.files.write

    def full_before_runs(name, content):
        if name.startswith("runs/"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(name, content)

    with store.writing():
        store.commit(batch_rows[:1])
        monkeypatch.setattr(store.files, "write", full_before_runs)
        with pytest.raises(OSError, match="No space"):
            store.commit(batch_rows[1:])
    (store.path / "staging" / "half").write_bytes(b"PAR1")
    resumed = Store(store.path, FULLY_CONNECTED)
    with resumed.writing():
        assert len(resumed.mended) == len(TABLES) - 1
    kept = {part.name for part in (store.path / "runs").iterdir()}
    assert len(kept) == 1
    for table in TABLES:
        assert {part.name for part in (store.path / table).iterdir()} == kept
    assert not list((store.path / "staging").iterdir())


def test_a_second_writer_is_told_who_holds_the_store(tmp_path):
    """Two drivers on one store: the second is refused and nothing is touched."""
    holder = (
        "import sys; from pipeline.storage.store import Store\n"
        "from core.training import FULLY_CONNECTED\n"
        f"with Store({str(tmp_path / 'store')!r}, FULLY_CONNECTED).writing():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(StoreInUseError, match=f"process {other.pid} "),
            Store(tmp_path / "store", FULLY_CONNECTED).writing(),
        ):
            pass
        other.stdin.close()
        other.wait()
    with Store(tmp_path / "store", FULLY_CONNECTED).writing():
        pass


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_store_that_cannot_be_written_is_told_before_anything_runs(tmp_path, monkeypatch, number):
    """Read-only, full or forbidden: the error names the store, the reason and what to do."""

    def refuse(files):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pipeline.storage.store.held", refuse)
    said = rf"^cannot write to .*: {os.strerror(number)}; choose another --store$"
    with (
        pytest.raises(StoreError, match=said),
        Store(tmp_path / "store", FULLY_CONNECTED).writing(),
    ):
        pass
