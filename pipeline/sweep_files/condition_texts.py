"""The field `where:` as one text; it is one condition, or a list that must all hold."""

import ast
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
PAIRS = (("(", ")"), ("[", "]"))


def _condition(written: Any) -> str:
    conditions = [_text(each) for each in (written if isinstance(written, list) else [written])]
    if not conditions:
        raise ValueError("must have a condition at least")
    if len(conditions) == 1:
        return conditions[0]
    return " and ".join(f"({_alone(condition)})" for condition in conditions)


def _alone(text: str) -> str:
    """A condition on its own, without a comment that would hide what follows."""
    try:
        return ast.unparse(ast.parse(text, mode="eval"))
    except SyntaxError as error:
        raise ValueError(f"cannot be read: {text!r}") from error


def _text(written: Any) -> str:
    """A condition on one line."""
    if written is None:
        raise ValueError("is empty to YAML")
    if isinstance(written, dict):
        raise ValueError("is a mapping to YAML; == compares")
    if not isinstance(written, str):
        raise ValueError("must be text")
    _refuse_cut(written)
    return " ".join(written.splitlines()).strip()


def _refuse_cut(text: str) -> None:
    """Refuse what YAML may have cut off, which would be read as a condition or misread as one."""
    outside = QUOTED.sub("", text)
    opened = [mark for mark in "'\"" if mark in outside]
    opened += [first for first, last in PAIRS if outside.count(first) > outside.count(last)]
    if opened:
        raise ValueError(f"opens {opened[0]} and does not close it")


ConditionText = Annotated[str | None, BeforeValidator(_condition)]
