"""A user's own data file as a data set: Parquet, CSV or NumPy's npz, with a target.

In a table the column `target` is what to learn and every other column is a feature. An
.npz holds `features`, (examples, features), and `target`, (examples,). Whole numbers,
truths and text as targets are class labels; floating-point numbers are to be regressed on.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets import Dataset

TARGET = "target"
SUFFIXES = (".parquet", ".csv", ".npz")

Matrix = NDArray[np.float64]


class DataFileError(ValueError):
    """A file that cannot be trained on; the message names it, the place and the remedy."""


def load_data_file(path: Path) -> Dataset:
    """The file's examples, under a name that holds the hash of its content.

    Raises:
        DataFileError: No such file, another kind of file, no target, fewer than two
            examples, or features that are not finite numbers.
    """
    if path.suffix not in SUFFIXES:
        raise DataFileError(f"{path} must end in one of {', '.join(SUFFIXES)}")
    try:
        digest = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
        features, target = _read_arrays(path) if path.suffix == ".npz" else _read_table(path)
    except DataFileError:
        raise
    except OSError as error:
        raise DataFileError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, pa.ArrowException) as error:  # what readers say of damaged files
        raise DataFileError(f"{path} is no readable {path.suffix} file: {error}") from error
    if len(features) < 2 or not features.shape[1]:
        raise DataFileError(
            f"{path} holds {len(features)} examples of {features.shape[1]} features; "
            "training needs two examples and a feature at least"
        )
    name = f"{path.name}-{digest}"
    if np.issubdtype(target.dtype, np.floating):
        return Dataset(name, features, _finite(target.astype(np.float64), path, TARGET), None)
    classes, labels = np.unique(target, return_inverse=True)
    _require_classes(len(classes), len(labels), path)
    return Dataset(name, features, labels.astype(np.int64), len(classes))


def _read_table(path: Path) -> tuple[Matrix, NDArray[Any]]:
    table = pa.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    if table.column_names.count(TARGET) != 1:
        named = ", ".join(table.column_names[:20])
        raise DataFileError(
            f"{path} needs one column named {TARGET!r}, what to learn; it has {named}"
        )
    features = [name for name in table.column_names if name != TARGET]
    columns = [_numbers(table.column(name), path, name) for name in features]
    target = table.column(TARGET)
    if target.null_count:
        raise DataFileError(f"{path}: {target.null_count} values of column {TARGET!r} are missing")
    matrix = np.stack(columns, axis=1) if columns else np.empty((len(table), 0))
    return matrix, np.asarray(target.to_pandas())


def _numbers(column: pa.ChunkedArray, path: Path, name: str) -> Matrix:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        first = column[0].as_py() if len(column) else None
        raise DataFileError(
            f"{path}: column {name!r} holds {kind}, as in {first!r}; a feature must be a "
            "number: encode it, or drop the column"
        )
    if column.null_count:
        raise DataFileError(
            f"{path}: {column.null_count} values of column {name!r} are missing; "
            "fill them in, or drop those rows"
        )
    return _finite(column.to_numpy().astype(np.float64), path, name)


def _read_arrays(path: Path) -> tuple[Matrix, NDArray[Any]]:
    # Never unpickled: an array of objects in somebody's file could run code.
    with np.load(path, allow_pickle=False) as arrays:
        for name in ("features", TARGET):
            if name not in arrays:
                raise DataFileError(
                    f"{path} needs the arrays 'features' and {TARGET!r}; "
                    f"it has {', '.join(arrays.files) or 'none'}"
                )
        features, target = arrays["features"], arrays[TARGET]
    if features.ndim != 2 or target.shape != features.shape[:1]:
        raise DataFileError(
            f"{path}: features must be (examples, features) and {TARGET} (examples,), "
            f"got {features.shape} and {target.shape}"
        )
    if features.dtype.kind not in "biuf":
        raise DataFileError(f"{path}: features must be numbers, got {features.dtype}")
    return _finite(features.astype(np.float64), path, "features"), target


def _finite(numbers: Matrix, path: Path, name: str) -> Matrix:
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        place = tuple(bad[0])
        raise DataFileError(
            f"{path}: {name!r} must be finite, got {numbers[place]} in row {place[0]}; "
            "replace it, or drop the row"
        )
    return numbers


def _require_classes(classes: int, examples: int, path: Path) -> None:
    if classes < 2:
        raise DataFileError(f"{path}: every {TARGET} is the same; there is nothing to learn")
    if classes > examples / 2:
        raise DataFileError(
            f"{path}: {classes} different classes among {examples} examples; to regress on "
            f"{TARGET}, store it as floating-point numbers"
        )
