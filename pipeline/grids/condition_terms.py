"""The terms of a condition: the meaning of each part of its text, and how to compute it."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from core.settings import Setting
from pipeline.grids.rounded_arithmetic import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    floor,
    is_whole,
    modulo,
    same,
)
from pipeline.notation.field_names import close_to

MOST_SHOWN = 100  # letters of a condition in an error
EXACT = 2**53  # whole numbers up to here are exact in float64
CLOSE_VALUE = 0.7  # difflib's ratio: names of values are short
GRAMMAR = (
    "a condition compares settings and numbers, as in learning_rate * depth < 1 or "
    "activation in ['tanh', 'relu']; `and`, `or`, `not` and brackets combine several"
)
REMEDIES: Mapping[type, str] = {
    ast.BitAnd: "write `and` for &",
    ast.BitOr: "write `or` for |",
    ast.BitXor: "write ** for a power",
    ast.Is: "values are compared by ==",
    ast.IsNot: "values are compared by !=",
}


class ConditionError(ValueError):
    """A text is no condition on a cell's settings; the message says why and what to write."""


Values = Mapping[str, NDArray[Any]]


def refuse(node: ast.AST, why: str, remedy: str) -> NoReturn:
    """Refuse part of a condition, with the reason and what to write."""
    raise ConditionError(f"{why}, got {shown(ast.unparse(node))}; {remedy}")


def shown(text: str) -> str:
    """A condition's text as an error shows it."""
    return repr(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}...")


@dataclass(frozen=True)
class Term:
    """Part of a condition: the kind of its values, and how they follow from those of settings."""

    kind: Literal["number", "text", "condition"]
    value: Callable[[Values], Any]


SAID = {"number": "a number", "text": "text", "condition": "a condition"}


