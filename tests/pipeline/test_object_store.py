"""A store in S3: the same promises, against a real server over HTTP."""

import json
from dataclasses import asdict
from itertools import count
from math import inf
from time import time
from types import SimpleNamespace

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pytest

from analysis.reading.stores import read_runs
from analysis.reading.views import connect
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_on_ray, run_serially
from pipeline.storage import files, locks
from pipeline.storage.compaction import CompactionError, compact, compact_into
from pipeline.storage.locks import held
from pipeline.storage.store import Store, StoreError, StoreInUseError
from pipeline.storage.verification import set_aside, verify

from .s3 import BUCKET, Wire, environment, make_bucket, s3_server

TABLES = ("runs", *FULLY_CONNECTED.tables)
ATTEMPTS = 3


@pytest.fixture(scope="module")
def server():
    with s3_server() as port:
        make_bucket(port)
        yield port


@pytest.fixture
def wire(server, monkeypatch):
    """The way to the server, named by the environment as for any S3 client."""
    wire = Wire(server)
    monkeypatch.setattr(locks, "SETTLING_SECONDS", 0.01)
    for name, value in environment(wire.port).items():
        monkeypatch.setenv(name, value)
    yield wire
    wire.close()


@pytest.fixture
def hasty(wire, monkeypatch):
    """Arrow makes ATTEMPTS at a request, instead of some thirty in six seconds."""

    def from_uri(url):
        return pafs.S3FileSystem(
            endpoint_override=f"127.0.0.1:{wire.port}",
            scheme="http",
            retry_strategy=pafs.AwsDefaultS3RetryStrategy(ATTEMPTS - 1),
        ), url.removeprefix("s3://")

    system = SimpleNamespace(from_uri=from_uri)
    monkeypatch.setattr(files, "pafs", SimpleNamespace(**{**vars(pafs), "FileSystem": system}))


@pytest.fixture
def location(wire, request):
    """A prefix of the test's own."""
    return f"s3://{BUCKET}/{request.node.name.replace('[', '-').replace(']', '')}"


def opened(location):
    return Store(location, FULLY_CONNECTED)


def run(sweep, store, execute=run_serially):
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        return sweeps.run_sweep(sweep, finished, store, execute, lambda found: None).outcomes


def rows(store, table):
    dataset = ds.dataset(f"{store.files.root}/{table}", filesystem=store.files.filesystem)
    frame = (
        dataset.to_table().to_pandas().drop(columns=["wall_seconds", "batch_id"], errors="ignore")
    )
    keys = ["trial_id"] if table == "runs" else ["trial_id", frame.columns[1]]
    return frame.sort_values(keys, ignore_index=True)


def assert_equal(store, other):
    for table in TABLES:
        pd.testing.assert_frame_equal(rows(store, table), rows(other, table), check_exact=True)


@pytest.mark.parametrize("execute", [run_serially, run_on_ray])
def test_a_store_in_s3_holds_the_rows_of_a_local_one(
    small_sweep, kept_store, location, local_ray, execute
):
    """Bit for bit, with its manifest; running again trains nothing; verify finds it sound."""
    assert run(small_sweep, opened(location), execute).total() == small_sweep.grid.size
    assert_equal(kept_store, opened(location))
    assert run(small_sweep, opened(location)).total() == 0
    assert list(verify(opened(location))) == []
    assert opened(location).manifest["sweeps"][0]["name"] == "small"
    assert len(read_runs(location)) == small_sweep.grid.size
    with connect(location) as views:
        assert views.sql("select count(*) from runs").fetchall() == [(small_sweep.grid.size,)]


@pytest.mark.parametrize("table", ["layers", "runs"])
def test_an_upload_that_breaks_off_leaves_no_half_commit(
    small_sweep, kept_store, location, wire, hasty, monkeypatch, table
):
    """The run ends with the system's error; what was committed stays; a run resumes the rest."""
    store = opened(location)

    def execute(work, todo):
        for number, found in enumerate(run_serially(work, todo)):
            if number == 2:
                wire.cut = f"/{table}/".encode()
            yield found

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
        patch.setattr(sweeps, "COMMIT_SECONDS", 0.0)
        with pytest.raises(OSError, match=r"(?i)aws error|curl"):
            run(small_sweep, store, execute)
    assert wire.cuts > 0
    wire.cut = None
    committed = len(rows(store, "runs"))
    assert 0 < committed < small_sweep.grid.size
    assert run(small_sweep, opened(location)).total() == small_sweep.grid.size - committed
    assert_equal(kept_store, opened(location))
    assert list(verify(opened(location))) == []


