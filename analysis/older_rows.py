"""Rows written before a setting existed: they stand for its default without saying so.

Where a reader meets no value of such a setting, be it NULL or no column at all, it reads
the default of core.trials, in the type that the setting has there.
"""

from collections.abc import Sequence
from dataclasses import fields

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from core.trials import DEFAULTS, Trial


def with_later_settings(schema: pa.Schema) -> pa.Schema:
    """The schema of `runs` and, after its own columns, those of the settings that it lacks."""
    lacking = (f for f in fields(Trial) if f.name in DEFAULTS and f.name not in schema.names)
    for field in lacking:
        about = {name: field.metadata[name] for name in ("meaning", "unit")}
        kind = pa.scalar(DEFAULTS[field.name]).type
        schema = schema.append(pa.field(field.name, kind, metadata=about))
    return schema


def filled(rows: pa.Table) -> pa.Table:
    """Rows of `runs`, any columns of them, with a default in the place of every NULL."""
    for place, field in enumerate(rows.schema):
        if field.name in DEFAULTS:
            default = pa.scalar(DEFAULTS[field.name], field.type)
            rows = rows.set_column(place, field, pc.fill_null(rows[field.name], default))
    return rows


def condition_column(name: str) -> ds.Expression:
    """A column of `runs` as a condition on it should see it."""
    column = ds.field(name)
    return pc.coalesce(column, pc.scalar(DEFAULTS[name])) if name in DEFAULTS else column


def view_columns(names: Sequence[str]) -> list[duckdb.Expression]:
    """The columns of DuckDB's view `runs`."""
    return [_view_column(name) for name in names]


def _view_column(name: str) -> duckdb.Expression:
    column = duckdb.ColumnExpression(name)
    if name not in DEFAULTS:
        return column
    return duckdb.CoalesceOperator(column, duckdb.ConstantExpression(DEFAULTS[name])).alias(name)
