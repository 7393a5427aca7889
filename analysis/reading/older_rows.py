"""Rows written before a column existed: such a row has the setting's default, unwritten.

Where a reader meets no value of a setting that came later, be it NULL or no column at all,
it reads the setting's default: the one that the store's newest file says, as JSON in the
column's metadata, else that of core.trials.
"""

import json
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from core.settings import Value
from core.trainers import JUDGED_BY
from core.trials import SETTINGS

FIRST = {name for name, setting in SETTINGS.items() if setting.default is None}


def with_later_columns(schema: pa.Schema) -> pa.Schema:
    """The schema of `runs` followed by the columns that were added later.

    A store that has not even the first settings of a fully connected network is another
    trainer's, and has all its columns.
    """
    if not set(schema.names) >= FIRST:
        return schema
    later = [setting for name, setting in SETTINGS.items() if name not in FIRST]
    for each in (*later, JUDGED_BY):
        if each.name not in schema.names:
            kind = pa.type_for_alias(each.column_type)
            schema = schema.append(pa.field(each.name, kind, metadata=each.metadata))
    return schema


def defaults(schema: pa.Schema) -> Mapping[str, Value]:
    """The value that a NULL of `runs` means, by column, in the column's own type."""
    ours = set(schema.names) >= FIRST
    found = {}
    for field in schema:
        written = (field.metadata or {}).get(b"default")
        known = SETTINGS[field.name].encoded_default if ours and field.name in SETTINGS else None
        value = known if written is None else json.loads(written)
        if value is not None:
            found[field.name] = pa.scalar(value).cast(field.type).as_py()
    return found


def filled(rows: pa.Table, standing_for: Mapping[str, Value]) -> pa.Table:
    """Rows of `runs` with a default in place of every NULL; not all columns need be there."""
    for place, field in enumerate(rows.schema):
        if field.name in standing_for:
            default = pa.scalar(standing_for[field.name], field.type)
            rows = rows.set_column(place, field, pc.fill_null(rows[field.name], default))
    return rows


def condition_column(name: str, standing_for: Mapping[str, Value]) -> ds.Expression:
    """A column of `runs` for use in a condition: NULL is replaced by the default."""
    column = ds.field(name)
    return pc.coalesce(column, pc.scalar(standing_for[name])) if name in standing_for else column


def view_column(name: str, standing_for: Mapping[str, Value]) -> duckdb.Expression:
    """A column of DuckDB's view `runs`: NULL is replaced by the default."""
    column = duckdb.ColumnExpression(name)
    if name not in standing_for:
        return column
    default = duckdb.ConstantExpression(standing_for[name])
    return duckdb.CoalesceOperator(column, default).alias(name)
