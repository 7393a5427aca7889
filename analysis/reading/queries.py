"""SQL over a store's views, answered in Arrow; errors say what could be asked."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from analysis.reading.stores import TABLES, connect, data_dictionary, read_schema

ROWS_AT_ONCE = 50_000
DESCRIBE = re.compile(rf"\s*describe\s+({'|'.join(TABLES)})\s*;?\s*", re.IGNORECASE)


class QueryError(ValueError):
    """A query that cannot be answered; the message says why and what there is to ask."""


def answer(store: str | Path, sql: str) -> Iterator[pa.RecordBatch]:
    """The rows that a query selects, in one or more batches; the first may be empty.

    `describe runs`, and of the other views, is the data dictionary: column, type, unit
    and meaning.

    Raises:
        NotAStoreError: There is no store at `store`.
        MissingTableError: The store has no runs yet, or not the table to describe.
        QueryError: DuckDB refuses the query, before it runs or while it does.
    """
    described = DESCRIBE.fullmatch(sql)
    if described:
        schema = read_schema(store, described[1].lower())
        meanings = pa.Table.from_pandas(data_dictionary(schema), preserve_index=False)
        yield from meanings.to_batches()
        return
    with connect(store) as connection:
        try:
            result = connection.sql(sql)
            if result is None:
                raise QueryError(f"the query selects nothing; {_views(connection)}")
            rows = result.to_arrow_reader(ROWS_AT_ONCE)
            yield pa.RecordBatch.from_pylist([], schema=rows.schema)
            yield from rows
        except duckdb.Error as error:
            raise QueryError(_explained(error, sql, connection)) from error


def _explained(error: duckdb.Error, sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's message with the views or columns that a wrong name could have meant."""
    message = str(error).strip()
    if isinstance(error, duckdb.BinderException):
        asked = [view for view in _existing(connection) if re.search(rf"\b{view}\b", sql, re.I)]
        columns = [f"{view}: {', '.join(connection.view(view).columns)}" for view in asked]
        return "\n".join([message, "", "The columns are", *columns])
    if isinstance(error, duckdb.PermissionException):
        message += "\nA query reads the store's views and nothing else."
    return f"{message}\n\n{_views(connection)}"


def _views(connection: duckdb.DuckDBPyConnection) -> str:
    views = _existing(connection)
    return (
        f"The views are {', '.join(views)}; `describe {views[0]}` "
        "lists its columns with their meanings."
    )


def _existing(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The views that the store has rows for, in the order of TABLES."""
    found = {name for (name,) in connection.execute("show tables").fetchall()}
    return [table for table in TABLES if table in found]
