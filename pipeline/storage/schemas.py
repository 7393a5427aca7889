"""The store's tables: Arrow schemas from a trainer's description, and trainings as rows.

Every column carries its unit and meaning in the Parquet metadata, from which the data dictionary
is made. The column of a setting that was added later also carries its default, as JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.settings import Setting, Trials, values_of
from core.trainers import ASKED_BY, JUDGED_BY, Column, Columns, Table, Trainer
from pipeline.provenance import machine_kind
from pipeline.trainer_checks import TrainerError, check

SCHEMA_VERSION = 5

# NumPy's kinds of arrays that a column is made from; O are objects, None among them.
ACCEPTED = {str: "UO", int: "iufO", float: "iufO", bool: "bO"}

TRIAL_ID = Column("trial_id", str, "content address of the settings, 24 hex digits", "name")
# After a trial's settings and results: where its row comes from.
ORIGIN = (
    Column("trainer", str, "version of what trained it; NULL: 1", "name"),
    JUDGED_BY,
    Column(
        "processor",
        str,
        "kind of processor that trained it, as LLVM calls it; NULL: unknown",
        "name",
    ),
    Column("blas", str, "linear algebra that it was trained with; NULL: unknown", "name"),
    *ASKED_BY,
    Column("batch_id", str, "the task that trained it", "name", required=True),
)
PLACE = Column("place", int, "which of the trials a row belongs to", required=True)


@dataclass(frozen=True)
class Rows:
    """The rows that a batch adds to the store.

    Sent to another process they lose the columns' meanings, which the store has: with those, and
    column by column as Arrow pickles a table, the driver would take ten times as long per batch.

    Attributes:
        tables: By name; `runs` last, since a row there says that the trial is finished.
    """

    tables: Mapping[str, pa.Table]

    @property
    def runs(self) -> pa.Table:
        """A row per trial."""
        return self.tables["runs"]

    def __reduce__(self) -> tuple[Any, ...]:
        """Each table as a stream without metadata."""
        return _received, ({name: _stream(table) for name, table in self.tables.items()},)


def _stream(table: pa.Table) -> pa.Buffer:
    """A table as Arrow's stream; its columns keep their names and types alone."""
    bare = pa.table(table.columns, names=table.column_names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, bare.schema) as writer:
        writer.write_table(bare)
    return sink.getvalue()


def _received(streams: Mapping[str, pa.Buffer]) -> Rows:
    return Rows({name: pa.ipc.open_stream(stream).read_all() for name, stream in streams.items()})


def schemas(trainer: Trainer) -> dict[str, pa.Schema]:
    """The schemas of a trainer's tables by name, `runs` first.

    Raises:
        TrainerError: Two columns of a table have one name, or as check raises.
    """
    check(trainer)
    settings = map(_field, trainer.settings.values())
    runs = [*settings, *map(_field, (*trainer.results, *ORIGIN))]
    tables = {name: list(map(_field, t.columns)) for name, t in trainer.tables.items()}
    return {name: _schema(name, fields) for name, fields in {"runs": runs, **tables}.items()}


def columns_of(trainer: Trainer, table: str) -> tuple[Column, ...]:
    """The columns of a table besides the settings: trial_id, the results and the store's own."""
    if table == "runs":
        return TRIAL_ID, *trainer.results, *ORIGIN
    return TRIAL_ID, *trainer.tables[table].columns


def former_names(trainer: Trainer, table: str) -> dict[str, str]:
    """The names that columns of a table have in older files, by their names of today."""
    columns = columns_of(trainer, table)
    return {column.name: column.formerly for column in columns if column.formerly}


def thresholds_digest(thresholds: Mapping[str, float]) -> str:
    """The name of these thresholds in a row: 12 hex digits, the same for the same numbers."""
    numbers = {name: float(number) for name, number in thresholds.items()}
    return blake2b(json.dumps(numbers, sort_keys=True).encode(), digest_size=6).hexdigest()


def rows_of(
    trainer: Trainer,
    trials: Trials[Any],
    columns: Mapping[str, Columns],
    batch_id: str,
    asked: Columns = MappingProxyType({}),
) -> Rows:
    """The rows of the store's tables from what a trainer returned for some trials.

    Args:
        trainer: What trained them.
        trials: The trials, in the order of the rows.
        columns: By table, as Trainer.train returns them; a number that is not finite is NULL.
        batch_id: The task that trained them.
        asked: The columns ASKED_BY of a traced sweep's trials, (trials,) each; none of others.

    Raises:
        TrainerError: A table or column is missing, was not described, has another length, or
            holds what its description excludes.
    """
    known = schemas(trainer)
    _require_the_same("tables", ["runs", *trainer.tables], columns)
    ids = pa.array(trials.ids(), pa.string())
    tables = {
        name: pa.Table.from_arrays(
            _further_arrays(name, table, columns[name], ids), schema=known[name]
        )
        for name, table in trainer.tables.items()
    }
    results = _arrays("runs", trainer.results, columns["runs"], len(trials))
    kind, judged_by = machine_kind(), thresholds_digest(trainer.thresholds)
    origin = (trainer.version, judged_by, kind.processor, kind.blas)
    unasked = [None] * len(trials)
    runs = [
        ids,
        *_setting_arrays(trainer.settings, trials),
        *results,
        *(pa.repeat(value, len(trials)) for value in origin),
        *(pa.array(asked.get(each.name, unasked), _arrow_type(each)) for each in ASKED_BY),
        pa.repeat(batch_id, len(trials)),
    ]
    return Rows({**tables, "runs": pa.Table.from_arrays(runs, schema=known["runs"])})


