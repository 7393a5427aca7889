"""Columns that only name or count a table's rows, such as an index saved with the table."""

import re

import numpy as np
import pyarrow as pa

from pipeline.data_files.columns import Kind, distinct, kind_of
from pipeline.data_files.reading import DataFileError, drop_setting
from pipeline.data_files.tables import DataTable

# What pandas writes above an index, and reads such a column back as.
UNNAMED = re.compile(r"|Unnamed: 0(\.\d+)?|__index_level_\d+__")


def without_row_names(table: DataTable) -> DataTable:
    """The table without unnamed first columns that merely name each row.

    Raises:
        DataFileError: Rows share a name in such a column, so it is no index.
    """
    while table.columns and UNNAMED.fullmatch(first := next(iter(table.columns))):
        table.notes.append(_note(table, first))
        table = table.without([first])
    return table


def _note(table: DataTable, name: str) -> str:
    """The note that the column was left out; a DataFileError if it is no index."""
    column = table.columns[name]
    names = kind_of(column) in (Kind.text, Kind.dates, Kind.mixed) or _is_whole(column)
    if not names or distinct(column) < len(column):
        raise DataFileError(
            f"{table.path}: the first column has no name ({name!r}) and does not distinguish rows; "
            f"name it in the file to learn from it, or set {drop_setting([name])}"
        )
    how = "counts rows" if counts_rows(column) else "differs in every row"
    return (
        f"the first column has no name ({name!r}) and {how}, as an index that was saved with the "
        "table: it was left out; name it in the file to learn from it"
    )


def note_row_numbers(table: DataTable) -> None:
    """Note that named columns which count rows are used as features."""
    for name, column in table.columns.items():
        if counts_rows(column):
            table.notes.append(
                f"column {name!r} looks like a row number and is a feature; "
                f"{drop_setting([name])} leaves it out"
            )


def counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether a column is 0 .. n - 1 or 1 .. n, in this order."""
    if not _is_whole(column) or column.null_count or not len(column):
        return False
    numbers = column.to_numpy()
    return numbers[0] in (0, 1) and bool((numbers == numbers[0] + np.arange(len(numbers))).all())


def _is_whole(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_integer(column.type))
