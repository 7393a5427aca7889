"""Checks that a store keeps its promises: every file, every commit, every row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.settings import trial_from, trial_id
from core.trainers import Trainer
from pipeline.storage.files import STAGING, one_line
from pipeline.storage.locks import LEASE, LOCK
from pipeline.storage.parts import Part, commits_in_words, parsed
from pipeline.storage.schemas import TRIAL_ID, columns_of, former_names, problems_of
from pipeline.storage.store import DAMAGED, MANIFEST, Store

OURS = {MANIFEST, LOCK, LEASE, STAGING, DAMAGED}

# How many rows a trial has in each further table, from the least to the most.
Expected = tuple[range, ...]


@dataclass(frozen=True)
class Fault:
    """A fault, and its place.

    Attributes:
        file: Relative to the store's root.
        problem: In words.
        part: The part whose rows cannot be relied on; None where no row is concerned.
    """

    file: str
    problem: str
    part: Part | None = None


def verify(store: Store) -> Iterator[Fault]:
    """Every problem of the store, file by file; nothing is changed.

    Reads all of it: each page's checksum, the schema, each trial's id against its
    settings, the names that columns may hold, and that every trial has one row in `runs` and
    its rows in the other tables.
    Commits that a running sweep adds meanwhile are left for the next time.
    """
    last = store.last_commit
    yield from _foreign_files(store)
    yield from _lost_commits(store)
    trials: dict[bytes, Expected] = {}
    for table in store.schemas:  # `runs` first: it says what the others must have
        seen: dict[bytes, int] = {}
        for part in store.parts(table):
            if part.first > last:
                continue
            file = f"{table}/{part.name}"
            try:
                rows = _by_todays_names(_read(store, file), former_names(store.trainer, table))
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                yield Fault(file, f"cannot be read: {one_line(error)}", part)
                continue
            problems = list(_schema_problems(rows, store.schemas[table]))
            if not problems:
                problems = list(_row_problems(rows, table, store.trainer, trials, seen))
            yield from (Fault(file, problem, part) for problem in problems)
            if table == "runs" and not problems:
                yield from _unnamed_thresholds(store, file, rows)
        if table != "runs":
            yield from _miscounted_rows(store, table, trials, seen)


def set_aside(store: Store, problems: list[Fault]) -> list[str]:
    """Move unreliable parts, and all parts of the same commits, to `damaged`.

    Their trials are then trained again by the next run. The caller holds the write lock,
    or has made sure that nobody writes.

    Returns:
        The files moved.
    """
    bad = [problem.part for problem in problems if problem.part is not None]
    concerned = {
        table: [p for p in store.parts(table) if p.overlaps(bad)] for table in store.schemas
    }
    commits = {n for part in bad for n in range(part.first, part.last + 1)}
    commits |= {n for ps in concerned.values() for p in ps for n in range(p.first, p.last + 1)}
    # Recorded before anything moves: if the moving is cut short, the commits still count as gone.
    store.describe(set_aside=sorted(commits.union(store.manifest.get("set_aside", []))))
    moved = []
    for table in store.schemas:
        for part in concerned[table]:
            store.files.move(f"{table}/{part.name}", f"{DAMAGED}/{table}-{part.name}")
            moved.append(f"{table}/{part.name}")
    return moved


def _foreign_files(store: Store) -> Iterator[Fault]:
    for name in store.files.names():
        if name not in {*OURS, *store.schemas}:
            yield Fault(name, "is no file of a store; move it away")
    for table in store.schemas:
        for name in store.files.names(table):
            if parsed(name) is None:
                yield Fault(f"{table}/{name}", "is no part of the table; move it away")


def _lost_commits(store: Store) -> Iterator[Fault]:
    for table in store.schemas:
        for commits in store.missing_commits(table):
            gap = Part(commits[0], commits[-1], 1, 1, "")
            yield Fault(table, f"the part with {commits_in_words(commits)} is missing", gap)


def _read(store: Store, file: str, columns: list[str] | None = None) -> pa.Table:
    return pq.read_table(
        f"{store.files.root}/{file}",
        columns=columns,
        filesystem=store.files.filesystem,
        page_checksum_verification=True,
    )


def _by_todays_names(rows: pa.Table, former: Mapping[str, str]) -> pa.Table:
    """Rows with those columns renamed that an older version wrote by another name."""
    found = rows.column_names
    today = {before: name for name, before in former.items() if name not in found}
    return rows.rename_columns([today.get(name, name) for name in found])


def _schema_problems(rows: pa.Table, expected: pa.Schema) -> Iterator[str]:
    """Columns of a wrong type; one that an older version lacked is NULL, which is not wrong."""
    for column in rows.schema:
        if column.name not in expected.names:
            yield f"has a column {column.name!r} that the table has not"
        elif column.type != expected.field(column.name).type:
            wanted = expected.field(column.name).type
            yield f"has {column.name!r} as {column.type}, expected {wanted}"
    if "trial_id" not in rows.column_names:
        yield "has no column 'trial_id'"


def _row_problems(
    rows: pa.Table,
    table: str,
    trainer: Trainer,
    trials: dict[bytes, Expected],
    seen: dict[bytes, int],
) -> Iterator[str]:
    for name in rows.column_names:
        column = rows[name]
        if pa.types.is_floating(column.type):
            bad = pc.sum(pc.invert(pc.is_finite(column))).as_py() or 0
            if bad:
                yield f"has {bad} values of {name!r} that are NaN or infinite"
    for each in columns_of(trainer, table):
        if each.name in rows.column_names:
            yield from problems_of(each, rows[each.name])
    if table == "runs":
        yield from _run_problems(rows, trainer, trials)
        return
    ids, counts = np.unique(np.array(rows["trial_id"].to_pylist(), dtype="S24"), return_counts=True)
    strangers = [each for each in ids.tolist() if each not in trials]
    if strangers:
        yield f"has rows of {len(strangers)} trials without a run, as {strangers[0].decode()}"
    for each, count in zip(ids.tolist(), counts.tolist(), strict=True):
        seen[each] = seen.get(each, 0) + count


def _run_problems(rows: pa.Table, trainer: Trainer, trials: dict[bytes, Expected]) -> Iterator[str]:
    """What is wrong in rows of `runs`; notes each trial and what other tables must have of it."""
    named = [name for name in trainer.settings if name in rows.column_names]
    lacking = [name for name in _from_the_beginning(trainer) if _nulls(rows, name)]
    for name in lacking:
        yield f"has {_nulls(rows, name)} rows without {name!r}"
    if lacking:
        return
    expected: dict[Expected, Expected] = {}  # so that equal ones are kept once
    for row in rows.select(["trial_id", *named]).to_pylist():
        found = row["trial_id"].encode()
        trial: Any = trial_from(trainer.trial, row)
        if found in trials:
            yield f"has trial {found.decode()}, which has a row already"
        elif trial_id(trial) != found.decode():
            yield f"has trial {found.decode()} with settings of another id"
        each = tuple(table.rows(trial) for table in trainer.tables.values())
        trials[found] = expected.setdefault(each, each)


def _unnamed_thresholds(store: Store, file: str, rows: pa.Table) -> Iterator[Fault]:
    if "thresholds" not in rows.column_names:
        return
    known = {None, *store.manifest.get("judged_by", {})}
    for digest in set(pc.unique(rows["thresholds"]).to_pylist()) - known:
        words = f"has no entry {digest!r} in judged_by, by which rows of {file} were judged"
        yield Fault(MANIFEST, words)


def _from_the_beginning(trainer: Trainer) -> Iterator[str]:
    """The columns that every version has: the trial's id and the settings without a default."""
    yield TRIAL_ID.name
    yield from (name for name, s in trainer.settings.items() if s.default is None)


def _nulls(rows: pa.Table, name: str) -> int:
    """How many rows lack a value in that column."""
    return int(rows[name].null_count) if name in rows.column_names else len(rows)


def _miscounted_rows(
    store: Store, table: str, trials: dict[bytes, Expected], seen: dict[bytes, int]
) -> Iterator[Fault]:
    """The parts, of this table and of `runs`, that hold trials with too few or too many rows."""
    place = list(store.trainer.tables).index(table)
    wrong = {e for e, expected in trials.items() if seen.get(e, 0) not in expected[place]}
    for holder in ("runs", table) if wrong else ():
        for part in store.parts(holder):
            try:
                held = _read(store, f"{holder}/{part.name}", ["trial_id"])["trial_id"].to_pylist()
            except (pa.ArrowException, OSError):
                continue
            concerned = wrong.intersection(each.encode() for each in held)
            if concerned:
                words = f"has {len(concerned)} trials with rows lacking or doubled in {table}"
                yield Fault(f"{holder}/{part.name}", f"{words}, as {min(concerned).decode()}", part)
