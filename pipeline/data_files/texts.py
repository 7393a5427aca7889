"""Text files of separated values as tables; pyarrow does the reading."""

import gzip
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from pipeline.data_files.encodings import decoded
from pipeline.data_files.reading import DataFileError, Reading, listed
from pipeline.data_files.separators import separator_of
from pipeline.data_files.tables import DataTable, Rows, reporting_damage, unique_columns

LARGEST_BLOCK = 2**31 - 1

# Not `str.splitlines`, which also ends lines at letters of some encodings.
LINE_END = re.compile(r"\r\n|\r|\n")


def read_text(content: bytes, path: Path, reading: Reading) -> DataTable:
    """The columns of a text file.

    Raises:
        DataFileError: Another encoding or separator than was said, or lines of unequal length.
    """
    with reporting_damage(path):
        content = gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    text = decoded(content, path, reading.encoding)
    separator = separator_of(text, path, reading.separator)
    names, columns, notes = _columns(text, path, separator)
    places, counted = _places(text, len(columns[0]))
    return DataTable(path, unique_columns(path, names, columns), places, counted, notes)


def _columns(
    text: str, path: Path, separator: str
) -> tuple[list[str], list[pa.ChunkedArray], list[str]]:
    """The names, the columns, and a note on empty ones that were left out."""
    table, bad = _parsed(text, path, separator)
    if bad and not len(table) and all(row.actual_columns == len(table.schema) + 1 for row in bad):
        table, bad = _parsed(text, path, separator, names=[*table.column_names, ""])
        _refuse_shifted(table, path)
    if bad:
        raise DataFileError(f"{path}: {_unequal_lines(bad, *_places(text, len(table) + len(bad)))}")
    return _without_empty(table, separator)


def _unequal_lines(bad: list[pa.csv.InvalidRow], places: Rows, counted: str) -> str:
    """The lines whose number of cells differs from the number of names in the first line."""
    each = [f"{counted} {places[row.number - 2]:,} holds {row.actual_columns} cells" for row in bad]
    return (
        f"the first line names {bad[0].expected_columns} columns, but {listed(each)}; give each "
        "line as many: quote a cell that holds the separator, of which one at the end of a line "
        "makes a cell too"
    )


def _without_empty(
    table: pa.Table, separator: str
) -> tuple[list[str], list[pa.ChunkedArray], list[str]]:
    """The names and columns, except those with neither a name nor a value, and a note on these."""
    empty = [
        place
        for place, name in enumerate(table.column_names)
        if name == "" and table.column(place).null_count == len(table) > 0
    ]
    if not empty or len(empty) == table.num_columns:
        return table.column_names, table.columns, []
    kept = table.select([n for n in range(table.num_columns) if n not in empty])
    what = f"{len(empty)} empty columns without a name were"
    if len(empty) == 1:
        what = "an empty column without a name was"
    note = f"{what} left out, as of lines that end with {separator!r}"
    return kept.column_names, kept.columns, [note]


def _parsed(
    text: str, path: Path, separator: str, names: list[str] | None = None
) -> tuple[pa.Table, list[pa.csv.InvalidRow]]:
    """The table, with `names` for those of the first line, and the lines of another length."""
    bad: list[pa.csv.InvalidRow] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    content = text.encode()
    # One block, so that a column's type is that of all its cells, not of the first ones.
    # One thread, so that the numbers of invalid lines are known.
    block = min(len(content) + 1, LARGEST_BLOCK)
    header = {"column_names": names, "skip_rows": 1} if names else {}
    with reporting_damage(path):
        table = pa.csv.read_csv(
            pa.BufferReader(content),
            pa.csv.ReadOptions(use_threads=False, block_size=block, **header),
            pa.csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            pa.csv.ConvertOptions(strings_can_be_null=True),
        )
    return table, bad


def _refuse_shifted(table: pa.Table, path: Path) -> None:
    """Refuse lines with one cell more than there are names, unless that cell is empty."""
    filled = table.columns[-1]
    if filled.null_count < len(filled):
        raise DataFileError(
            f"{path}: each line holds one cell more than the first line has names, such as "
            f"{filled.drop_null()[0].as_py()!r} at the end of one; name every column in the "
            "first line, also one that only names the rows"
        )


def _places(text: str, rows: int) -> tuple[Rows, str]:
    """The line of each row in an editor, or the row's number where cells hold line breaks."""
    lines = [number for number, line in enumerate(LINE_END.split(text), 1) if line]
    if len(lines) == rows + 1:
        return np.array(lines[1:], dtype=np.int64), "line"
    return np.arange(1, rows + 1), "row"
