"""Columns of numbers packed for a page: small, and easy to read back in JavaScript.

A pack is base64 of gzip. It holds the length of a JSON header, the header, and the columns' bytes.
A column's bytes are grouped by significance, which compresses better.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

TYPES = {"u1": np.uint8, "u2": np.uint16, "u4": np.uint32, "i2": np.int16, "f4": np.float32}
MISSING = np.iinfo(np.int16).min  # of a quantized number
DROPPED_BITS = 11  # of a float32's 23: 12 remain, more than three decimal digits


def pack(header: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    """The header, with `columns` saying what follows it, and the columns, as base64.

    Args:
        header: Anything that JSON can express: no NaN, no infinity.
        columns: By name, of the types of TYPES.
    """
    names = {np.dtype(kind): name for name, kind in TYPES.items()}
    about = [
        {"name": name, "type": names[column.dtype], "length": len(column)}
        for name, column in columns.items()
    ]
    head = json.dumps({**header, "columns": about}, allow_nan=False).encode()
    planes = [_byte_planes(column) for column in columns.values()]
    return compressed(b"".join([len(head).to_bytes(4, "little"), head, *planes]))


def compressed(data: bytes) -> str:
    """gzip in base64; the same bytes always give the same text."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _byte_planes(column: NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(len(column), column.dtype.itemsize).T.tobytes()


def rounded(values: ArrayLike) -> NDArray[np.float32]:
    """Float32 with four significant digits, so that it compresses; NaN stays NaN."""
    with np.errstate(over="ignore"):  # beyond float32 it is infinite
        bits = np.asarray(values, np.float64).astype(np.float32).view(np.uint32)
    half = np.uint32(1 << (DROPPED_BITS - 1))
    # Neither infinity nor NaN may be carried over by rounding.
    carried = np.where((bits & 0x7F800000) == 0x7F800000, bits, bits + half)
    return (carried & np.uint32(0xFFFFFFFF << DROPPED_BITS & 0xFFFFFFFF)).view(np.float32)


def quantized(values: ArrayLike, steps: int) -> NDArray[np.int16]:
    """Values in steps of 1 / `steps`, clipped to the range; MISSING where NaN."""
    values = np.asarray(values, np.float64)
    limit = np.iinfo(np.int16).max
    whole = (np.clip(values, -limit / steps, limit / steps) * steps).round()
    return np.where(np.isnan(values), MISSING, whole).astype(np.int16)


def differences(quantities: NDArray[np.int16], lengths: ArrayLike) -> NDArray[np.int16]:
    """Each number minus the one before it in its series; running sums, which may wrap, undo this.

    Args:
        quantities: Series, one after another.
        lengths: Of each; the first number of each is kept.
    """
    before = np.concatenate([np.zeros(1, np.int16), quantities[:-1]])
    ends = np.cumsum(np.asarray(lengths, int))[:-1]
    before[ends[ends < len(before)]] = 0
    return quantities - before[: len(quantities)]


def codes(values: pd.Series) -> tuple[NDArray[np.uint16], list[Any]]:
    """Each value's place among the sorted distinct values, and these values.

    Raises:
        ValueError: There are more values than places.
    """
    distinct = sorted(values.unique().tolist())
    if len(distinct) > np.iinfo(np.uint16).max:
        raise ValueError(f"{values.name} takes {len(distinct):,} values, too many for a page")
    return pd.Index(distinct).get_indexer(values).astype(np.uint16), distinct