class Reader:
    """Turns a condition's syntax tree into terms; refuses what has no meaning there."""

    def __init__(self, axes: Mapping[str, Sequence[Any]], settings: Mapping[str, Setting]):
        self._axes, self._settings = axes, settings

    def term(self, node: ast.expr) -> Term:
        """The term that a node means; ConditionError if it means none."""
        match node:
            case ast.Name(id=name):
                return self._setting(node, name)
            case ast.Constant(value=value):
                return self._constant(node, value)
            case ast.BoolOp(op=op, values=parts):
                return self._combined(op, parts)
            case ast.UnaryOp(op=ast.Not(), operand=part):
                holds = self._of_kind("condition", part)
                return Term("condition", lambda values: ~holds(values))
            case ast.UnaryOp(op=ast.USub(), operand=part):
                number = self._of_kind("number", part)
                return Term("number", lambda values: np.negative(number(values)))
            case ast.UnaryOp(op=ast.UAdd(), operand=part):
                return Term("number", self._of_kind("number", part))
            case ast.BinOp(op=op) if type(op) in ARITHMETIC:
                return self._applied(node, ARITHMETIC[type(op)], [node.left, node.right])
            case ast.Call(func=ast.Name(id=name), args=[part], keywords=[]) if name in FUNCTIONS:
                return self._applied(node, FUNCTIONS[name], [part])
            case ast.Compare():
                return self._compared(node)
        operator = type(getattr(node, "op", node))
        refuse(node, "is no condition", REMEDIES.get(operator, GRAMMAR))

    def _of_kind(self, kind: str, node: ast.expr) -> Callable[[Values], Any]:
        term = self.term(node)
        if term.kind != kind:
            refuse(node, f"is not {SAID[kind]}", GRAMMAR)
        return term.value

    def _setting(self, node: ast.Name, name: str) -> Term:
        if name in ("true", "false"):
            return self._constant(node, name == "true")
        if name not in self._settings:
            near = close_to(name, self._settings)
            known = f"the settings are {', '.join(self._settings)}; text goes in quotes"
            refuse(node, "is no setting", f"did you mean {near}?" if near else known)
        kind = self._settings[name].kind
        if kind is frozenset:
            refuse(node, "is a list and no axis", "a condition is on the axes of a sweep")
        kinds: dict[type, Any] = {str: "text", bool: "condition"}
        return Term(kinds.get(kind, "number"), lambda values: values[name])

    def _constant(self, node: ast.expr, value: Any) -> Term:
        match value:
            case bool():
                return Term("condition", lambda values: np.asarray(value))
            case int() if abs(value) < 2**63:
                return Term("number", lambda values: np.asarray(value))
            case int() | float() if abs(value) < 1e300:
                return Term("number", lambda values: np.asarray(float(value)))
            case str():
                return Term("text", lambda values: np.asarray(value))
        refuse(node, "is neither a number nor text", GRAMMAR)

    def _combined(self, op: ast.boolop, parts: Sequence[ast.expr]) -> Term:
        holds = [self._of_kind("condition", part) for part in parts]
        combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
        return Term("condition", lambda values: reduce(combine, (h(values) for h in holds)))

    def _applied(
        self, node: ast.expr, function: Callable[..., Any], parts: Sequence[ast.expr]
    ) -> Term:
        numbers = [self._of_kind("number", part) for part in parts]
        exact = function in (floor, modulo)

        def value(values: Values) -> Any:
            found = [np.asarray(number(values)) for number in numbers]
            if exact and all(map(is_whole, found)) and found[1].all():
                return function(*found)
            if any(is_whole(each) and np.abs(each).max() > EXACT for each in found):
                refuse(
                    node,
                    f"computes with whole numbers beyond {EXACT:,}",
                    "compare them as they are",
                )
            return function(*(each.astype(np.float64) for each in found))

        return Term("number", value)

    def _compared(self, node: ast.Compare) -> Term:
        """The term for a chain such as a < b < c: both comparisons hold."""
        sides = [node.left, *node.comparators]
        pairs = zip(sides[:-1], node.ops, sides[1:], strict=True)
        holds = [self._pair(node, left, op, right) for left, op, right in pairs]
        return Term(
            "condition", lambda values: reduce(np.logical_and, (each(values) for each in holds))
        )

    def _pair(
        self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr
    ) -> Callable[[Values], Any]:
        if isinstance(op, ast.In | ast.NotIn):
            inside = self._inside(node, left, right)
            return inside if isinstance(op, ast.In) else lambda values: ~inside(values)
        if type(op) not in COMPARISONS:
            refuse(node, "is no condition", REMEDIES.get(type(op), GRAMMAR))
        a, b = self._beside(left, right), self._beside(right, left)
        _require_one_kind(node, a, b)
        if a.kind != "number" and not isinstance(op, ast.Eq | ast.NotEq):
            refuse(
                node, f"puts {SAID[a.kind]} in an order", "== and != compare it, and `in` a list"
            )
        compare = COMPARISONS[type(op)]
        return lambda values: compare(a.value(values), b.value(values))

    def _inside(self, node: ast.expr, left: ast.expr, right: ast.expr) -> Callable[[Values], Any]:
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            refuse(node, "has no list after `in`", "write it as in depth in [2, 8], or [2]")
        own, listed = self.term(left), [self._beside(each, left) for each in right.elts]
        for each in listed:
            _require_one_kind(node, own, each)

        def value(values: Values) -> Any:
            found = own.value(values)
            return reduce(np.logical_or, (same(found, each.value(values)) for each in listed))

        return value

    def _beside(self, node: ast.expr, other: ast.expr) -> Term:
        """One side of a comparison; text beside a setting is one of its values."""
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if not (is_text and isinstance(other, ast.Name) and other.id in self._settings):
            return self.term(node)
        setting, written = self._settings[other.id], node.value  # type: ignore[attr-defined]
        meant = setting.meant(written) if setting.meant is not None else None
        value = written if meant is None else meant
        known = setting.choices or self._axes[setting.name]
        if setting.kind is str and value not in known:
            near = close_to(written, map(str, known), CLOSE_VALUE)
            listed = f"its values are {', '.join(map(repr, known))}"
            refuse(node, f"is no {setting.name}", f"did you mean {near!r}?" if near else listed)
        return self._constant(node, value)


def _require_one_kind(node: ast.expr, a: Term, b: Term) -> None:
    if a.kind != b.kind:
        refuse(node, f"compares {SAID[a.kind]} with {SAID[b.kind]}", GRAMMAR)