@pytest.fixture
def pauses(hasty, monkeypatch):
    """The pauses that were made for the store, none of which lasts."""
    pauses = []
    monkeypatch.setattr(files, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("slowed", [1, ATTEMPTS + 1, 3 * ATTEMPTS + 1])
def test_a_store_that_asks_to_slow_down_is_asked_again(
    small_sweep, kept_store, location, wire, pauses, slowed
):
    """Be it at the first request or in the middle: every row is there once."""
    wire.slowed = slowed
    run(small_sweep, opened(location))
    assert (wire.slowed, wire.slow_answers) == (0, slowed)
    assert len(pauses) == slowed // ATTEMPTS  # Arrow repeats a request itself
    assert_equal(kept_store, opened(location))
    assert list(verify(opened(location))) == []


def test_a_store_that_stays_slow_is_left_after_a_while(location, wire, pauses, monkeypatch):
    """With the answer, and that the same command may go on later; the pauses grow."""
    clock = count(step=5)
    monkeypatch.setattr(files, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 30.0)
    wire.slowed = 10**6
    with pytest.raises(StoreError, match=r"SLOW_DOWN|status 503.*the same command goes on later"):
        opened(location)
    wire.slowed = 0
    assert 2 <= len(pauses) <= 6
    assert all(pause <= 2**n for n, pause in enumerate(pauses))
    assert pauses[-1] > pauses[0]


def test_what_is_no_throttling_is_said_at_once(location, wire, pauses):
    """A request that fails otherwise is not tried again and again."""
    store = opened(location)
    wire.cut = b"manifest"
    with pytest.raises(StoreError, match=r"cannot write .*; choose another --store"):
        store.writing().__enter__()
    assert pauses == []


@pytest.mark.parametrize("later", [b"longer_than_before", b"less"])
def test_an_object_that_is_replaced_while_it_is_read_is_read_whole(location, later):
    """As a lease that is renewed: half of one would be taken for none."""
    store = opened(location)
    store.files.write("note", b"the first")
    arrow = store.files.filesystem

    class Replacing:
        """Replaces the object as soon as its length was asked for."""

        def __getattr__(self, name):
            return getattr(arrow, name)

        def open_input_stream(self, path):
            stream = arrow.open_input_stream(path)
            with arrow.open_output_stream(path) as replaced:
                replaced.write(later)
            return stream

    store.files.filesystem = Replacing()
    assert store.files.read("note") == later


def test_a_second_writer_is_told_who_holds_the_lease(location):
    """Until it is given back."""
    holder = r"being written by process \d+ on"
    with opened(location).writing(), pytest.raises(StoreInUseError, match=holder):
        opened(location).writing().__enter__()
    with opened(location).writing():
        assert opened(location).exists


def test_a_lease_that_nobody_renews_is_free_after_a_while(location):
    """Its holder died: the next writer takes it over."""
    store = opened(location)
    dead = locks.Lease("dead", "process 1 on elsewhere", time() - locks.LEASE_SECONDS - 1)
    store.files.write(locks.LEASE, json.dumps(asdict(dead)).encode())
    with store.writing():
        assert json.loads(store.files.read(locks.LEASE))["token"] != "dead"


def _write_after_a_takeover(store):
    with store.writing():
        taken = locks.Lease("other", "process 1 on elsewhere", time())
        store.files.write(locks.LEASE, json.dumps(asdict(taken)).encode())
        store.describe(note="mine")


def test_a_writer_that_lost_its_lease_writes_nothing(location):
    """Another process took over while this one was silent: it stops before it writes."""
    with pytest.raises(locks.LeaseLostError, match="taken over by process 1 on elsewhere"):
        _write_after_a_takeover(opened(location))
    assert "note" not in opened(location).manifest


def test_a_writer_that_loses_its_lease_within_a_commit_adds_no_row(small_sweep, location):
    """The store was slow for longer than a lease lasts: `runs`, the last table, gets no part."""
    store = opened(location)
    write = store.files.write

    def slow(name, content):
        write(name, content)
        if not name.endswith(".json"):
            taken = locks.Lease("other", "process 1 on elsewhere", time())
            write(locks.LEASE, json.dumps(asdict(taken)).encode())

    store.files.write = slow
    with pytest.raises(locks.LeaseLostError):
        run(small_sweep, store)
    assert store.parts("runs") == []


def test_a_damaged_object_is_set_aside_and_trained_again(small_sweep, location):
    """verify and repair by the same code as on a local disk."""
    store = opened(location)
    run(small_sweep, store)
    file = f"runs/{store.parts('runs')[0].name}"
    store.files.write(file, store.files.read(file)[:-50])
    with store.writing(mend=False):
        set_aside(store, list(verify(store)))
    assert run(small_sweep, store).total() == small_sweep.grid.size
    assert list(verify(store)) == []


@pytest.fixture
def of_three_commits(small_sweep, location, monkeypatch):
    """A store in the bucket with three files a table."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 8)
    monkeypatch.setattr(sweeps, "COMMIT_SECONDS", inf)
    monkeypatch.setattr(sweeps, "COMMIT_ROWS", 5 * small_sweep.grid.size)  # of all tables
    store = opened(location)
    run(small_sweep, store)
    assert len(store.parts("runs")) == 3
    return store


def test_a_store_in_a_bucket_is_compacted_into_a_new_one(
    small_sweep, of_three_commits, location, tmp_path
):
    """In a bucket or a folder: every row once, in one file; the store itself stays."""
    store, there = of_three_commits, [f"{location}-compact", tmp_path / "compact"]
    before = {table: store.parts(table) for table in TABLES}
    for place in map(opened, there):
        with store.writing():
            counts = compact_into(store, place)
        assert counts == {table: (len(parts), 1) for table, parts in before.items()}
        assert_equal(store, place)
        assert opened(place.location).manifest == store.manifest
        assert list(verify(opened(place.location))) == []
        assert run(small_sweep, opened(place.location)).total() == 0
    assert {table: store.parts(table) for table in TABLES} == before


def test_a_new_store_is_none_before_it_is_whole(of_three_commits, location, monkeypatch):
    """A copy that broke off is taken for no store, nor is anything put beside it."""
    store, place, written = of_three_commits, opened(f"{location}-compact"), []
    write = place.files.write

    def breaking(name, content):
        if name == "manifest.json":
            raise OSError("the line is dead")
        written.append(name)
        write(name, content)

    monkeypatch.setattr(place.files, "write", breaking)
    with store.writing(), pytest.raises(CompactionError, match="the line is dead"):
        compact_into(store, place)
    assert [name for name in written if name.startswith("runs/")]
    with pytest.raises(StoreError, match=r"has files but no manifest\.json; choose an empty"):
        opened(place.location)


def test_a_compaction_overwrites_no_store(of_three_commits, tmp_path):
    """Nor goes on where another process writes."""
    store = of_three_commits
    with store.writing():
        with pytest.raises(StoreError, match="is a store already; give an empty place with --to"):
            compact_into(store, opened(store.location))
        place = opened(tmp_path / "other")
        with (
            held(opened(tmp_path / "other").files),
            pytest.raises(StoreError, match=r"being written by process \d+ .*; give another place"),
        ):
            compact_into(store, place)


def test_a_store_in_a_bucket_is_not_compacted_in_its_place(location):
    """A reader would meet rows twice; the error says what to do instead."""
    with pytest.raises(StoreError, match="give a new place for the merged files with --to"):
        compact(opened(location))


@pytest.mark.parametrize("url", ["s4://bucket/x", "s3://", "ftp://host/x"])
def test_a_url_that_is_none_is_refused(url):
    """With what a URL looks like."""
    with pytest.raises(StoreError, match="s3://bucket/prefix"):
        opened(url)
