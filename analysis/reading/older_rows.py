"""Rows that an older version wrote: before a column existed, or had the name that it has now.

A row may lack the value of a setting that was added later: the value is NULL, or there is no such
column. Then the setting's default is read: the one in the column's metadata, as JSON, of the
store's newest file, or else the one in core.trials. A column that an older file has under a
former name is read by today's name.
"""

import json
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from core.results import RESULTS
from core.settings import Setting, Value
from core.trainers import ASKED_BY, JUDGED_BY, Column
from core.trials import SETTINGS

FIRST = {name for name, setting in SETTINGS.items() if setting.default is None}
FORMER_NAMES = {column.name: column.formerly for column in RESULTS if column.formerly}


def with_later_columns(schema: pa.Schema) -> pa.Schema:
    """The schema of `runs` with the columns that were added or renamed later.

    A store without the first settings of a fully connected network is another trainer's, and is
    left as it is.
    """
    if not _is_ours(schema):
        return schema
    for column in RESULTS:
        former = FORMER_NAMES.get(column.name)
        if former in schema.names and column.name not in schema.names:
            schema = schema.insert(schema.get_field_index(former), _field(column))
    later = [setting for name, setting in SETTINGS.items() if name not in FIRST]
    added: list[Setting | Column] = [*later, JUDGED_BY, *ASKED_BY]
    for each in added:
        if each.name not in schema.names:
            schema = schema.append(_field(each))
    return schema


class OlderRows:
    """How rows of any version are read, from the schema that with_later_columns gives.

    Attributes:
        schema: The columns by their names of today.
    """

    def __init__(self, schema: pa.Schema):
        """Look up what a NULL in each column means."""
        self._defaults = _defaults(schema)
        former = FORMER_NAMES if _is_ours(schema) else {}
        self._former = {name: before for name, before in former.items() if before in schema.names}
        kept = [field for field in schema if field.name not in self._former.values()]
        self.schema = pa.schema(kept, metadata=schema.metadata)

    def stored(self, names: list[str]) -> list[str]:
        """The columns to read from the files, for some columns by their names of today."""
        return [*names, *(self._former[name] for name in names if name in self._former)]

    def filled(self, rows: pa.Table) -> pa.Table:
        """Rows as the files have them, of `stored` columns, by their names of today."""
        for place, field in enumerate(rows.schema):
            column = rows[field.name]
            if field.name in self._former:
                column = pc.coalesce(column, rows[self._former[field.name]])
            if field.name in self._defaults:
                column = pc.fill_null(column, pa.scalar(self._defaults[field.name], field.type))
            rows = rows.set_column(place, field, column)
        return rows.drop_columns([f for f in self._former.values() if f in rows.column_names])

    def condition_column(self, name: str) -> ds.Expression:
        """A column for use in a condition on the files' rows."""
        choices = [ds.field(each) for each in self.stored([name])]
        if name in self._defaults:
            choices.append(pc.scalar(self._defaults[name]))
        return pc.coalesce(*choices) if len(choices) > 1 else choices[0]

    def view_column(self, name: str) -> duckdb.Expression:
        """A column of DuckDB's view of the table."""
        choices = [duckdb.ColumnExpression(each) for each in self.stored([name])]
        if name in self._defaults:
            choices.append(duckdb.ConstantExpression(self._defaults[name]))
        return duckdb.CoalesceOperator(*choices).alias(name) if len(choices) > 1 else choices[0]


def _is_ours(schema: pa.Schema) -> bool:
    return set(schema.names) >= FIRST


def _field(column: Setting | Column) -> pa.Field:
    kind = pa.type_for_alias(column.column_type)
    return pa.field(column.name, kind, metadata=column.metadata)


def _defaults(schema: pa.Schema) -> Mapping[str, Value]:
    """The value that a NULL of `runs` means, by column, in the column's own type."""
    ours = _is_ours(schema)
    found = {}
    for field in schema:
        written = (field.metadata or {}).get(b"default")
        known = SETTINGS[field.name].encoded_default if ours and field.name in SETTINGS else None
        value = known if written is None else json.loads(written)
        if value is not None:
            found[field.name] = pa.scalar(value).cast(field.type).as_py()
    return found
