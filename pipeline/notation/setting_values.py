"""The type of a setting's value with its bounds, as pydantic checks it."""

from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from core.settings import Setting

MOST_WHOLE = 2**63 - 1  # in 64 bits


def value_type(setting: Setting) -> Any:
    """The type of one value of a setting, or of one name of a set."""
    return Annotated[_kind(setting), Field(**_bounds(setting))]


def _kind(setting: Setting) -> Any:
    if setting.choices:
        return Literal[*setting.choices]
    return Annotated[bool, Strict()] if setting.kind is bool else setting.kind


def _bounds(setting: Setting) -> dict[str, Any]:
    bounds = {"ge": setting.least, "le": setting.most, "gt": setting.above, "lt": setting.below}
    given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if setting.kind is float:
        return {**given, "allow_inf_nan": False}
    if setting.kind is int:  # what a column can hold
        low, high = {"ge": -MOST_WHOLE - 1}, {"le": MOST_WHOLE}
        given = ({} if "gt" in given else low) | ({} if "lt" in given else high) | given
    return given
