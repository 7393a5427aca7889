"""compact merges files: rows unchanged, whole at every moment, sorted."""

import json
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.storage import compaction
from pipeline.storage.compaction import CompactionError, compact
from pipeline.storage.schemas import schemas
from pipeline.storage.store import DamagedStoreError, Store
from pipeline.storage.verification import verify

TABLES = ("runs", *FULLY_CONNECTED.tables)


@pytest.fixture
def store(own_store):
    """A store of many small files."""
    return own_store


def sorted_rows(store, table):
    frame = pd.read_parquet(store.path / table)
    keys = ["trial_id"] if table == "runs" else ["trial_id", frame.columns[1]]
    return frame.sort_values(keys, ignore_index=True)


def test_rows_are_unchanged_in_one_sorted_file_a_table(store):
    """And the columns keep their units and meanings."""
    before = {table: sorted_rows(store, table) for table in TABLES}
    with store.writing():
        counts = compact(store)
    for table, schema in schemas(FULLY_CONNECTED).items():
        assert counts[table][0] > 1
        (part,) = (store.path / table).iterdir()
        assert pq.read_schema(part).equals(schema, check_metadata=True)
        pd.testing.assert_frame_equal(before[table], sorted_rows(store, table), check_exact=True)
    runs = pd.read_parquet(store.path / "runs")
    assert runs["depth"].is_monotonic_increasing
    assert list(verify(store)) == []


def test_a_compacted_store_goes_on(small_sweep, store):
    """Nothing is trained again, and new commits follow the merged ones."""
    with store.writing():
        compact(store)
        assert len(plans.finished_indices(small_sweep.grid, store)) == small_sweep.grid.size
        assert compact(store) == dict.fromkeys(TABLES, (1, 1))


def test_a_table_without_rows_keeps_its_commits(write_sweep, tmp_path, monkeypatch):
    """As `layers` where nothing was measured: the compacted store is sound, and can go on."""
    monkeypatch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
    monkeypatch.setattr(sweeps, "COMMIT_SECONDS", 0.0)
    sweep, store = write_sweep(measure="[]"), Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)
        assert compact(store)["layers"][1] == 1
    assert list(verify(store)) == []
    with store.writing():
        assert len(plans.finished_indices(sweep.grid, store)) == sweep.grid.size


def test_many_rows_make_several_files(store, monkeypatch):
    """No file grows without bound; together they hold every row once."""
    monkeypatch.setattr(compaction, "ROWS_PER_PART", 100)
    monkeypatch.setattr(compaction, "ROWS_PER_GROUP", 50)
    rows = len(pd.read_parquet(store.path / "runs"))
    with store.writing():
        compact(store)
    assert len(store.parts("runs")) == 2
    assert pd.read_parquet(store.path / "runs")["trial_id"].nunique() == rows
    assert list(verify(store)) == []


# A compaction for each line of a store, a step, a table, and when: it kills itself there. Each is a
# process of its own, forked from one that has imported all that it needs.
KILLED = """
import json, os, signal, sys
from core.training import FULLY_CONNECTED
from pipeline.storage import compaction
from pipeline.storage.store import Store

def compact_until(path, step, table, when):
    module, name = (compaction.shutil, "rmtree") if step == "shutil.rmtree" else (compaction, step)
    original = getattr(module, name)

    def killed(*arguments, **options):
        if table in " ".join(map(str, arguments)):
            if when == "after":
                original(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(module, name, killed)
    store = Store(path, FULLY_CONNECTED)
    with store.writing():
        compaction.compact(store)

for line in sys.stdin:
    child = os.fork()
    if not child:
        compact_until(*json.loads(line))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def compact_until():
    """Compacts a store until a step of a table; returns the exit code of that process."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=pipe, stdout=pipe, text=True
    ) as process:

        def compact_until(*arguments):
            print(json.dumps(arguments), file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield compact_until


@pytest.mark.parametrize("step", ["_write_sorted", "_exchange", "shutil.rmtree"])
@pytest.mark.parametrize("table", ["runs", "curves"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_step_leaves_every_row_once(store, compact_until, step, table, when):
    """Before or after each step, of the first or the last table; the next writer clears up."""
    before = {name: sorted_rows(store, name) for name in TABLES}
    assert compact_until(str(store.path), step, table, when) == -9
    for name in TABLES:
        pd.testing.assert_frame_equal(before[name], sorted_rows(store, name), check_exact=True)
    with Store(store.path, FULLY_CONNECTED).writing():
        assert list(verify(store)) == []
    assert not list((store.path / "staging").iterdir())


def test_a_lost_file_of_a_compacted_range_is_noticed(store, monkeypatch):
    """The files of a range are counted in their names: a writer refuses the store."""
    monkeypatch.setattr(compaction, "ROWS_PER_PART", 100)
    monkeypatch.setattr(compaction, "ROWS_PER_GROUP", 50)
    with store.writing():
        compact(store)
    (store.path / "runs" / store.parts("runs")[1].name).unlink()
    with pytest.raises(DamagedStoreError, match=r"runs has lost commits 1 to \d+; .*--repair"):
        store.writing().__enter__()


def test_a_damaged_file_that_needs_no_merge_is_noticed(small_sweep, store):
    """Also where a table has one file alone."""
    with store.writing():
        compact(store)
        path = store.path / "runs" / store.parts("runs")[0].name
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(compaction.CompactionError, match="runs could not be merged"):
            compact(store)


def test_a_full_disk_ends_a_compaction_in_a_line(store, monkeypatch):
    """The rows are as they were, and the next compaction goes through."""
    before = {table: sorted_rows(store, table) for table in TABLES}

    def full(folder):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "sync", full)
        with (
            store.writing(),
            pytest.raises(CompactionError, match=r"/runs could not be merged: .*No space left"),
        ):
            compact(store)
    for table in TABLES:
        pd.testing.assert_frame_equal(before[table], sorted_rows(store, table), check_exact=True)
    with store.writing():
        assert compact(store)["runs"][1] == 1
