"""The targets: classes or numbers, as the sweep file or the column's type says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data_files.columns import Kind, distinct, kind_of, strays
from pipeline.data_files.reading import DataFileError, Reading, listed
from pipeline.data_files.tables import DataTable

# Whole numbers of so few values without gaps are taken for the names of classes.
MOST_GUESSED_CLASSES = 20

Targets = NDArray[np.int64] | NDArray[np.float64]


def targets_of(
    table: DataTable, names: Sequence[str], reading: Reading
) -> tuple[Targets, int | None]:
    """The targets and the number of classes; None if they are numbers.

    Those of one column are (rows,); several are numbers, (rows, columns).

    Raises:
        DataFileError: They cannot be learned, or could be either and `task` does not say.
    """
    if len(names) > 1:
        return _several(table, names, reading), None
    (name,) = names
    column = table.columns[name]
    _require_learnable(table, name, reading.task)
    if (reading.task or _task(table, name)) == "numbers":
        return _finite_numbers(table, name), None
    classes, labels = np.unique(_values(column), return_inverse=True)
    if len(classes) > len(column) / 2:
        raise DataFileError(
            f"{table.path}: {len(classes):,} different classes among the {len(column):,} targets "
            f"in column {name!r}: too few rows of each to learn; set "
            + ("target: to another column" if kind_of(column) is Kind.text else "task: numbers")
        )
    return labels.astype(np.int64), len(classes)


def _several(table: DataTable, names: Sequence[str], reading: Reading) -> NDArray[np.float64]:
    if reading.task == "classes":
        raise DataFileError(
            f"{table.path}: task: classes, but target: names {len(names)} columns, "
            f"{listed([*map(repr, names)])}; several targets must be numbers: name one, or "
            "leave out task"
        )
    for name in names:
        _require_learnable(table, name, "numbers")
    return np.stack([_finite_numbers(table, name) for name in names], axis=1)


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_numpy())


def _require_learnable(table: DataTable, name: str, task: str | None) -> None:
    """Refuse what is neither numbers nor names of classes, and what is the same in every row."""
    column = table.columns[name]
    kind = kind_of(column)
    if kind in (Kind.dates, Kind.other, Kind.nothing):
        raise DataFileError(
            f"{table.path}: column {name!r} holds {column.type}; a target must be numbers, or "
            "text that names classes: set target: to another column"
        )
    if kind in (Kind.grouped_numbers, Kind.mixed) and task != "classes":
        rows = np.flatnonzero(strays(column, kind))
        found = listed([repr(t) for t in column.take(pa.array(rows)).unique().to_pylist()])
        raise DataFileError(
            f"{table.path}: the target {name!r} holds {kind}: {found} {table.where(rows)}; write "
            "plain numbers with a point for the decimals, leave cells empty and set missing: "
            "drop, or set task: classes if each different text names a class"
        )
    if kind is Kind.text and task == "numbers":
        raise DataFileError(
            f"{table.path}: task: numbers, but column {name!r} holds text such as "
            f"{column[0].as_py()!r}; set task: classes, or target: to another column"
        )
    if distinct(column) == 1:
        raise DataFileError(
            f"{table.path}: every target in column {name!r} is {column[0].as_py()!r}; there is "
            "nothing to learn: set target: to another column"
        )


def _task(table: DataTable, name: str) -> str:
    """`classes` or `numbers`, as the type of the column shows.

    Raises:
        DataFileError: Whole numbers that may be either.
    """
    column = table.columns[name]
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        _note_whole(table, name)
        return "numbers"
    if not pa.types.is_integer(column.type):
        return "classes"
    values = np.unique(_values(column))
    gaps = int(values[-1]) - int(values[0]) + 1 > len(values)
    if gaps or len(values) > min(MOST_GUESSED_CLASSES, len(column) / 2):
        raise DataFileError(
            f"{table.path}: the target {name!r} holds {len(values):,} different whole numbers "
            f"from {values[0]} to {values[-1]}{', with gaps' if gaps else ''}: set task: numbers "
            "to regress on them, or task: classes if each names a class"
        )
    return "classes"


def _note_whole(table: DataTable, name: str) -> None:
    """Note that floating-point targets that look like labels are treated as numbers."""
    values = _values(table.columns[name].cast(pa.float64()).unique())
    if len(values) <= MOST_GUESSED_CLASSES and (values == np.round(values)).all():
        table.notes.append(
            f"the {len(values)} different targets in {name!r} are whole but stored as "
            "floating-point numbers: they were read as numbers; task: classes makes them classes"
        )


def _finite_numbers(table: DataTable, name: str) -> NDArray[np.float64]:
    column = table.columns[name]
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    rows = np.flatnonzero(~np.isfinite(numbers))
    if len(rows):
        raise DataFileError(
            f"{table.path}: the target {name!r} must be finite, got {numbers[rows[0]]} "
            f"{table.where(rows)}; write a number, or leave these cells empty and set "
            "missing: drop"
        )
    return numbers + 0.0
