"""Many small part files merged into few large ones, sorted so that readers can skip.

In a local store the merged files are written beside the table, and then the two folders change
places in one step of the kernel: a reader that lists the table finds all of the old parts or all
of the new. A crash at any moment leaves one or the other. An object store has no such step: there
the merged files make a store of their own.
"""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.settings import defaults
from core.trainers import Trainer
from pipeline.storage.files import STAGING, LocalFiles, one_line, sync
from pipeline.storage.locks import LockedError, held
from pipeline.storage.parts import Part, part_name
from pipeline.storage.schemas import former_names
from pipeline.storage.store import DamagedStoreError, Store, StoreError

# A part of this size is read in a second, and a sweep of a million trials has a few of them.
ROWS_PER_PART = 2_000_000
ROWS_PER_GROUP = 100_000


class CompactionError(RuntimeError):
    """Disk or memory did not suffice, as the message says; the rows are unchanged."""


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def compact(store: Store) -> dict[str, tuple[int, int]]:
    """Merge the parts of every table; the caller is the store's writer.

    Returns:
        By table: the number of its files before and after.

    Raises:
        StoreError: The store lies where folders cannot change places in one step.
        CompactionError: The disk is full, or the merge came to no end otherwise.
    """
    if not isinstance(store.files, LocalFiles):
        raise StoreError(
            f"{store.location} lies in an object store, where a reader would meet rows twice "
            "while files are merged; give a new place for the merged files with --to"
        )
    counts = {}
    for table in store.schemas:
        before = store.parts(table)
        try:
            if len(before) > 1:
                _merge(store, table, before)
            elif before:
                _rows_in(store, table, before[0])  # a damaged file is named here too
        except (OSError, duckdb.Error, pa.ArrowException) as error:
            raise CompactionError(
                f"{store.location}/{table} could not be merged: {one_line(error)}"
            ) from error
        counts[table] = (len(before), len(store.parts(table)))
    return counts


def compact_into(store: Store, target: Store) -> dict[str, tuple[int, int]]:
    """Merge the parts of every table into a new store; the caller is the first one's writer.

    The new store's manifest is written last: without it, after a crash, the place is no store.

    Args:
        store: Stays as it is.
        target: At an empty place, in a folder or an object store.

    Returns:
        By table: the number of files here and there.

    Raises:
        StoreError: There is a store at that place, or another process writes there.
        CompactionError: The disk is full, or the merge came to no end otherwise.
    """
    if target.exists:
        raise StoreError(f"{target.location} is a store already; give an empty place with --to")
    counts = {}
    try:
        with held(target.files), tempfile.TemporaryDirectory() as scratch:
            for table in store.schemas:
                before = store.parts(table)
                merged = _merged(store, table, before, Path(scratch)) if before else []
                for part in merged:
                    target.files.write(f"{table}/{part.name}", part.read_bytes())
                    part.unlink()
                counts[table] = (len(before), len(merged))
            target.describe(**store.manifest)
    except LockedError as error:
        raise StoreError(
            f"{target.location} is being written by {error}; give another place with --to"
        ) from error
    except (OSError, duckdb.Error, pa.ArrowException) as error:
        raise CompactionError(
            f"{store.location} could not be merged into {target.location}: {one_line(error)}"
        ) from error
    return counts


def _merge(store: Store, table: str, parts: list[Part]) -> None:
    """Let a local table change places with its parts merged."""
    staging = store.path / STAGING
    merged = staging / f"merged-{table}"
    _merged(store, table, parts, staging)
    sync(merged)
    _exchange(merged, store.path / table)
    shutil.rmtree(merged)


def _merged(store: Store, table: str, parts: list[Part], scratch: Path) -> list[Path]:
    """The parts of a table merged, in a new folder of a local one; every row is there.

    Raises:
        DamagedStoreError: Rows would be lost.
    """
    merged = scratch / f"merged-{table}"
    merged.mkdir()
    expected = sum(_rows_in(store, table, part) for part in parts)
    rows = _write_sorted(store, table, parts, merged)
    if rows != expected:
        raise DamagedStoreError(
            f"{store.location}/{table} has {expected} rows, {rows} came out of the merge; nothing "
            f"was changed, `phasesweep verify {store.location}` may say why"
        )
    return sorted(merged.iterdir())


