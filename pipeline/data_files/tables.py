"""A data file as a table of named columns, whatever kind of file it came from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data_files.reading import DataFileError, close_names, listed

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class DataTable:
    """The columns of a file.

    Attributes:
        path: The file.
        columns: By name, in the file's order, each (rows,).
        places: (rows,), the number by which an owner finds each row.
        counted: What `places` count: `line`, as an editor does, or `row`, from 1.
        notes: A sentence for everything that was read differently from how it is written. Tables
            made from this one share the list.
    """

    path: Path
    columns: dict[str, pa.ChunkedArray]
    places: Rows
    counted: str
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    def without(self, names: Sequence[str]) -> "DataTable":
        """The table without some of its columns."""
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return replace(self, columns=kept)

    def take(self, rows: Rows) -> "DataTable":
        """The table with these rows alone."""
        columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
        return replace(self, columns=columns, places=self.places[rows])

    def where(self, rows: Rows) -> str:
        """Where some rows stand, the first few named: `in lines 3, 7`."""
        plural = "" if len(rows) == 1 else "s"
        named = listed([f"{place:,}" for place in self.places[rows].tolist()])
        counted = "" if self.counted == "line" else ", counted from 1"
        return f"in {self.counted}{plural} {named}{counted}"

    def resolve(self, wanted: str, setting: str) -> str:
        """The column that a setting names, exactly or, where only one can be meant, in any case.

        Raises:
            DataFileError: There is no such column, or several that differ in case.
        """
        if wanted in self.columns:
            return wanted
        folded = wanted.strip().casefold()
        alike = [name for name in self.columns if name.strip().casefold() == folded]
        if len(alike) == 1:
            self.notes.append(f"{setting}: {wanted!r} was read as the column {alike[0]!r}")
            return alike[0]
        if alike:
            raise DataFileError(
                f"{self.path}: {setting}: {wanted!r} may be {' or '.join(map(repr, alike))}; "
                f"write one of them as it stands"
            )
        raise DataFileError(
            f"{self.path} has no column {wanted!r}; "
            f"{close_names(wanted, list(self.columns))}"
            f"set {setting}: to one of its columns, {listed([*map(repr, self.columns)])}"
            f"{_headless(self.columns)}"
        )


def _headless(names: dict[str, Any]) -> str:
    """A remark on names that are numbers: a file without a header."""
    try:
        [float(name) for name in names]
    except ValueError:
        return ""
    return "; these look like data: put a line of names above the first"


def unique_columns(
    path: Path, names: Sequence[str], columns: Sequence[pa.ChunkedArray]
) -> dict[str, pa.ChunkedArray]:
    """The columns by name.

    Raises:
        DataFileError: A name stands twice.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataFileError(
            f"{path}: the column {twice[0]!r} stands {names.count(twice[0])} times; "
            "give each column a name of its own"
        )
    return dict(zip(names, columns, strict=True))


@contextmanager
def reporting_damage(path: Path) -> Iterator[None]:
    """Turn whatever a reader raises on a damaged file into a DataFileError."""
    try:
        yield
    except DataFileError:
        raise
    except Exception as error:  # readers raise almost anything on damaged files
        kind = "".join(path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:])
        raise DataFileError(
            f"{path} is no readable {kind} file: {error}; write it again"
        ) from error