def problems_of(column: Column, values: pa.Array | pa.ChunkedArray) -> Iterator[str]:
    """How a column violates its description, in words: `has 2 rows without 'outcome'`."""
    if column.required and values.null_count:
        yield f"has {values.null_count} rows without {column.name!r}"
    if column.choices:
        unknown = set(pc.unique(values).to_pylist()) - {None, *column.choices}
        if unknown:
            known = ", ".join(column.choices)
            yield f"has {column.name} {min(unknown)!r}; known are {known}"


def _field(column: Setting | Column) -> pa.Field:
    return pa.field(column.name, _arrow_type(column), metadata=column.metadata)


def _arrow_type(column: Setting | Column) -> pa.DataType:
    return pa.type_for_alias(column.column_type)


def _schema(table: str, fields: Sequence[pa.Field]) -> pa.Schema:
    named = [_field(TRIAL_ID), *fields]
    names = [field.name for field in named]
    for name in names:
        if names.count(name) > 1:
            raise TrainerError(f"{table} would have two columns {name!r}; rename the trainer's")
    return pa.schema(named, metadata={"phasesweep_schema_version": str(SCHEMA_VERSION)})


def _setting_arrays(settings: Mapping[str, Setting], trials: Trials[Any]) -> Iterator[pa.Array]:
    """One column per setting: a common value repeated, or the values of the trials."""
    shared = values_of(trials.shared)
    for name, setting in settings.items():
        kind = _arrow_type(setting)
        if name in trials.columns:
            yield pa.array(trials.columns[name], kind)
        else:
            yield pa.repeat(pa.scalar(shared[name], kind), len(trials))


def _further_arrays(name: str, table: Table, columns: Columns, ids: pa.Array) -> list[pa.Array]:
    """Rows of trials that are given by their places: the trials' ids, then the columns."""
    length = len(np.atleast_1d(columns.get("place", ())))
    places, *arrays = _arrays(name, (PLACE, *table.columns), columns, length)
    within = pc.and_(pc.greater_equal(places, 0), pc.less(places, len(ids)))
    if pc.all(within).as_py() is False:
        raise TrainerError(f"{name}: a place of the trainer's is none of {len(ids)} trials")
    return [ids.take(places), *arrays]


def _arrays(
    table: str, described: Sequence[Column], columns: Columns, length: int
) -> list[pa.Array]:
    """A table's columns in the order described, each checked against its description."""
    _require_the_same(f"columns of {table}", [column.name for column in described], columns)
    arrays = []
    for column in described:
        array = _array(table, column, columns[column.name])
        if len(array) != length:
            raise TrainerError(f"{table}: {column.name} has {len(array)} rows, expected {length}")
        for problem in problems_of(column, array):
            raise TrainerError(f"{table}: what the trainer returned {problem}")
        arrays.append(array)
    return arrays


def _array(table: str, column: Column, values: Any) -> pa.Array:
    """Values as an Arrow array of the column's type: never NaN or infinity in it."""
    kind, given = _arrow_type(column), np.asarray(values)
    if not given.size:
        return pa.nulls(len(given), kind)
    if given.dtype.kind not in ACCEPTED[column.kind]:
        raise TrainerError(f"{table}: {column.name} holds {given.dtype}, described as {kind}")
    try:
        array = pa.array(given, kind if given.dtype.kind in "OU" else None, from_pandas=True)
        if pa.types.is_floating(array.type):
            array = pc.if_else(pc.is_finite(array), array, None)
        return array.cast(kind)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise TrainerError(f"{table}: {column.name} is no column of {kind}: {error}") from error


def _require_the_same(what: str, described: Sequence[str], returned: Mapping[str, Any]) -> None:
    missing = [name for name in described if name not in returned]
    unknown = [name for name in returned if name not in described]
    if missing:
        raise TrainerError(f"the trainer returned no {missing[0]!r} among the {what}")
    if unknown:
        raise TrainerError(
            f"the trainer returned {unknown[0]!r} among the {what}, which it does not describe"
        )
