"""The Parquet store: atomic commits, one row per trial, and who may write.

A commit writes one part file into each table's folder, `runs` last: a trial is finished
once its row stands in `runs`. Each file appears whole or not at all, so a reader never
meets half of one; parts of a commit that never came to its `runs` part are removed when
the next writer opens the store.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from core.trainers import Trainer
from pipeline.storage.fences import fence_off, is_fenced_off, remove_late_parts
from pipeline.storage.files import (
    STAGING,
    Files,
    FilesError,
    LocalFiles,
    open_files,
    reason,
    remedy,
)
from pipeline.storage.locks import LEASE, LOCK, Hold, LeaseLostError, LockedError, held
from pipeline.storage.manifests import ManifestError, new_manifest, parsed_manifest
from pipeline.storage.parts import (
    Part,
    commits_in_words,
    missing_commits,
    parquet,
    part_name,
    parts_among,
)
from pipeline.storage.schemas import (
    SCHEMA_VERSION,
    Rows,
    former_names,
    schemas,
    thresholds_digest,
)

MANIFEST = "manifest.json"
DAMAGED = "damaged"

# A manifest that has numbers of commits so far beyond the rest was edited: at one every five
# seconds they are six days of work.
MOST_LOST = 100_000

CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)

# All that a store holds before it has a manifest.
BEGUN = {LOCK, LEASE, STAGING}


class StoreError(ValueError):
    """A place cannot be used as a store; the message names it and the remedy."""


class StoreInUseError(StoreError):
    """Another process is writing to the store."""


class DamagedStoreError(StoreError):
    """A file of the store is unreadable or lost; the message names it and the remedy."""


class Store:
    """A store at a path or URL, open for reading; `writing` lets one process write.

    Attributes:
        location: The path or URL.
        trainer: What its rows are trainings of.
        schemas: Of its tables by name, `runs` first.
        files: Its files.
        manifest: The contents of manifest.json, also before a new store's is written.
        mended: In words, what the last `writing` removed because its commit never finished.
    """

    def __init__(self, location: str | Path, trainer: Trainer):
        """Open the store, or prepare to create one there.

        Raises:
            StoreError: The place holds something else, a newer schema version, or sweeps of
                another trainer or over settings that this version does not know.
        """
        try:
            self.files: Files = open_files(location)
        except FilesError as error:
            raise StoreError(str(error)) from error
        self.location = self.files.location
        self.trainer, self.schemas = trainer, schemas(trainer)
        self.mended: list[str] = []
        self._hold = Hold(lambda: None)
        self._commits = 0
        self.manifest = self._read_manifest()

    @property
    def path(self) -> Path:
        """The folder of a local store."""
        return Path(self.files.root)

    @property
    def place(self) -> str:
        """Its absolute path, or its URL."""
        return str(self.path.absolute()) if isinstance(self.files, LocalFiles) else self.location

    def _read_manifest(self) -> dict[str, Any]:
        if isinstance(self.files, LocalFiles) and os.path.isfile(self.path):
            raise StoreError(f"{self.path} is a file, not a store; choose another --store")
        try:
            content = self.files.read(MANIFEST)
            if content is None:
                self._refuse_foreign_folder()
                return new_manifest()
            manifest = parsed_manifest(content, self.location, self.trainer)
            self._refuse_far_commits(manifest)
        except ManifestError as error:
            raise StoreError(str(error)) from error
        except OSError as error:
            raise StoreError(
                f"cannot read {self.location}: {reason(error)}; {remedy(error)}"
            ) from error
        return manifest

    def _refuse_far_commits(self, manifest: Mapping[str, Any]) -> None:
        """Refuse numbers of commits that are far from all others: nobody loses so many."""
        in_parts = max((part.last for part in self.parts("runs")), default=0)
        recorded = manifest.get("last_commit", 0)
        apart = max(manifest.get("set_aside", []), default=0)
        for name, number, others in (
            ("last_commit", recorded, max(in_parts, apart)),
            ("set_aside", apart, max(in_parts, recorded)),
        ):
            if number > others + MOST_LOST:
                raise ManifestError(
                    f"{self.location}/{MANIFEST}: {name}: has {number}, far beyond {others}, the "
                    f"last commit otherwise known; write {others} instead, or restore the store "
                    "from a copy"
                )

    def _refuse_foreign_folder(self) -> None:
        if set(self.files.names()) - BEGUN:
            raise StoreError(
                f"{self.location} is no phasesweep store: it has files but no manifest.json; "
                "choose an empty or new folder with --store, or --to of compact"
            )

    @property
    def exists(self) -> bool:
        """Whether the store has been created."""
        return self.files.read(MANIFEST) is not None

    def parts(self, table: str) -> list[Part]:
        """The part files of a table, in order of their commits."""
        return parts_among(self.files.names(table))

    @property
    def last_commit(self) -> int:
        """The number of the last finished commit, even if its parts are gone."""
        recorded: int = self.manifest.get("last_commit", 0)
        return max([recorded, *(part.last for part in self.parts("runs"))])

    def missing_commits(self, table: str) -> list[range]:
        """The commits that a table should hold but does not, except those set aside."""
        known = self.manifest.get("set_aside", [])
        return missing_commits(self.parts(table), self.last_commit, known)

    @contextmanager
    def writing(self, *, mend: bool = True) -> Iterator[None]:
        """Be the store's only writer, and remove what an earlier writer left unfinished.

        Args:
            mend: Whether to look for lost and unfinished commits; a repair does so itself.

        Raises:
            StoreError: The place cannot be written; StoreInUseError: another process is
                writing; DamagedStoreError: a commit is lost.
        """
        with ExitStack() as stack:
            try:
                self._hold = stack.enter_context(held(self.files))
                self._create()
                if mend:
                    self.mended = []
                    self._fence_off()
                    self._refuse_lost_commits()
                    self._discard_unfinished_commits()
            except LockedError as error:
                raise StoreInUseError(
                    f"{self.location} is being written by {error}; "
                    "wait for it to end, or choose another --store"
                ) from error
            except OSError as error:
                raise StoreError(
                    f"cannot write to {self.location}: {reason(error)}; {remedy(error)}"
                ) from error
            yield

    def _create(self) -> None:
        """Under the lock; the manifest comes first, as it marks the folder as a store."""
        self.manifest = self._read_manifest()  # by now another process may have written it
        self.describe(schema_version=SCHEMA_VERSION)
        if isinstance(self.files, LocalFiles):
            for table in (*self.schemas, STAGING):
                (self.path / table).mkdir(exist_ok=True)

    def _fence_off(self) -> None:
        """Let the writer before, which may go on in the midst of a commit, add no row any more."""
        if isinstance(self.files, LocalFiles):  # whose lock only ends with its holder
            return
        commits = {self._last_number + 1} if self._hold.taken_over else set()
        fence_off(commits, self.files, self.schemas)
        for name in remove_late_parts(self.files, self.schemas):
            self.mended.append(f"removed {name} of an unfinished commit")

    @property
    def _last_number(self) -> int:
        """The last number that a commit has had."""
        apart: list[int] = self.manifest.get("set_aside", [])
        return max([self.last_commit, *apart])

    def _refuse_lost_commits(self) -> None:
        self._commits = self._last_number
        for table in self.schemas:
            lost = self.missing_commits(table)
            if lost:
                raise DamagedStoreError(
                    f"{self.location} is damaged: {table} has lost "
                    f"{commits_in_words(lost[0])}; "
                    f"`phasesweep verify {self.location} --repair` sets its remains aside, and "
                    "running again trains what was lost"
                )

    def _discard_unfinished_commits(self) -> None:
        for table in self.schemas:
            for part in self.parts(table):
                if part.first > self._commits:
                    self.files.remove(f"{table}/{part.name}")
                    self.mended.append(f"removed {table}/{part.name} of an unfinished commit")
        if isinstance(self.files, LocalFiles):
            _empty(self.path / STAGING)

    def describe(self, **entries: Any) -> None:
        """Add or replace entries of the manifest, atomically; only a writer may."""
        self._hold.check()
        described = {**self.manifest, **entries}
        if described != self.manifest or not self.exists:
            text = json.dumps(described, indent=2, sort_keys=True) + "\n"
            self.files.write(MANIFEST, text.encode())
        self.manifest = described

    def commit(self, batches: Sequence[Rows]) -> None:
        """Add the rows of finished batches; after a crash, either all or none of them are there.

        Raises:
            LeaseLostError: Another writer took over meanwhile; it counts these trials as
                finished or trains them.
        """
        try:
            self._commit(batches)
        except LeaseLostError:
            remove_late_parts(self.files, self.schemas)
            raise

    def _commit(self, batches: Sequence[Rows]) -> None:
        self._hold.check()
        self._name_thresholds()
        number = self._commits + 1
        name = part_name(number, number)
        for table in batches[0].tables:  # `runs` last
            self._hold.check()  # an object store may have kept the part before waiting
            # Of thousands of batches of a row each, Parquet would take most of its time per chunk.
            rows = pa.concat_tables([batch.tables[table] for batch in batches]).combine_chunks()
            self.files.write(f"{table}/{name}", parquet(rows.cast(self.schemas[table])))
        # Even if the lease is ours: where it was renewed too late, that put an end to another one.
        if is_fenced_off(number, self.files):
            raise LeaseLostError(f"{self.location} was taken over by another process")
        self._commits = number
        # Without it, a commit that lost its part in `runs` would look as if it never finished.
        self.describe(last_commit=number)

    def _name_thresholds(self) -> None:
        """Write thresholds into the manifest before any row has their digest."""
        numbers = dict(self.trainer.thresholds)
        named = self.manifest.get("judged_by", {})
        if thresholds_digest(numbers) not in named:
            self.describe(judged_by={**named, thresholds_digest(numbers): numbers})

    def rows(self, table: str, parts: Sequence[Part]) -> ds.Dataset:
        """Parts of a table, to be scanned; columns that an older version lacked are NULL.

        Columns that older versions had by another name follow under it.
        """
        schema = self.schemas[table]
        for name, former in former_names(self.trainer, table).items():
            schema = schema.append(schema.field(name).with_name(former))
        return ds.dataset(
            [f"{self.files.root}/{table}/{part.name}" for part in parts],
            schema=schema,
            format=CHECKED,
            filesystem=self.files.filesystem,
        )

    def batches(
        self, table: str, columns: Sequence[str], after: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """Some columns of a table's rows, a bounded number of rows at a time.

        Args:
            table: Its name.
            columns: Their names.
            after: A commit: only rows of later ones are read.

        Raises:
            DamagedStoreError: A part cannot be read.
        """
        for part in self.parts(table):
            if part.first <= after:
                continue
            try:
                yield from self.rows(table, [part]).to_batches(columns=list(columns))
            except (pa.ArrowException, OSError) as error:
                raise DamagedStoreError(
                    f"{self.location}/{table}/{part.name} cannot be read ({error}); "
                    f"`phasesweep verify {self.location} --repair` sets it aside, and running "
                    "again trains its trials again"
                ) from error


def _empty(folder: Path) -> None:
    """Delete everything in a folder of our own: files, and folders of part files."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _empty(entry)
            entry.rmdir()
        else:
            entry.unlink()
