"""The values of an axis as a tuple; it is written as one value, a list or a range.

A validation's context names the fields whose values may repeat: axes that move with others.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import AfterValidator, BeforeValidator, ValidationInfo

MOST_VALUES = 1_000_000
FARTHEST_END = 1e100
RANGES: dict[str, Callable[[float, float, int], Any]] = {
    "geomspace": np.geomspace,
    "linspace": np.linspace,
}
RANGE_FORM = "a range is {geomspace: [first, last, how many]} or {linspace: [...]}"

T = TypeVar("T")


def _values(written: Any) -> list[Any]:
    if isinstance(written, dict):
        return _range(written)
    values = _listed(written)
    _refuse_truths(values)
    return values


def _refuse_truths(values: list[Any]) -> None:
    if any(isinstance(value, bool) for value in values):
        raise ValueError("must not be true or false; quote a word that YAML takes for a truth")


def _range(written: dict[Any, Any]) -> list[float]:
    """The values of a range, rounded to 12 digits so that ids are the same on every processor."""
    (kind, ends), *others = written.items() if written else [(None, None)]
    if others or kind not in RANGES or not isinstance(ends, list) or len(ends) != 3:
        raise ValueError(RANGE_FORM)
    try:
        first, last, count = float(ends[0]), float(ends[1]), int(ends[2])
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a range needs three numbers; {RANGE_FORM}") from None
    _refuse_truths(ends)
    if not (abs(first) <= FARTHEST_END and abs(last) <= FARTHEST_END):
        raise ValueError(f"a range ends within +-{FARTHEST_END:g}")
    if kind == "geomspace" and not (first > 0 and last > 0):
        raise ValueError("geomspace needs two ends above 0; use linspace for a range with 0")
    if count != ends[2] or not 1 <= count <= MOST_VALUES:
        raise ValueError(f"a range has 1 to {MOST_VALUES:,} values, a whole number")
    return [float(f"{value:.12g}") for value in RANGES[kind](first, last, count)]


def _listed(written: Any) -> list[Any]:
    values = written if isinstance(written, list) else [written]
    if not values:
        raise ValueError("an axis needs a value at least")
    return values


def _whole_values(written: Any, info: ValidationInfo) -> list[Any]:
    """A range rounded to whole numbers, each taken once if none may repeat."""
    values = _values(written)
    if not isinstance(written, dict):
        return values
    whole = [round(value) for value in values]
    return whole if _may_repeat(info) else list(dict.fromkeys(whole))


def _may_repeat(info: ValidationInfo) -> bool:
    return info.field_name in (info.context or ())


def _distinct(values: tuple[T, ...], info: ValidationInfo) -> tuple[T, ...]:
    if _may_repeat(info):
        return values
    seen: set[T] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r} is listed twice; each value makes its cells once")
        seen.add(value)
    return values


def _without_negative_zeros(values: tuple[float, ...]) -> tuple[float, ...]:
    # -0.0 equals 0.0 but would be hashed to another trial id.
    return tuple(value + 0.0 for value in values)


Names = Annotated[tuple[T, ...], BeforeValidator(_values), AfterValidator(_distinct)]
Counts = Annotated[tuple[T, ...], BeforeValidator(_whole_values), AfterValidator(_distinct)]
Numbers = Annotated[
    tuple[T, ...],
    BeforeValidator(_values),
    AfterValidator(_without_negative_zeros),
    AfterValidator(_distinct),
]
Truths = Annotated[tuple[T, ...], BeforeValidator(_listed), AfterValidator(_distinct)]