def _write_sorted(store: Store, table: str, parts: list[Part], target: Path) -> int:
    """Write all rows in order, in parts of ROWS_PER_PART; returns how many."""
    # There is a first part even if there are no rows: it shows that the commits are not lost.
    files = [_open(store, table, target / "1")]
    total, room = 0, ROWS_PER_PART
    for batch in _sorted_batches(store, table, parts, target.parent / "sorting"):
        if room < len(batch):
            files[-1].close()
            files.append(_open(store, table, target / str(len(files) + 1)))
            room = ROWS_PER_PART
        files[-1].write_batch(batch, row_group_size=ROWS_PER_GROUP)
        total, room = total + len(batch), room - len(batch)
    files[-1].close()
    for number in range(1, len(files) + 1):
        written = target / str(number)
        sync(written)
        name = part_name(parts[0].first, parts[-1].last, number, len(files))
        written.rename(target / name)
    return total


def _open(store: Store, table: str, file: Path) -> pq.ParquetWriter:
    """A file that gets its name once the number of files is known."""
    schema = store.schemas[table]
    return pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True)


def _sorted_batches(
    store: Store, table: str, parts: list[Part], scratch: Path
) -> Iterator[pa.RecordBatch]:
    """All rows in order, sorted on disk where memory does not hold them.

    A setting for which an older row has no value gets the value that the row stands for, and a
    column with another name in older files gets its name of today.
    """
    connection = duckdb.connect(config={"temp_directory": str(scratch), "memory_limit": "2GB"})
    connection.register("rows", store.rows(table, parts))
    order = ", ".join(f'"{name}"' for name in _order(store.trainer, table))
    later = defaults(store.trainer.settings) if table == "runs" else {}
    former = former_names(store.trainer, table)
    choices = {name: f'"{name}"' for name in store.schemas[table].names}
    choices |= {name: f'"{name}", ?' for name in later}
    choices |= {name: f'"{name}", "{before}"' for name, before in former.items()}
    columns = ", ".join(f'coalesce({given}) AS "{name}"' for name, given in choices.items())
    sorted_rows = connection.sql(
        f"SELECT {columns} FROM rows ORDER BY {order}", params=[*later.values()]
    )
    reader: pa.RecordBatchReader = sorted_rows.to_arrow_reader(ROWS_PER_GROUP)
    schema = store.schemas[table]
    for batch in reader:
        yield pa.RecordBatch.from_arrays(
            [c.cast(f.type) for c, f in zip(batch.columns, schema, strict=True)], schema=schema
        )
    connection.close()


def _order(trainer: Trainer, table: str) -> list[str]:
    """The order of the rows: those that readers often select together lie together.

    `runs` is sorted by its settings, those that all trials of a batch share first; any other table
    by trial, then by its first column.
    """
    if table != "runs":
        return ["trial_id", trainer.tables[table].columns[0].name]
    settings = trainer.settings.values()
    return [each.name for each in sorted(settings, key=lambda s: s.differs_within != "sweep")]


def _rows_in(store: Store, table: str, part: Part) -> int:
    file = f"{store.files.root}/{table}/{part.name}"
    return int(pq.read_metadata(file, filesystem=store.files.filesystem).num_rows)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step.

    Raises:
        StoreError: The kernel or its file system cannot.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    exchange = getattr(libc, "renameat2", None)
    if exchange is None or exchange(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE
    ):
        reason = os.strerror(ctypes.get_errno()) if exchange else "no renameat2"
        raise StoreError(
            f"the file system of {other} cannot exchange two folders ({reason}); nothing was "
            "changed; give a new place for the merged files with --to"
        )
    sync(other.parent)
