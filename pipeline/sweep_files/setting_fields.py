"""A setting's field in a sweep file and its checks, derived from the setting's description."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from core.settings import BETWEEN_NAMES, NO_NAMES, Setting, Value
from pipeline.notation.axis_values import Counts, Names, Numbers, Truths
from pipeline.notation.setting_values import value_type

AXES: dict[type, Any] = {str: Names, int: Counts, float: Numbers, bool: Truths}


def setting_field(setting: Setting) -> tuple[Any, Any]:
    """The type and the field of a pydantic model; its description is the remedy in errors.

    The field's value is a tuple: the values of an axis, or the names of a set.
    """
    value: Any = value_type(setting)
    if setting.smallest:
        value = Annotated[value, AfterValidator(_none_or_not_tiny(setting.smallest))]
    if setting.meant is not None:
        value = Annotated[value, BeforeValidator(_meant(setting.meant))]
    if setting.text is not None:
        value = Annotated[value, BeforeValidator(setting.text)]
    if setting.kind is frozenset:
        checks = BeforeValidator(_listed), AfterValidator(_none_twice)
        field: Any = Annotated[tuple[value, ...], *checks]
    else:
        field = AXES[setting.kind][value]
    return field, Field(_left_out(setting), description=remedy(setting))


def axis(setting: Setting, values: Sequence[Any]) -> tuple[Value, ...]:
    """The axis of a grid that the values of a setting's field stand for."""
    if setting.kind is frozenset:
        return (setting.encoded(values),)
    return tuple(map(setting.encoded, values))


def remedy(setting: Setting) -> str:
    """The values that the setting's field allows, in words."""
    if setting.remedy:
        return setting.remedy
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    example = f", as in {setting.name}: true" if setting.kind is bool else ""
    return setting.meaning + example


def words(setting: Setting) -> Sequence[str]:
    """Words that the setting's field allows, besides its choices."""
    return ("true", "false") if setting.kind is bool else tuple(setting.words)


def _left_out(setting: Setting) -> Any:
    """The value if a file does not name the setting; pydantic's `...` if it must."""
    if setting.written is None:
        return ...
    if setting.kind is frozenset:
        return tuple(name for name in setting.choices if name in setting.written)
    return (setting.kind(setting.written),)


def _none_or_not_tiny(smallest: float) -> Callable[[float], float]:
    def check(number: float) -> float:
        if 0 < abs(number) < smallest:
            raise ValueError(f"must be 0 or at least {smallest:g}")
        return number

    return check


def _meant(of_word: Callable[[str], Value | None]) -> Callable[[Any], Any]:
    def meant(written: Any) -> Any:
        value = of_word(written) if isinstance(written, str) else None
        return written if value is None else value

    return meant


def _listed(written: Any) -> Any:
    """The names of a set: a name alone is a list of one; as a column holds them is no list."""
    names = [written] if isinstance(written, str) else written
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        parts = [part.strip() for name in names for part in name.split(BETWEEN_NAMES)]
        meant = [part for part in dict.fromkeys(parts) if part != NO_NAMES]
        if NO_NAMES in parts or len(parts) > len(names):
            raise ValueError(f"must be written [{', '.join(meant)}], not as in a column")
    return names


def _none_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is listed twice; a set has it once")
    return names
