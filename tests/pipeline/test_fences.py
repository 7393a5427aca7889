"""Two drivers at one object store, of which the first comes back too late: no row lost or doubled.

A folder stands for the bucket: what counts is the order of the uploads.
"""

from functools import partial
from itertools import count

import pyarrow as pa
import pytest

from core.datasets import load_dataset, make_task
from core.settings import Trials
from core.training import FULLY_CONNECTED, train
from pipeline.storage import locks
from pipeline.storage.schemas import rows_of
from pipeline.storage.store import Store, StoreError
from pipeline.storage.verification import verify

TABLES = ("runs", *FULLY_CONNECTED.tables)


@pytest.fixture(scope="module")
def batches(grid_of):
    """The rows of four batches of two trainings."""
    grid = grid_of(learning_rate=tuple(0.1 + k for k in range(8)))
    task = make_task(load_dataset("digits", 24), 24, "standardized", "standardized")
    every = [Trials.of([grid[place], grid[place + 1]]) for place in range(0, 8, 2)]
    return [rows_of(FULLY_CONNECTED, two, train(two, task), "") for two in every]


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens the store as one more driver."""
    monkeypatch.setattr(locks, "SETTLING_SECONDS", 0.0)
    (tmp_path / "bucket").mkdir()
    url = f"file://{tmp_path}/bucket"
    with Store(url, FULLY_CONNECTED).writing():
        for table in TABLES:  # in a bucket there are no folders to make
            (tmp_path / "bucket" / table).mkdir()
    return lambda: Store(url, FULLY_CONNECTED)


@pytest.fixture
def run(batches):
    """Lets a driver commit each batch that the store does not have."""

    def run(store):
        with store.writing():
            finished = ids(store, "runs")
            for rows in batches:
                if rows.runs["trial_id"][0].as_py() not in finished:
                    store.commit([rows])

    return run


@pytest.fixture
def take_over(opened, run, monkeypatch):
    """Lets another driver end the work, as if the lease of the one before had expired."""

    def take_over(prepare=lambda store: None):
        with monkeypatch.context() as patched:
            patched.setattr(locks, "LEASE_SECONDS", 0.0)
            store = opened()
            prepare(store)
            run(store)

    return take_over


def stop(store, table, meanwhile, *, at=1):
    """Let a store's writer be stopped when it has looked at its lease and is about to upload.

    Args:
        store: Its.
        table: To which it uploads.
        meanwhile: Called with the upload.
        at: Which of its uploads to that table, from 0.
    """
    write, uploads = store.files.write, count()

    def stopped(name, content):
        upload = partial(write, name, content)
        if name.startswith(f"{table}/") and next(uploads) == at:
            meanwhile(upload)
        else:
            upload()

    store.files.write = stopped


def ids(store, table):
    """Of a table's rows."""
    return [i for rows in store.batches(table, ["trial_id"]) for i in rows["trial_id"].to_pylist()]


@pytest.fixture
def assert_as_undisturbed(opened, batches):
    """Asserts that each row is in the store once, and that it is sound."""

    def assert_it():
        store = opened()
        for table in TABLES:
            expected = pa.concat_tables([rows.tables[table] for rows in batches])["trial_id"]
            assert sorted(ids(store, table)) == sorted(expected.to_pylist())
        assert list(verify(store)) == []

    return assert_it


@pytest.mark.parametrize("table", ["layers", "runs"])
def test_an_upload_after_a_takeover_adds_no_row(
    opened, run, take_over, assert_as_undisturbed, table
):
    """A driver is stopped between the look at its lease and the upload, for longer than that."""
    late = opened()
    stop(late, table, lambda upload: (take_over(), upload()))
    with pytest.raises(locks.LeaseLostError):
        run(late)
    assert_as_undisturbed()


def test_a_lease_renewed_after_a_takeover_is_worth_nothing(
    opened, run, take_over, assert_as_undisturbed
):
    """The driver was stopped between the look at its lease and its renewal."""
    late = opened()

    def renew_late(upload):
        lease = late.files.read(locks.LEASE)
        take_over()
        late.files.write(locks.LEASE, lease)
        upload()

    stop(late, "layers", renew_late)
    with pytest.raises(locks.LeaseLostError):
        run(late)
    assert_as_undisturbed()


def test_a_commit_before_a_takeover_stays(opened, run, take_over, assert_as_undisturbed):
    """Its driver is stopped before it hears that the last upload has come."""
    late = opened()
    stop(late, "runs", lambda upload: (upload(), take_over()))
    with pytest.raises(locks.LeaseLostError):
        run(late)
    assert_as_undisturbed()


def test_an_upload_during_a_takeover_adds_no_row(opened, run, take_over, assert_as_undisturbed):
    """The next driver has counted the commits, and is about to upload its fence."""

    def upload_before_the_fence(upload):
        take_over(lambda store: stop(store, "runs", lambda fence: (upload(), fence()), at=0))

    late = opened()
    stop(late, "runs", upload_before_the_fence)
    with pytest.raises(locks.LeaseLostError):
        run(late)
    assert_as_undisturbed()


def test_a_late_upload_whose_driver_then_died_is_removed_by_the_next_one(
    opened, run, take_over, assert_as_undisturbed
):
    """Which says so."""

    def upload_and_die(upload):
        take_over()
        upload()
        raise OSError("the end")

    late, store = opened(), opened()
    stop(late, "runs", upload_and_die)
    with pytest.raises(OSError, match="the end"):
        run(late)
    with store.writing():
        assert [note for note in store.mended if "runs/part-00000002" in note]
    assert_as_undisturbed()


def test_a_takeover_that_broke_off_is_ended_by_the_next_one(
    opened, run, take_over, assert_as_undisturbed
):
    """Its fence stands in some tables only, and the late upload comes to another one."""

    def let_die(store):
        def die(fence):
            store.files.remove = lambda name: None  # a dead process gives no lease back
            raise OSError("the end")

        stop(store, "runs", die, at=0)

    def upload_in_between(upload):
        with pytest.raises(StoreError, match="the end"):
            take_over(let_die)
        upload()
        take_over()

    late = opened()
    stop(late, "runs", upload_in_between)
    with pytest.raises(locks.LeaseLostError):
        run(late)
    assert_as_undisturbed()
