"""The columns of a table as the features of a data set, or the reasons why they cannot be."""

from collections.abc import Iterator
from math import inf

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data_files.columns import Kind, distinct, kind_of, missing, strays
from pipeline.data_files.reading import Reading, drop_setting, listed
from pipeline.data_files.tables import DataTable

Matrix = NDArray[np.float64]

MOST_CATEGORIES = 1000
# So few distinct texts are always categories, even if there is one for every second row or they
# look like numbers.
FEW_CATEGORIES = 20


def feature_matrix(table: DataTable, reading: Reading) -> Matrix:
    """The features, (rows, features); a column of text becomes one feature per distinct text.

    Args:
        table: Columns without any of `problems`, rows dropped where cells are missing.
        reading: With `missing: mean`, a missing cell is the mean of its feature.
    """
    blocks = [_block(column) for column in table.columns.values()]
    encoded = [
        f"{name!r} ({block.shape[1]} categories)"
        for (name, column), block in zip(table.columns.items(), blocks, strict=True)
        if kind_of(column) is not Kind.numbers
    ]
    if encoded:
        table.notes.append(f"one feature a category: {listed(encoded)}")
    matrix = np.concatenate(blocks, axis=1)
    absent = np.isnan(matrix)
    if absent.any():
        matrix = np.where(absent, np.nanmean(matrix, axis=0), matrix)
        filled = [name for name, column in table.columns.items() if missing(column).any()]
        table.notes.append(
            f"missing cells of {listed([*map(repr, filled)])} were filled with the column's mean"
        )
    return matrix + 0.0  # -0.0 equals 0.0 but would be hashed to another name


def _block(column: pa.ChunkedArray) -> Matrix:
    """A column's features, (rows, features), NaN where they are missing."""
    if kind_of(column) is Kind.numbers:
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)[:, None]
    categories = sorted(column.unique().drop_null().to_pylist())
    places = pc.index_in(column, value_set=pa.array(categories, column.type))
    numbers = places.fill_null(0).to_numpy()
    return np.where(missing(column)[:, None], np.nan, np.eye(len(categories))[numbers])


def problems(table: DataTable, reading: Reading) -> Iterator[str]:
    """Why columns cannot be features: each message has column, place and the remedying setting."""
    kinds = {name: kind_of(column) for name, column in table.columns.items()}
    left = []
    for name, kind in kinds.items():
        is_text = kind in (Kind.text, Kind.mixed)
        if is_text and reading.categories == "one_hot" and _repeats(table, name, kind):
            continue
        if kind in (Kind.grouped_numbers, Kind.mixed):
            yield _stray(table, name, kind)
        elif kind is Kind.text:
            left.append(name)
        elif kind is not Kind.numbers:
            yield _no_feature(table, name, kind)
        elif (problem := _infinite(table, name)) is not None:
            yield problem
    categories = [name for name in left if _repeats(table, name, Kind.text)]
    unlike = [name for name in left if name not in categories]
    for names, remedy in (categories, "set categories: one_hot, or "), (unlike, ""):
        if names:
            counted = [f"{name!r} ({distinct(table.columns[name]):,} different)" for name in names]
            yield f"text in {listed(counted)}: {remedy}leave out with {drop_setting(names)}"


def _repeats(table: DataTable, name: str, kind: Kind) -> bool:
    """Whether the texts of a column are so few that each can be a feature."""
    count = distinct(table.columns[name])
    most = FEW_CATEGORIES if kind is Kind.mixed else max(FEW_CATEGORIES, len(table) // 2)
    return count <= min(most, MOST_CATEGORIES)


def _stray(table: DataTable, name: str, kind: Kind) -> str:
    column = table.columns[name]
    rows = np.flatnonzero(strays(column, kind))
    found = listed([repr(text) for text in column.take(pa.array(rows)).unique().to_pylist()])
    remedy = (
        "write a point for the decimals and nothing between thousands"
        if kind is Kind.grouped_numbers
        else "leave such cells empty and set missing: drop or mean, or set categories: one_hot "
        f"if they are at most {FEW_CATEGORIES} categories"
    )
    return (
        f"column {name!r} holds {kind}: {found} {table.where(rows)}; {remedy}, "
        f"or {drop_setting([name])}"
    )


def _no_feature(table: DataTable, name: str, kind: Kind) -> str:
    column = table.columns[name]
    found = {Kind.nothing: "no value", Kind.dates: f"dates ({_first(column)})"}
    return (
        f"column {name!r} holds {found.get(kind, column.type)}, a feature must be a number: set "
        f"{drop_setting([name])}, or write numbers in its place"
    )


def _first(column: pa.ChunkedArray) -> str:
    return str(next((cell for cell in column.to_pylist() if cell is not None), ""))


def _infinite(table: DataTable, name: str) -> str | None:
    numbers = table.columns[name].cast(pa.float64()).to_numpy()
    rows = np.flatnonzero(np.abs(numbers) == inf)
    if not len(rows):
        return None
    return (
        f"column {name!r} must be finite, got {numbers[rows[0]]} {table.where(rows)}; write a "
        "number, or leave these cells empty and set missing: drop or mean"
    )
