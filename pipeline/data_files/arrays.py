"""Parquet files and NumPy archives as tables."""

import io
import reprlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from pipeline.data_files.reading import DataFileError, Reading, close_names, listed
from pipeline.data_files.tables import DataTable, reporting_damage, unique_columns

NUMBER_KINDS = "biuf"  # NumPy's letters for truths, whole numbers and floats
TEXT_KINDS = "US"

Array = NDArray[Any]


def read_parquet(content: bytes, path: Path) -> DataTable:
    """A Parquet file's columns, without the index that pandas writes beside them."""
    with reporting_damage(path):
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        index = (table.schema.pandas_metadata or {}).get("index_columns", [])
        columns = [_without_dictionary(column) for column in table.columns]
    named = unique_columns(path, table.column_names, columns)
    stored = [name for name in index if isinstance(name, str) and name in named]
    read = DataTable(path, named, np.arange(1, len(table) + 1), "row")
    if stored:
        read.notes.append(f"pandas' index {listed([*map(repr, stored)])} was left out")
    return read.without(stored)


def _without_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_dictionary = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if is_dictionary else column


def read_npz(content: bytes, path: Path, reading: Reading) -> DataTable:
    """The arrays `features`, (examples, features), and the targets', (examples,), as columns."""
    with reporting_damage(path):
        arrays = _npz_arrays(content)
    missing = [name for name in ("features", *reading.target) if name not in arrays]
    if missing:
        needed = " and ".join(map(repr, ("features", *reading.target)))
        close = "" if missing == ["features"] else close_names(missing[-1], [*arrays])
        raise DataFileError(
            f"{path} needs the arrays {needed}; it has {reprlib.repr([*arrays])}; {close}set "
            "target: to the name of the array to learn"
        )
    features = arrays["features"]
    answers = {name: arrays[name] for name in reading.target}
    for name, array in answers.items():
        if features.ndim != 2 or array.shape != features.shape[:1]:
            raise DataFileError(
                f"{path}: features must be (examples, features) and {name} (examples,), "
                f"got {features.shape} and {array.shape}; give each target an array of its own"
            )
    _require_numbers(path, "features", features, NUMBER_KINDS)
    for name, array in answers.items():
        _require_numbers(path, name, array, NUMBER_KINDS + TEXT_KINDS)
    columns = {f"features[:, {i}]": _column(features[:, i]) for i in range(features.shape[1])}
    columns |= {name: _column(array) for name, array in answers.items()}
    return DataTable(path, columns, np.arange(1, len(features) + 1), "row")


def _require_numbers(path: Path, name: str, array: Array, kinds: str) -> None:
    if array.dtype.kind not in kinds:
        raise DataFileError(f"{path}: {name} must be numbers, got {array.dtype}; convert them")


def _column(array: Array) -> pa.ChunkedArray:
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    return pa.chunked_array([pa.array(array.astype(str) if array.dtype.kind == "S" else array)])


def _npz_arrays(content: bytes) -> dict[str, Array]:
    # Never unpickled: an array of objects in somebody's file could run code.
    with NpzFile(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: np.asarray(arrays[name]) for name in arrays}
