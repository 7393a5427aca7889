"""A user's own data file as a data set: Parquet, CSV or NumPy's npz, with a target.

In a table the column `target` is what to learn and every other column is a feature. An
.npz holds `features`, (examples, features), and `target`, (examples,). Whole numbers,
truths and text as targets are class labels; floating-point numbers are to be regressed on.
"""

import hashlib
import io
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from core.datasets import Dataset

TARGET = "target"
SUFFIXES = (".parquet", ".csv", ".npz")

TEXT_TYPES = (pa.string(), pa.large_string(), pa.string_view())
NUMBER_KINDS = "biuf"  # NumPy's letters for truths, whole numbers and floats
TEXT_KINDS = "US"

Array = NDArray[Any]
Matrix = NDArray[np.float64]


class DataFileError(ValueError):
    """A file that cannot be trained on; the message names it, the place and the remedy."""


def load_data_file(path: Path) -> Dataset:
    """The file's examples, under a name that holds the hash of its content.

    Raises:
        DataFileError: No such file, another kind of file, no target, fewer than two
            examples, nothing to learn, or features that are not finite numbers.
    """
    if path.suffix not in SUFFIXES:
        raise DataFileError(f"{path} must end in one of {', '.join(SUFFIXES)}")
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for a path that no file can have
        reason = getattr(error, "strerror", None) or error
        raise DataFileError(f"cannot read {path}: {reason}; give a file that can be") from error
    read = _npz_arrays if path.suffix == ".npz" else _table_arrays
    features, target = read(content, path)
    if (target == target[0]).all():
        raise DataFileError(f"{path}: every {TARGET} is the same; there is nothing to learn")
    name = f"{path.name}-{hashlib.blake2b(content, digest_size=6).hexdigest()}"
    if target.dtype.kind == "f":
        return Dataset(name, features, _finite(target, path, TARGET), None)
    classes, labels = np.unique(target, return_inverse=True)
    _require_few_classes(len(classes), len(labels), path)
    return Dataset(name, features, labels.astype(np.int64), len(classes))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # readers raise almost anything on damaged files
        raise DataFileError(
            f"{path} is no readable {path.suffix} file: {error}; write it again"
        ) from error


def _table_arrays(content: bytes, path: Path) -> tuple[Matrix, Array]:
    """The features, (examples, features), and the target, (examples,), of a table."""
    with _damage_told(path):
        names, columns = _read_table(content, path.suffix)
    for name in (TARGET, *names):
        if names.count(name) != 1:
            raise DataFileError(
                f"{path} needs one column named {name!r}, it has {names.count(name)} among "
                f"{reprlib.repr(names)}; {TARGET!r} is what to learn, the others are features"
            )
    _require_enough(len(columns[0]), len(names) - 1, path)
    by_name = dict(zip(names, columns, strict=True))
    target = _target(by_name.pop(TARGET), path)
    return np.stack([_numbers(c, path, name) for name, c in by_name.items()], axis=1), target


def _read_table(content: bytes, suffix: str) -> tuple[list[str], list[pa.ChunkedArray]]:
    """The columns with their names, without the index that pandas writes beside them."""
    source = pa.BufferReader(content)
    if suffix == ".csv":
        empty_is_missing = pa.csv.ConvertOptions(strings_can_be_null=True)
        table = pa.csv.read_csv(source, convert_options=empty_is_missing)
        return table.column_names, table.columns
    table = pq.ParquetFile(source).read()
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    kept = [place for place, name in enumerate(table.column_names) if name not in index]
    columns = [_without_dictionary(table.column(place)) for place in kept]
    return [table.column_names[place] for place in kept], columns


def _without_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_dictionary = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if is_dictionary else column


def _target(column: pa.ChunkedArray, path: Path) -> Array:
    _require_whole(column, path, TARGET)
    if column.type not in TEXT_TYPES and not _is_number(column.type):
        raise DataFileError(
            f"{path}: column {TARGET!r} holds {column.type}; a target must be numbers, or "
            "text that names classes"
        )
    return np.asarray(column.to_numpy())


def _numbers(column: pa.ChunkedArray, path: Path, name: str) -> Matrix:
    _require_whole(column, path, name)
    if not _is_number(column.type):
        raise DataFileError(
            f"{path}: column {name!r} holds {column.type}{_stray(column)}; a feature must be "
            "a number: encode it, or drop the column"
        )
    return _finite(column.to_numpy(), path, name)


def _stray(column: pa.ChunkedArray) -> str:
    """A text that is no number, to find it by in a column that should hold numbers."""
    texts = column.to_pylist() if column.type in TEXT_TYPES else []
    strays = (text for text in texts if text.strip("0123456789+-.eE "))
    return next((f", as in {reprlib.repr(text)}" for text in strays), "")


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )


def _npz_arrays(content: bytes, path: Path) -> tuple[Matrix, Array]:
    """The features, (examples, features), and the target, (examples,), of an .npz."""
    with _damage_told(path):
        arrays = _read_npz(content)
    if not {"features", TARGET} <= arrays.keys():
        raise DataFileError(
            f"{path} needs the arrays 'features' and {TARGET!r}; it has {reprlib.repr([*arrays])}"
        )
    features, target = arrays["features"], arrays[TARGET]
    if features.ndim != 2 or target.shape != features.shape[:1]:
        raise DataFileError(
            f"{path}: features must be (examples, features) and {TARGET} (examples,), "
            f"got {features.shape} and {target.shape}"
        )
    _require_enough(len(features), features.shape[1], path)
    for name, array, kinds in (
        ("features", features, NUMBER_KINDS),
        (TARGET, target, NUMBER_KINDS + TEXT_KINDS),
    ):
        if array.dtype.kind not in kinds:
            raise DataFileError(f"{path}: {name} must be numbers, got {array.dtype}; convert them")
    return _finite(features, path, "features"), target


def _read_npz(content: bytes) -> dict[str, Array]:
    # Never unpickled: an array of objects in somebody's file could run code.
    with NpzFile(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: np.asarray(arrays[name]) for name in arrays}


def _require_enough(examples: int, features: int, path: Path) -> None:
    if examples < 2 or features < 1:
        raise DataFileError(
            f"{path} holds {examples} examples of {features} features; training needs two "
            "examples and a feature at least"
        )


def _require_whole(column: pa.ChunkedArray, path: Path, name: str) -> None:
    if column.null_count:
        raise DataFileError(
            f"{path}: {column.null_count} values of column {name!r} are missing; "
            "fill them in, or drop those rows"
        )


def _finite(numbers: Array, path: Path, name: str) -> Matrix:
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        place = tuple(bad[0])
        raise DataFileError(
            f"{path}: {name!r} must be finite, got {numbers[place]} in row {place[0]}; "
            "replace it, or drop the row"
        )
    return numbers.astype(np.float64)


def _require_few_classes(classes: int, examples: int, path: Path) -> None:
    if classes > examples / 2:
        raise DataFileError(
            f"{path}: {classes} different classes among {examples} examples; to regress on "
            f"{TARGET}, store it as floating-point numbers"
        )
