"""Axes that move together, as the field `zip:` names them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator

from core.settings import Setting
from pipeline.notation.field_names import FieldError

# The axis that a field stands for, where it has another name.
AXIS_OF = {"file": "dataset"}

FORM = "must be a list of two axes or more, or several such lists"


def _groups(written: Any) -> list[list[str]]:
    groups = groups_in(written)
    if groups is None:
        raise ValueError(FORM)
    return groups


def groups_in(written: Any) -> list[list[str]] | None:
    """The groups that `zip:` names; None if it has another form."""
    lists = isinstance(written, list) and any(isinstance(each, list) for each in written)
    groups = written if lists else [written]
    if not all(map(_is_group, groups)):
        return None
    return [[AXIS_OF.get(name, name) for name in group] for group in groups]


def _is_group(written: Any) -> bool:
    several = isinstance(written, list) and len(written) > 1
    return several and all(isinstance(name, str) for name in written)


Groups = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_groups)]


def names_in(written: Any) -> set[str]:
    """The axes that `zip:` names, with their fields, even if something else is wrong with it."""
    names = {written} if isinstance(written, str) else set()
    if isinstance(written, list):
        names = set().union(*map(names_in, written))
    also = {axis for field, axis in AXIS_OF.items() if field in names}
    return names | also | {field for field, axis in AXIS_OF.items() if axis in names}


def moving_with(name: str, groups: Sequence[Sequence[str]]) -> Sequence[str]:
    """The axes that move together with one of this name."""
    group = next((group for group in groups if name in group), ())
    return [other for other in group if other != name]


def require_groups(
    groups: Sequence[Sequence[str]],
    axes: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Setting],
) -> None:
    """Refuse groups whose axes cannot move together.

    Args:
        groups: Names.
        axes: By name the values of every setting, one or more.
        settings: By name.

    Raises:
        FieldError: With the axis that is in the way.
    """
    seen: set[str] = set()
    for group in groups:
        for name in group:
            if len(axes.get(name, ())) < 2:
                raise FieldError(f"zip: {_no_axis(name, axes, settings)}")
            if name in seen:
                raise FieldError(
                    f"zip: {name} is named twice; an axis moves in one group: name it once"
                )
            seen.add(name)
        _require_one_length(group, axes)
        _require_distinct(group, axes)


def _no_axis(name: str, axes: Mapping[str, Sequence[Any]], settings: Mapping[str, Setting]) -> str:
    several = [axis for axis, values in axes.items() if len(values) > 1]
    if name not in settings:
        what = "is no axis"
    elif settings[name].kind is frozenset:
        what = "is a list and no axis"
    else:
        what = f"has one value, {axes[name][0]!r}, and does not move"
    known = ", ".join(several) if several else "none: give a field several values"
    return f"{name} {what}; the axes of this sweep are {known}"


def _require_one_length(group: Sequence[str], axes: Mapping[str, Sequence[Any]]) -> None:
    if len({len(axes[name]) for name in group}) > 1:
        first, *others = group
        lengths = ", ".join(f"{name} {len(axes[name]):,}" for name in others)
        raise FieldError(
            f"zip: {first} has {len(axes[first]):,} values, {lengths}; axes that move together "
            "need equally many, as the first of one goes with the first of the others"
        )


def _require_distinct(group: Sequence[str], axes: Mapping[str, Sequence[Any]]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for values in zip(*(axes[name] for name in group), strict=True):
        if values in seen:
            shown = ", ".join(f"{n}: {v}" for n, v in zip(group, values, strict=True))
            raise FieldError(f"zip: {shown} is listed twice; each combination makes its cells once")
        seen.add(values)
