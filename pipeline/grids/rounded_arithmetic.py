"""Arithmetic on arrays that treats numbers as equal if they differ by rounding alone."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Values are written with 12 digits. Results computed from a few of them count as equal if they are
# closer than this, relative to their size.
CLOSE = 1e-9


def same(a: Any, b: Any) -> Any:
    """Whether two values are equal, for numbers up to rounding."""
    a, b = np.asarray(a), np.asarray(b)
    if not (a.dtype.kind == "f" or b.dtype.kind == "f"):
        return a == b
    apart = np.abs(a - b)
    return (a == b) | (np.isfinite(apart) & (apart <= CLOSE * np.maximum(np.abs(a), np.abs(b))))


def plus(a: Any, b: Any) -> Any:
    """a + b; a sum that is 0 up to the rounding of its terms counts as 0."""
    found = np.add(a, b)
    return np.where(same(a, np.negative(b)) & np.isfinite(found), 0.0, found)


def minus(a: Any, b: Any) -> Any:
    """a - b, likewise."""
    return plus(a, np.negative(b))


def floor(a: Any, b: Any) -> Any:
    """a // b; a quotient that is whole up to rounding counts as whole."""
    if is_whole(a) and is_whole(b):
        return np.floor_divide(a, b)
    quotient = np.divide(a, b)
    return np.where(same(quotient, np.rint(quotient)), np.rint(quotient), np.floor(quotient))


def modulo(a: Any, b: Any) -> Any:
    """a % b, likewise; 0 where a is a multiple of b."""
    if is_whole(a) and is_whole(b):
        return np.mod(a, b)
    quotient = np.divide(a, b)
    return np.where(same(quotient, np.rint(quotient)), 0.0, np.mod(a, b))


def is_whole(values: Any) -> bool:
    """Whether these are whole numbers by their type."""
    return np.asarray(values).dtype.kind == "i"


ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: plus,
    ast.Sub: minus,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: floor,
    ast.Mod: modulo,
    ast.Pow: np.power,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "sqrt": np.sqrt,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: same,
    ast.NotEq: lambda a, b: ~same(a, b),
    ast.Lt: lambda a, b: (a < b) & ~same(a, b),
    ast.LtE: lambda a, b: (a < b) | same(a, b),
    ast.Gt: lambda a, b: (a > b) & ~same(a, b),
    ast.GtE: lambda a, b: (a > b) | same(a, b),
}
