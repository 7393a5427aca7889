"""Lists in the place of single values, as in `width: [[128, 64, 32]]`, and what goes with a value.

Such a list stands for values of several settings, which then move together: Setting.listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.settings import Setting, Value
from pipeline.grids.grid import Grid
from pipeline.grids.grid_parts import cell_among
from pipeline.notation.field_names import FieldError
from pipeline.notation.problems import shown
from pipeline.sweep_files.axis_groups import groups_in
from pipeline.sweep_files.setting_fields import remedy


@dataclass(frozen=True)
class Listed:
    """A value of a field, or a list in its place.

    Attributes:
        text: The field with what is written.
        axes: The settings that the field decides, by name.
        others: What further settings must be.
    """

    text: str
    axes: Mapping[str, Any]
    others: Mapping[str, Any]


def spelled_out(
    content: dict[Any, Any], settings: Mapping[str, Setting]
) -> tuple[dict[Any, Any], list[Listed]]:
    """A file's content with single values in the place of lists, and what these must agree with.

    A setting that all lists of a field decide, and the file does not have, follows from them.

    Raises:
        FieldError: With the field, what must hold, what was given and a remedy.
    """
    lists: list[Listed] = []
    for name, setting in settings.items():
        written = content.get(name)
        if setting.listed is None or not isinstance(written, list):
            continue
        if any(isinstance(each, list) for each in written):
            entries = _entries(setting, written, content, settings)
            content, lists = {**content, **_fields(name, entries, content)}, lists + entries
    return content, lists


def _entries(
    setting: Setting,
    written: Sequence[Any],
    content: Mapping[Any, Any],
    settings: Mapping[str, Setting],
) -> list[Listed]:
    """The entries of a field, each with all the settings that the field decides."""
    stand_for = [_stand_for(setting, each) for each in written]
    names = list(dict.fromkeys(name for each in stand_for for name in each))

    def is_decided(name: str) -> bool:
        """By the entries: each of them has it, or its default stands beside the others."""
        has_default = settings[name].encoded_default is not None
        return has_default or (name not in content and all(name in each for each in stand_for))

    own = [setting.name, *(name for name in names if is_decided(name))]
    for name in own[1:]:
        if name in content:
            raise FieldError(f"{name}: follows from the lists in {setting.name}; leave out {name}")
    default = {name: settings[name].encoded_default for name in own}
    return [
        Listed(
            f"{setting.name}: {shown(value)}",
            {name: each.get(name, default[name]) for name in own},
            {name: other for name, other in each.items() if name not in own},
        )
        for value, each in zip(written, stand_for, strict=True)
    ]


def _stand_for(setting: Setting, written: Any) -> Mapping[str, Any]:
    if not isinstance(written, list):
        return {setting.name: written}
    assert setting.listed is not None
    try:
        return setting.listed(written)
    except ValueError as error:
        raise FieldError(
            f"{setting.name}: {error}, got {shown(written)}; {remedy(setting)}"
        ) from error


def _fields(name: str, entries: Sequence[Listed], content: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields that entries stand for, in the place of their field; they move together."""
    columns = {each: [entry.axes[each] for entry in entries] for each in entries[0].axes}
    groups = groups_in(content.get("zip")) if "zip" in content else []
    if groups is None:  # which is refused later
        return columns
    own = next((group for group in groups if name in group), None)
    if own is not None:
        wider = [*own, *(each for each in columns if each != name)]
        return {**columns, "zip": [wider if group is own else group for group in groups]}
    _require_distinct(entries)
    columns = {each: c if any(c[0] != v for v in c) else c[:1] for each, c in columns.items()}
    moving = [each for each, column in columns.items() if len(column) > 1]
    return {**columns, "zip": [*groups, moving]} if len(moving) > 1 else columns


def _require_distinct(entries: Sequence[Listed]) -> None:
    seen: list[Mapping[str, Any]] = []
    for entry in entries:
        if entry.axes in seen:
            raise FieldError(f"{entry.text} is listed twice; each value makes its cells once")
        seen.append(entry.axes)


def require_agreement(grid: Grid, lists: Sequence[Listed], settings: Mapping[str, Setting]) -> None:
    """Refuse grids with a cell in which a value is not beside what it goes with.

    Args:
        grid: The grid.
        lists: What lists in the place of values go with.
        settings: By name; what their values go with, see Setting.goes_with.

    Raises:
        FieldError: With the value, what it goes with, what was given and a remedy.
    """
    for entry in lists:
        _require(grid, entry.text, entry.axes, entry.others)
    for name, setting in settings.items():
        if setting.goes_with is not None:
            for value in grid.axes[name]:
                _require(grid, f"{name}: {value}", {name: value}, setting.goes_with(value))


def _require(grid: Grid, text: str, own: Mapping[str, Value], others: Mapping[str, Value]) -> None:
    beside = {name: [value] for name, value in own.items()}
    for name, value in others.items():
        wrong = [each for each in grid.axes[name] if each != value]
        cell = cell_among(grid, {**beside, name: wrong}) if wrong else None
        if cell is not None:
            raise FieldError(
                f"{text} goes with {name}: {value}, got {name}: {getattr(cell, name)}; set "
                f"{name}: {value} beside it"
            )
