"""A store held against its own promises: every file, every commit, every row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.gradient_descent import CURVE_POINTS
from core.outcomes import OUTCOMES
from core.trials import DEFAULTS, TRIAL_FIELDS, trial_id, trial_of
from pipeline.files import STAGING, one_line
from pipeline.locks import LEASE, LOCK
from pipeline.parts import Part, parsed
from pipeline.schemas import SCHEMAS
from pipeline.store import DAMAGED, MANIFEST, Store

OURS = {MANIFEST, LOCK, LEASE, STAGING, DAMAGED, *SCHEMAS}
# Of a curve: log-spaced points, both ends, and the last loss of a run that ended early.
MOST_POINTS = CURVE_POINTS + 3
# Columns of `runs` without which a row says nothing.
REQUIRED = (
    "trial_id",
    *(name for name in TRIAL_FIELDS if name not in DEFAULTS),
    "outcome",
    "baseline_loss",
    "steps_run",
    "batch_id",
)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where.

    Attributes:
        file: Relative to the store's root.
        problem: In words.
        part: The part whose rows cannot be relied on; None where no row is concerned.
    """

    file: str
    problem: str
    part: Part | None = None


def verify(store: Store) -> Iterator[Problem]:
    """Every problem of the store, file by file; nothing is changed.

    Reads all of it: each page's checksum, the schema, each trial's id against its
    settings, and that every trial has one row in `runs` and its rows in the other tables.
    Commits that a running sweep adds meanwhile are left for the next time.
    """
    last = store.last_commit
    yield from _foreign_files(store)
    yield from _lost_commits(store)
    trials: dict[bytes, _Expected] = {}
    for table in ("runs", "layers", "curves"):
        seen: dict[bytes, int] = {}
        for part in store.parts(table):
            if part.first > last:
                continue
            file = f"{table}/{part.name}"
            try:
                rows = _read(store, file)
            except (pa.ArrowException, OSError) as error:
                yield Problem(file, f"cannot be read: {one_line(error)}", part)
                continue
            problems = list(_schema_problems(rows, table))
            if not problems:
                problems = list(_row_problems(rows, table, trials, seen))
            yield from (Problem(file, problem, part) for problem in problems)
        if table != "runs":
            yield from _miscounted_rows(store, table, trials, seen)


@dataclass(frozen=True)
class _Expected:
    """How many rows a trial has in the other tables, at least and at most."""

    layers: range
    curves: range


def set_aside(store: Store, problems: list[Problem]) -> list[str]:
    """Move the parts that cannot be relied on, and all of their commits, to `damaged`.

    Their trials are then trained again by the next run. The caller holds the write lock,
    or has made sure that nobody writes.

    Returns:
        The files moved.
    """
    bad = [problem.part for problem in problems if problem.part is not None]
    concerned = {table: [p for p in store.parts(table) if p.overlaps(bad)] for table in SCHEMAS}
    commits = {n for part in bad for n in range(part.first, part.last + 1)}
    commits |= {n for ps in concerned.values() for p in ps for n in range(p.first, p.last + 1)}
    # First the record: the commits are known to be gone, however far the moving comes.
    store.describe(set_aside=sorted(commits.union(store.manifest.get("set_aside", []))))
    moved = []
    for table in ("runs", *(table for table in SCHEMAS if table != "runs")):
        for part in concerned[table]:
            store.files.move(f"{table}/{part.name}", f"{DAMAGED}/{table}-{part.name}")
            moved.append(f"{table}/{part.name}")
    return moved


def _foreign_files(store: Store) -> Iterator[Problem]:
    for name in store.files.names():
        if name not in OURS:
            yield Problem(name, "is no file of a store; move it away")
    for table in SCHEMAS:
        for name in store.files.names(table):
            if parsed(name) is None:
                yield Problem(f"{table}/{name}", "is no part of the table; move it away")


