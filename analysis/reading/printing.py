"""Tables as text: aligned for a terminal, as blocks where they are too wide, or as JSON."""

import json
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

SIGNIFICANT_DIGITS = 5
GAP = "  "
LEAST_WRAPPED = 24  # characters of a line that make a text readable


def aligned(rows: pa.Table, width: int) -> str:
    """One line per row if that fits into the width, else one block per row, one line per column.

    A text in the last column is wrapped if that makes the lines fit.

    Numbers are given to five significant digits and NULL as nothing; CSV and JSON have
    every digit.

    Args:
        rows: Few enough to be read.
        width: Of the terminal, in characters.
    """
    columns = [[_shown(value) for value in column.to_pylist()] for column in rows.columns]
    numeric = [
        pa.types.is_floating(t) or pa.types.is_integer(t) or pa.types.is_decimal(t)
        for t in rows.schema.types
    ]
    wide = [max(map(len, [n, *c])) for n, c in zip(rows.column_names, columns, strict=True)]
    room = width - sum(wide[:-1]) - len(GAP) * (len(wide) - 1)  # for the last column
    if wide[-1] > room and (numeric[-1] or room < LEAST_WRAPPED) and rows.num_rows:
        return "\n\n".join(_blocks(rows.column_names, columns))
    wide[-1] = min(wide[-1], max(room, len(rows.column_names[-1])))
    lines = [rows.column_names, *zip(*columns, strict=True)]
    return "\n".join(line for cells in lines for line in _wrapped(cells, wide, numeric))


def _wrapped(cells: Sequence[str], wide: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    """The lines of a row: a text in the last cell that is too long is wrapped."""
    *others, last = cells
    for number, part in enumerate(textwrap.wrap(last, max(1, wide[-1])) or [""]):
        yield _line([*(others if number == 0 else [""] * len(others)), part], wide, numeric)


def _line(cells: Sequence[str], wide: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [
        cell.rjust(size) if to_the_right else cell.ljust(size)
        for cell, size, to_the_right in zip(cells, wide, numeric, strict=True)
    ]
    return GAP.join(padded).rstrip()


def _blocks(names: Sequence[str], columns: Sequence[Sequence[str]]) -> Iterator[str]:
    longest = max(map(len, names))
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        lines = [
            f"{name:<{longest}}{GAP}{cell}".rstrip()
            for name, cell in zip(names, cells, strict=True)
        ]
        yield "\n".join([f"row {number}", *lines])


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{SIGNIFICANT_DIGITS}g}"
    return printable(str(value))


def printable(text: str) -> str:
    """Text with its control characters escaped: the words of a store must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def json_lines(rows: pa.RecordBatch) -> Iterator[str]:
    """Each row as a JSON object; NULL, NaN and infinity as null, dates as text."""
    for row in rows.to_pylist():
        yield json.dumps({name: _json_value(value) for name, value in row.items()}, default=str)


def json_document(value: Any) -> str:
    """Mappings, sequences and numbers, NumPy's among them, as JSON; as json_lines."""
    return json.dumps(_json_ready(value), indent=2, default=str)


def _json_ready(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _json_ready(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(each) for each in value]
    return _json_value(value.item() if isinstance(value, np.generic) else value)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):  # what DuckDB makes of a sum of integers
        return int(value) if value == value.to_integral_value() else float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
