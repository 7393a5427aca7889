"""Tables of arrays by column: joined, spread over more rows, and freed of what is not finite."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# By table and column. The arrays of a table agree in their first axis.
Tables = dict[str, dict[str, Array]]


def each_column(tables: Tables, change: Callable[[Array], Array]) -> Tables:
    """The tables with every column changed."""
    return {
        table: {name: change(column) for name, column in columns.items()}
        for table, columns in tables.items()
    }


def joined(parts: Sequence[Tables]) -> Tables:
    """The rows of tables that have the same columns, one part after the other."""
    return {
        table: {name: np.concatenate([part[table][name] for part in parts]) for name in columns}
        for table, columns in parts[0].items()
    }


def spread(column: Array, places: Sequence[int], rows: int) -> Array:
    """A column of a given number of rows with values at some places, and NaN elsewhere."""
    wide = np.full((rows, *column.shape[1:]), np.nan)
    wide[places] = column
    return wide


def finite(column: Array) -> Array:
    """A column with NaN for every number that is not finite."""
    return np.where(np.isfinite(column), column, np.nan) if column.dtype.kind == "f" else column