def _lost_commits(store: Store) -> Iterator[Problem]:
    for table in SCHEMAS:
        for commit in store.missing_commits(table):
            gap = Part(commit, commit, 1, 1, "")
            yield Problem(table, f"the part with commit {commit} is missing", gap)


def _read(store: Store, file: str, columns: list[str] | None = None) -> pa.Table:
    return pq.read_table(
        f"{store.files.root}/{file}",
        columns=columns,
        filesystem=store.files.filesystem,
        page_checksum_verification=True,
    )


def _schema_problems(rows: pa.Table, table: str) -> Iterator[str]:
    """Columns of another type; those that an older version had not are NULL, not wrong."""
    expected = SCHEMAS[table]
    for column in rows.schema:
        if column.name not in expected.names:
            yield f"has a column {column.name!r} that the table has not"
        elif column.type != expected.field(column.name).type:
            wanted = expected.field(column.name).type
            yield f"has {column.name!r} as {column.type}, expected {wanted}"
    if "trial_id" not in rows.column_names:
        yield "has no column 'trial_id'"


def _row_problems(
    rows: pa.Table, table: str, trials: dict[bytes, _Expected], seen: dict[bytes, int]
) -> Iterator[str]:
    for name in rows.column_names:
        column = rows[name]
        if pa.types.is_floating(column.type):
            bad = pc.sum(pc.invert(pc.is_finite(column))).as_py() or 0
            if bad:
                yield f"has {bad} values of {name!r} that are NaN or infinite"
    ids, counts = np.unique(np.array(rows["trial_id"].to_pylist(), dtype="S24"), return_counts=True)
    if table == "runs":
        yield from _run_problems(rows, trials)
        return
    strangers = [each for each in ids.tolist() if each not in trials]
    if strangers:
        yield f"has rows of {len(strangers)} trials without a run, as {strangers[0].decode()}"
    for each, count in zip(ids.tolist(), counts.tolist(), strict=True):
        seen[each] = seen.get(each, 0) + count


def _run_problems(rows: pa.Table, trials: dict[bytes, _Expected]) -> Iterator[str]:
    for name in REQUIRED:
        if name in rows.column_names and rows[name].null_count:
            yield f"has {rows[name].null_count} rows without {name!r}"
            return
    unknown = set(rows["outcome"].to_pylist()) - set(OUTCOMES)
    if unknown:
        yield f"has an outcome {min(unknown)!r}; known are {', '.join(OUTCOMES)}"
    named = [name for name in TRIAL_FIELDS if name in rows.column_names]
    for row in rows.select(["trial_id", *named]).to_pylist():
        found = row.pop("trial_id").encode()
        if found in trials:
            yield f"has trial {found.decode()}, which has a row already"
        elif trial_id(trial_of(row)) != found.decode():
            yield f"has trial {found.decode()} with settings of another id"
        trials[found] = _expected(row)


def _expected(row: Mapping[str, object]) -> _Expected:
    measured = "signal" in str(row.get("measure"))
    depth = row["depth"]
    layers = int(str(depth)) if measured else 0
    return _Expected(range(layers, layers + 1), range(1, MOST_POINTS + 1))


def _miscounted_rows(
    store: Store, table: str, trials: dict[bytes, _Expected], seen: dict[bytes, int]
) -> Iterator[Problem]:
    """The parts, of this table and of `runs`, with trials whose rows are too few or too many."""
    wrong = {
        each
        for each, expected in trials.items()
        if seen.get(each, 0) not in getattr(expected, table)
    }
    for holder in ("runs", table) if wrong else ():
        for part in store.parts(holder):
            try:
                held = _read(store, f"{holder}/{part.name}", ["trial_id"])["trial_id"].to_pylist()
            except (pa.ArrowException, OSError):
                continue
            concerned = wrong.intersection(each.encode() for each in held)
            if concerned:
                told = f"has {len(concerned)} trials with rows lacking or doubled in {table}"
                yield Problem(
                    f"{holder}/{part.name}", f"{told}, as {min(concerned).decode()}", part
                )
