"""Whether every setting that a sweep file names decides something."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.settings import Setting
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
