"""A user's data file as a data set whose name contains a hash of its examples."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.datasets import Dataset
from pipeline.data_files.arrays import read_npz, read_parquet
from pipeline.data_files.features import feature_matrix, problems
from pipeline.data_files.gaps import complete
from pipeline.data_files.reading import DataFileError, Reading
from pipeline.data_files.row_names import note_row_numbers, without_row_names
from pipeline.data_files.tables import DataTable
from pipeline.data_files.targets import targets_of
from pipeline.data_files.texts import read_text

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".npz")
MOST_PROBLEMS = 5  # that are listed of one file

# Hashed with the arrays. It changes with how examples are drawn or laid out: a name in an older
# store must not come to stand for other examples.
VERSION = b"stratified draw"


@dataclass(frozen=True)
class DataFile:
    """A file that was read.

    Attributes:
        dataset: Its examples, under the name that trials know it by.
        file: Its own name.
        rows: How many it has, including those that were left out.
        notes: One sentence for everything that was read differently from how it is written.
    """

    dataset: Dataset
    file: str
    rows: int
    notes: tuple[str, ...]


def load_data_file(path: Path, reading: Reading | None = None) -> DataFile:
    """Read a data file.

    Args:
        path: A table with a header, or an .npz of `features` and a target.
        reading: How to read it; by default the target is the column `target`, and no cell is
            missing or text.

    Raises:
        DataFileError: It cannot be read, or not trained on; the message names the column, the
            rows and the setting that mends it.
    """
    reading = reading or Reading()
    table = _table(path, reading)
    rows = len(table)
    dropped = [table.resolve(name, "drop") for name in reading.drop]
    for name in reading.target:
        if name in dropped:
            raise DataFileError(
                f"{path}: drop: {name!r} is the target; take it out of drop, or set target: to "
                "another column"
            )
    table = without_row_names(table.without(dropped))
    names = _target_names(table, reading)
    _require_enough(rows, len(table.columns) - len(names), path)
    note_row_numbers(table.without(names))
    _refuse(list(problems(table.without(names), reading)), path)
    table = complete(table, names, reading)
    _require_enough(len(table), len(table.columns) - len(names), path)
    targets, classes = targets_of(table, names, reading)
    inputs = feature_matrix(table.without(names), reading)
    name = f"{path.name}-{_content_hash(inputs, targets)}"
    return DataFile(Dataset(name, inputs, targets, classes), path.name, rows, tuple(table.notes))


def _table(path: Path, reading: Reading) -> DataTable:
    if not path.name.lower().endswith(SUFFIXES):
        raise DataFileError(f"{path} must end in one of {', '.join(SUFFIXES)}; save it as such")
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for a path that no file can have
        reason = getattr(error, "strerror", None) or error
        raise DataFileError(f"cannot read {path}: {reason}; give a file that can be") from error
    if path.suffix.lower() == ".parquet":
        return read_parquet(content, path)
    if path.suffix.lower() == ".npz":
        return read_npz(content, path, reading)
    return read_text(content, path, reading)


def _target_names(table: DataTable, reading: Reading) -> list[str]:
    names = [table.resolve(name, "target") for name in reading.target]
    for name in names:
        if names.count(name) > 1:
            raise DataFileError(
                f"{table.path}: target: names the column {name!r} twice; once will do"
            )
    return names


def _require_enough(examples: int, features: int, path: Path) -> None:
    if examples < 2 or features < 1:
        raise DataFileError(
            f"{path} holds {examples} examples of {features} features; training needs two "
            "examples and a feature at least"
        )


def _refuse(found: list[str], path: Path) -> None:
    if found:
        more = len(found) - MOST_PROBLEMS
        listed = found[:MOST_PROBLEMS] + ([f"and {more:,} columns more"] if more > 0 else [])
        raise DataFileError(f"{path}: " + "\n".join(listed))


def _content_hash(inputs: np.ndarray, targets: np.ndarray) -> str:
    """12 hex digits that stand for the arrays that are trained on, however they were read.

    The names of columns and classes are left out, so that the same table as CSV and as
    Parquet differs in the file's name alone.
    """
    digest = hashlib.blake2b(VERSION, digest_size=6)
    digest.update(repr((inputs.shape, targets.dtype.kind)).encode())
    digest.update(np.ascontiguousarray(inputs, dtype="<f8").tobytes())
    digest.update(targets.astype("<f8").tobytes())
    return digest.hexdigest()
