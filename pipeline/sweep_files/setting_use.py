"""Whether every setting that a sweep file names decides something, and every word means it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.settings import Setting
from pipeline.grids.grid import Grid
from pipeline.grids.grid_parts import cell_among
from pipeline.notation.field_names import FieldError


def require_use(
    named: Collection[str],
    axes: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Setting],
) -> None:
    """Refuse a setting that decides nothing with any of the values of the one it goes with.

    Args:
        named: The fields that the file has.
        axes: The values of each setting.
        settings: By name.

    Raises:
        FieldError: With the setting, what it goes with, what was given and a remedy.
    """
    for name in named:
        used_with = settings[name].used_with if name in settings else None
        if used_with is None:
            continue
        other, choices = used_with
        if not set(axes[other]) & set(choices):
            given = ", ".join(map(str, axes[other]))
            raise FieldError(
                f"{name}: decides nothing with {other}: {given}; set {other} to "
                f"{' or '.join(choices)}, or leave out {name}"
            )


def require_meaning(
    content: Mapping[Any, Any], grid: Grid, settings: Mapping[str, Setting]
) -> None:
    """Refuse a word for a number where it means nothing: in a cell with a choice that it excludes.

    Args:
        content: The file's, as it is written.
        grid: Only its cells count, not combinations that `zip` or a condition leaves out.
        settings: By name.

    Raises:
        FieldError: With the setting, the word, that choice and a remedy.
    """
    for name, setting in settings.items():
        if setting.words_unless is None or setting.meant is None:
            continue
        other, choice = setting.words_unless
        written = content.get(name)
        for word in written if isinstance(written, list) else [written]:
            value = setting.meant(word) if isinstance(word, str) else None
            if value is not None and cell_among(grid, {name: [value], other: [choice]}) is not None:
                others = (each for each in settings[other].choices if each != choice)
                raise FieldError(
                    f"{name}: must be a number with {other}: {choice}, got {word}; write one, or "
                    f"set {other} to {' or '.join(others)}"
                )
