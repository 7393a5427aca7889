"""Conditions on a cell's settings, as a sweep file's `where` has them: read and checked."""

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.settings import Setting
from pipeline.grids.condition_terms import GRAMMAR, ConditionError, Reader, Values, refuse, shown

MOST_LETTERS = 2_000

# Notation that people use and Python cannot read, and what to write instead.
SLIPS = {
    r"(?<![<>!=])=(?![=<>])": "two settings or numbers are compared by ==",
    r"=>|=<": "write >= and <=",
    r"<>": "write != for <>",
    r"&&|\|\|": "write `and` for && and `or` for ||",
    r"\b(AND|OR|NOT|IN)\b": "write `and`, `or`, `not` and `in` in small letters",
}


@dataclass(frozen=True)
class Condition:
    """What must hold of a cell.

    Attributes:
        names: The settings that decide it, in the order of the columns.
        holds: Where it holds, for arrays of these settings' values that broadcast.
    """

    names: tuple[str, ...]
    holds: Callable[[Values], NDArray[np.bool_]]


def conditions(
    text: str, axes: Mapping[str, Sequence[Any]], settings: Mapping[str, Setting]
) -> list[Condition]:
    """The conditions that a text joins by `and`: all of them must hold.

    Args:
        text: In Python's notation.
        axes: The values of every setting.
        settings: By name.

    Raises:
        ConditionError: It is no condition on these settings.
    """
    try:
        parts = _joined_by_and(_parsed(text))
        return [_condition(part, axes, settings) for part in parts]
    except (RecursionError, MemoryError):
        raise ConditionError("is nested too deeply; give a list of conditions") from None


def _parsed(text: str) -> ast.expr:
    if len(text) > MOST_LETTERS:
        raise ConditionError(f"has more than {MOST_LETTERS:,} letters; write it shorter")
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is refused later
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        found = (remedy for slip, remedy in SLIPS.items() if re.search(slip, text))
        remedy = next(found, GRAMMAR)
        raise ConditionError(f"cannot be read, got {shown(text)}; {remedy}") from error


def _joined_by_and(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [part for value in node.values for part in _joined_by_and(value)]
    return [node]


def _condition(
    node: ast.expr, axes: Mapping[str, Sequence[Any]], settings: Mapping[str, Setting]
) -> Condition:
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    term = Reader(axes, settings).term(node)
    if term.kind != "condition":
        refuse(node, "compares nothing", GRAMMAR)
    names = tuple(name for name in settings if name in found)
    if not names:
        refuse(node, "names no setting", f"the settings are {', '.join(settings)}")
    return Condition(names, term.value)
