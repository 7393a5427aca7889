"""The Parquet store: atomic commits, one row a trial, and who may write.

A commit writes one part file of the same name into each table's folder, `runs` last:
a trial is finished once its row stands in `runs`. Parts are staged beside the tables and
moved into place, so a reader never meets half a file; parts of a commit that never came
to its `runs` part are removed when the next writer opens the store.
"""

import fcntl
import io
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.schemas import SCHEMA_VERSION, SCHEMAS, Rows

FORMAT = "phasesweep store"

# All that a store holds before it has a manifest.
BEGUN = {"lock", "staging"}


class StoreError(ValueError):
    """A folder that cannot be used as a store; the message names it and the remedy."""


class StoreInUseError(StoreError):
    """Another process is writing to the store."""


class Store:
    """A store on a local path, open for reading; `writing` lets one process write."""

    def __init__(self, path: str | Path):
        """Open the store at `path`, or prepare to create one there.

        Raises:
            StoreError: `path` holds something else, or another schema version.
        """
        self.path = Path(path)
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> dict[str, Any]:
        file = self.path / "manifest.json"
        try:
            if not file.exists():
                self._refuse_foreign_folder()
                return {"format": FORMAT, "schema_version": SCHEMA_VERSION, "sweeps": []}
            manifest = json.loads(file.read_text())
        except OSError as error:
            raise StoreError(
                f"cannot read {self.path}: {error.strerror}; choose another --store"
            ) from error
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise StoreError(
                f"{file} is damaged ({error}); restore it from a copy, or move the store away"
            ) from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise StoreError(f"{file} is not a phasesweep manifest; choose another --store")
        version = manifest.get("schema_version")
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} was written with schema version {version!r}, this phasesweep "
                f"reads {SCHEMA_VERSION}; use the phasesweep that wrote it or another --store"
            )
        return manifest

    def _refuse_foreign_folder(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise StoreError(f"{self.path} is a file, not a store; choose another --store")
        if self.path.exists() and {entry.name for entry in self.path.iterdir()} - BEGUN:
            raise StoreError(
                f"{self.path} is no phasesweep store: it has files but no manifest.json; "
                "choose an empty or new folder with --store"
            )

    @property
    def exists(self) -> bool:
        """Whether the store has been created on disk."""
        return (self.path / "manifest.json").exists()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store's write lock; the kernel frees it however this process ends.

        Raises:
            StoreError: The folder cannot be written, or (StoreInUseError) another
                process is writing to it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = open(self.path / "lock", "a+")  # noqa: SIM115 - closed below, with the lock
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.path}: {error.strerror}; choose another --store"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise StoreInUseError(
                    f"{self.path} is being written by {lock.read().strip() or 'another process'}; "
                    "wait for it to end, or choose another --store"
                ) from error
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}")
            lock.flush()
            self._create_or_mend()
            yield

    def _create_or_mend(self) -> None:
        """Under the lock; the manifest comes first, as it tells a store from other folders."""
        self.manifest = self._read_manifest()  # by now another process may have written it
        (self.path / "staging").mkdir(exist_ok=True)
        if not self.exists:
            self.describe()
        for table in SCHEMAS:
            (self.path / table).mkdir(exist_ok=True)
        self._discard_unfinished_commits()

    def _discard_unfinished_commits(self) -> None:
        committed = {part.name for part in (self.path / "runs").iterdir()}
        for table in SCHEMAS:
            for part in (self.path / table).iterdir():
                if part.name not in committed:
                    part.unlink()
        for leftover in (self.path / "staging").iterdir():
            leftover.unlink()

    def describe(self, **entries: Any) -> None:
        """Add or replace entries of the manifest, atomically."""
        self.manifest = {**self.manifest, **entries}
        text = json.dumps(self.manifest, indent=2, sort_keys=True) + "\n"
        self._put("manifest.json", text.encode())

    def commit(self, batches: Sequence[Rows]) -> None:
        """Add the rows of finished batches: all of them, or after a crash none."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        part = f"part-{stamp}-{uuid4().hex[:8]}.parquet"
        for table in batches[0].tables():
            rows = pa.concat_tables([batch.tables()[table] for batch in batches])
            buffer = io.BytesIO()
            pq.write_table(rows, buffer, compression="zstd")
            self._put(f"{table}/{part}", buffer.getvalue())

    def _put(self, name: str, content: bytes) -> None:
        staged = self.path / "staging" / uuid4().hex
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, self.path / name)

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of a table, some columns of it, a bounded number of rows at a time."""
        if not any((self.path / table).glob("*.parquet")):
            return
        parts = ds.dataset(self.path / table, schema=SCHEMAS[table], format="parquet")
        yield from parts.to_batches(columns=list(columns))
