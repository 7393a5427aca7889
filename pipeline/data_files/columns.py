"""What a column holds: numbers, text, or one of the things that are neither."""

import re
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Truths = NDArray[np.bool_]

TEXT_TYPES = (pa.string(), pa.large_string(), pa.string_view())

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
# 1,5 and 1.234,5 and 1,234.5 and 1 234: a comma or a blank that no reader can judge.
GROUPED_NUMBER = re.compile(r"\s*[+-]?\d+([ ,.'\u2019\u00a0\u202f]\d+)+\s*")
DATE = re.compile(r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*")


class Kind(StrEnum):
    """What the cells of a column are, apart from missing ones."""

    numbers = "numbers"
    text = "text"
    dates = "dates"
    grouped_numbers = "numbers with commas or blanks in them"
    mixed = "numbers and text"
    nothing = "nothing"
    other = "other"


def kind_of(column: pa.ChunkedArray) -> Kind:
    """What a column holds, by its type and, where that is text, by its distinct cells."""
    if len(column) == np.count_nonzero(missing(column)):
        return Kind.nothing
    if is_number(column.type):
        return Kind.numbers
    if pa.types.is_temporal(column.type):
        return Kind.dates
    if column.type not in TEXT_TYPES:
        return Kind.other
    return _kind_of_texts([text for text in column.unique().to_pylist() if text is not None])


def _kind_of_texts(texts: list[str]) -> Kind:
    if all(map(DATE.fullmatch, texts)):
        return Kind.dates
    plain = [NUMBER.fullmatch(text) is not None for text in texts]
    grouped = [GROUPED_NUMBER.fullmatch(text) is not None for text in texts]
    if all(p or g for p, g in zip(plain, grouped, strict=True)) and not all(plain):
        return Kind.grouped_numbers
    return Kind.mixed if sum(plain) >= len(texts) / 2 and not all(plain) else Kind.text


def is_number(kind: pa.DataType) -> bool:
    """Whether cells of this type are numbers; Booleans count as such."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def strays(column: pa.ChunkedArray, kind: Kind) -> Truths:
    """Which cells keep a column of text from being numbers, (rows,)."""
    texts = column.to_pylist()
    if kind is Kind.grouped_numbers:
        return np.array([bool(text and GROUPED_NUMBER.fullmatch(text)) for text in texts])
    return np.array([bool(text) and not NUMBER.fullmatch(text) for text in texts])


def missing(column: pa.ChunkedArray) -> Truths:
    """Which cells are missing, (rows,); NaN counts as missing."""
    return np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(), dtype=bool)


def distinct(column: pa.ChunkedArray) -> int:
    """How many distinct cells there are, apart from missing ones."""
    return int(pc.count_distinct(column, mode="only_valid").as_py())
