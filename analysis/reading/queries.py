"""SQL over a store's views, answered in Arrow; errors say what could be asked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from analysis.reading.stores import TABLES, data_dictionary, read_schema
from analysis.reading.views import VIEWS, connect

ROWS_AT_ONCE = 50_000
DESCRIBE = re.compile(rf"\s*describe\s+(?:(\w+)\.)?({'|'.join(TABLES)})\s*;?\s*", re.IGNORECASE)


class QueryError(ValueError):
    """A query that cannot be answered; the message says why and what there is to ask."""


def answer(store: str | Path | Mapping[str, str | Path], sql: str) -> Iterator[pa.RecordBatch]:
    """The rows that a query selects, in one or more batches; the first may be empty.

    `describe runs`, and of the other tables, is the data dictionary: column, type, unit
    and meaning.

    Args:
        store: One, or several by name, as of analysis.reading.views.connect.
        sql: The query.

    Raises:
        NotAStoreError: There is no store at `store`.
        MissingTableError: The store has no runs yet, or not the table to describe.
        QueryError: DuckDB refuses the query, before it runs or while it does.
    """
    described = _described(store, sql)
    if described is not None:
        yield from described.to_batches()
        return
    with connect(store, sql) as connection:
        try:
            result = connection.sql(sql)
            if result is None:
                raise QueryError(f"the query selects nothing; {_views(connection)}")
            rows = result.to_arrow_reader(ROWS_AT_ONCE)
            yield pa.RecordBatch.from_pylist([], schema=rows.schema)
            yield from rows
        except duckdb.Error as error:
            raise QueryError(_explained(error, sql, connection)) from error


def _described(store: str | Path | Mapping[str, str | Path], sql: str) -> pa.Table | None:
    """The dictionary of the table that a query describes; None if it is another query."""
    asked = DESCRIBE.fullmatch(sql)
    if not asked:
        return None
    name, table = asked.groups()
    place = _place(store, name)
    if place is None:
        return None
    meanings = data_dictionary(read_schema(place, table.lower()))
    return pa.Table.from_pandas(meanings, preserve_index=False)


def _place(store: str | Path | Mapping[str, str | Path], name: str | None) -> str | Path | None:
    """Where the store of that name is, or the one store, which has none; None if there is none."""
    if isinstance(store, Mapping):
        return store.get(name or "")
    return None if name else store


def _explained(error: duckdb.Error, sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's message with the views or columns that a wrong name could have meant."""
    message = str(error).strip()
    if isinstance(error, duckdb.BinderException):
        views = _existing(connection)
        asked = [view for view in views if re.search(rf"\b{view}\b", sql, re.I)]
        columns = [f"{view}: {', '.join(connection.table(view).columns)}" for view in asked]
        return "\n".join([message, "", "The columns are", *columns])
    if re.search(r"\bcells\b", sql, re.IGNORECASE) and not _has_cells(connection):
        message += (
            "\ncells are the map of a traced sweep (trace: in its file); this store has none."
        )
    if isinstance(error, duckdb.PermissionException):
        message += "\nA query reads the store's views and nothing else."
    return f"{message}\n\n{_views(connection)}"


def _has_cells(connection: duckdb.DuckDBPyConnection) -> bool:
    return any(view.split(".")[-1] == "cells" for view in _existing(connection))


def _views(connection: duckdb.DuckDBPyConnection) -> str:
    views = _existing(connection)
    return (
        f"The views are {', '.join(views)}; `describe {views[0]}` "
        "lists its columns with their meanings."
    )


def _existing(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The views that there are, as SQL names them: store by store, in the order of VIEWS."""
    found = connection.execute(
        "select schema_name, view_name from duckdb_views() where not internal order by view_oid"
    ).fetchall()
    stores = list(dict.fromkeys(schema for schema, _ in found))
    return [
        view if schema == "main" else f"{schema}.{view}"
        for schema in stores
        for view in VIEWS
        if (schema, view) in found
    ]
