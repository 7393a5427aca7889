"""Stores as DuckDB views, to be queried in SQL.

    runs, layers, curves    the tables, as analysis.reading.stores reads them
    manifest                sweeps, versions and thresholds: one row per key, with its value
    cells                   every cell of traced maps, as of analysis.reading.cells
    near(a, b)              a macro: whether two numbers agree as far as three digits show

Queries can reach nothing else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from analysis.reading.cells import read_cells
from analysis.reading.older_rows import OlderRows
from analysis.reading.stores import TABLES, MissingTableError, read_manifest, table_dataset

VIEWS = (*TABLES, "manifest", "cells")
TAKEN_NAMES = ("main", "temp", "system", "information_schema", "pg_catalog")

# A number rounded to three digits is at most 0.5% from itself: 1.005 shown as 1.01 is farthest.
NEAR = "create macro near(a, b) as abs(a - b) <= 0.00501 * abs(b)"

# The views read through Arrow, so DuckDB itself needs no file at all: with external
# access off a query can read nothing but the views, and write nothing anywhere.
LOCKS = (
    "SET temp_directory = ''",  # refused once external access is off
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def connect(
    store: str | Path | Mapping[str, str | Path], sql: str = ""
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with a view `manifest`, and one for each table that has rows.

    A store of a traced sweep also has a view `cells`, if `sql`, the query to come, names it: it is
    found anew from the runs each time.

    Of several stores, given by name, each has its views in a schema: `a.runs`, `b.runs`.
    A query cannot reach outside them: no other file, no network, no extension, no
    change of these settings, and no writing, not even to a store.

    Raises:
        NotAStoreError: There is no store at a path or URL.
        MissingTableError: A store has no runs yet.
        ValueError: A name cannot be one of a schema.
    """
    named = store if isinstance(store, Mapping) else {"main": store}
    if isinstance(store, Mapping):
        _require_names(named)
    connection = duckdb.connect()
    connection.execute(NEAR)
    for name, each in named.items():
        connection.execute(f'create schema if not exists "{name}"')
        connection.execute(f'use "{name}"')
        _create_views(connection, each)
        if re.search(r"\bcells\b", sql, re.IGNORECASE):
            _create_cells(connection, each)
    connection.execute("use main")
    for lock in LOCKS:
        connection.execute(lock)
    return connection


def _require_names(names: Mapping[str, Any]) -> None:
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name.lower() in TAKEN_NAMES:
            raise ValueError(f"{name!r} cannot name a store in SQL; give another, as in a=STORE")
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(f"SQL does not tell {', '.join(names)} apart; give other names")


def _create_views(connection: duckdb.DuckDBPyConnection, store: str | Path) -> None:
    """The views of one store, in the schema that is in use."""
    described = _manifest_rows(read_manifest(store))
    for table in TABLES:
        try:
            dataset = table_dataset(store, table)
        except MissingTableError:
            if table == "runs":
                raise
            continue
        relation = connection.from_arrow(dataset)
        if table == "runs":
            older = OlderRows(dataset.schema)
            relation = relation.select(*map(older.view_column, older.schema.names))
        relation.create_view(table)
    connection.from_arrow(described).create_view("manifest")


def _create_cells(connection: duckdb.DuckDBPyConnection, store: str | Path) -> None:
    """The view of all cells of a store's traced maps, if it has any."""
    cells = read_cells(store)
    if cells is not None:
        table = pa.Table.from_pandas(cells, preserve_index=False)
        connection.from_arrow(table).create_view("cells")


def _manifest_rows(manifest: Mapping[str, Any]) -> pa.Table:
    """The manifest in two columns of text: keys such as versions.numpy, and their values."""
    keys, values = zip(*_leaves("", manifest), strict=True) if manifest else ((), ())
    return pa.table(
        {"key": pa.array(keys, pa.string()), "value": pa.array(values, pa.string())},
    )


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str | None]]:
    """Each single value within, or list of single values, with its key; text as it is."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(f"{key}.{name}" if key else name, each)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for place, each in enumerate(value, start=1):
            yield from _leaves(f"{key}.{place}", each)
    else:
        yield key, value if value is None or isinstance(value, str) else json.dumps(value)
