"""A store in Google Cloud Storage: the same promises, against a real server over HTTP."""

import pyarrow.dataset as ds
import pytest

from analysis.reading.stores import read_runs
from analysis.reading.views import connect
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline.executors import run_serially
from pipeline.storage import locks
from pipeline.storage.compaction import compact_into
from pipeline.storage.store import Store, StoreInUseError
from pipeline.storage.verification import set_aside, verify
from pipeline.sweep import run_sweep

from .gcs import gcs_server
from .s3 import BUCKET

TABLES = ("runs", *FULLY_CONNECTED.tables)


@pytest.fixture
def location(monkeypatch):
    """A prefix in a bucket, which takes clients without credentials."""
    monkeypatch.setattr(locks, "SETTLING_SECONDS", 0.01)
    with gcs_server() as address:
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", address)
        yield f"gs://anonymous@{BUCKET}/sweep"


def opened(location):
    return Store(location, FULLY_CONNECTED)


def run(sweep, store):
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        return run_sweep(sweep, finished, store, run_serially, lambda found: None).outcomes.total()


def rows(store, table):
    dataset = ds.dataset(f"{store.files.root}/{table}", filesystem=store.files.filesystem)
    columns = [name for name in dataset.schema.names if name not in ("wall_seconds", "batch_id")]
    keys = [(name, "ascending") for name in ("trial_id", "layer", "step") if name in columns]
    return dataset.to_table(columns=columns).sort_by(keys)


def test_a_store_in_gs_keeps_the_promises_of_a_local_one(small_sweep, location, tmp_path):
    """The same rows; one writer; resumed, read, compacted; what is damaged is trained again."""
    local, store = opened(tmp_path / "local"), opened(location)
    run(small_sweep, local)
    assert run(small_sweep, store) == small_sweep.grid.size
    assert all(rows(local, table).equals(rows(store, table)) for table in TABLES)
    with store.writing(), pytest.raises(StoreInUseError, match=r"written by process \d+ on"):
        opened(location).writing().__enter__()
    assert run(small_sweep, opened(location)) == 0
    assert len(read_runs(location)) == small_sweep.grid.size
    with connect(location) as views:
        assert views.sql("select count(*) from runs").fetchall() == [(small_sweep.grid.size,)]

    with store.writing():
        compact_into(store, opened(f"{location}-compact"))
    compacted = opened(f"{location}-compact")
    assert list(verify(compacted)) == []
    assert all(rows(local, table).equals(rows(compacted, table)) for table in TABLES)

    file = f"runs/{store.parts('runs')[0].name}"
    store.files.write(file, store.files.read(file)[:-50])
    with store.writing(mend=False):
        set_aside(store, list(verify(store)))
    assert run(small_sweep, store) == small_sweep.grid.size
    assert all(rows(local, table).equals(rows(store, table)) for table in TABLES)
