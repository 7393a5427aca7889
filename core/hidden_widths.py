"""Hidden layers of different widths, as a setting has them: 128-64-32, from the inputs on.

Equally wide layers are `equal`: their width is a setting of its own, `width`. Where they differ,
that is the width of the widest.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.hidden_layers import NO_RESIDUAL

EQUAL = "equal"
BETWEEN = "-"
LARGEST_WIDTH = 10**5


def listed_widths(written: Sequence[Any]) -> dict[str, Any]:
    """The settings that a list of widths stands for: `width`, `hidden_widths` and `depth`.

    Raises:
        ValueError: They are no widths of hidden layers; the message says what must hold.
    """
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in written)
    if not (written and whole and all(1 <= each <= LARGEST_WIDTH for each in written)):
        raise ValueError(
            "a list in the list has the width of each hidden layer, whole numbers from 1 to "
            f"{LARGEST_WIDTH:,}"
        )
    widths = [int(each) for each in written]
    text = EQUAL if len(set(widths)) == 1 else BETWEEN.join(map(str, widths))
    return {"width": max(widths), "hidden_widths": text, "depth": len(widths) + 1}


def hidden_widths_text(written: Any) -> str:
    """The text that stands in a trial for a written one.

    Raises:
        ValueError: It is neither EQUAL nor widths that differ; the message says what must hold.
    """
    if written == EQUAL:
        return EQUAL
    parts = str(written).split(BETWEEN)
    if all(part.isascii() and part.isdecimal() for part in parts):
        text = str(listed_widths([int(part) for part in parts])["hidden_widths"])
        if text != EQUAL:
            return text
    raise ValueError("must be widths of hidden layers that differ")


def goes_with(hidden_widths: str) -> Mapping[str, Any]:
    """What other settings must be beside a trial's hidden_widths, by name; nothing beside EQUAL.

    A residual connection joins layers of one width.
    """
    if hidden_widths == EQUAL:
        return {}
    widths = _widths(hidden_widths)
    return {"width": max(widths), "depth": len(widths) + 1, "residual": NO_RESIDUAL}


def units_of_hidden(width: int, depth: int, hidden_widths: str) -> list[int]:
    """The units of each hidden layer, from the inputs on, by the settings of these names.

    Raises:
        ValueError: The settings do not agree.
    """
    if hidden_widths == EQUAL:
        return [width] * (depth - 1)
    widths = _widths(hidden_widths)
    if (max(widths), len(widths) + 1) != (width, depth):
        raise ValueError(
            f"hidden_widths: {hidden_widths} goes with width {max(widths)} and depth "
            f"{len(widths) + 1}, got {width} and {depth}"
        )
    return widths


def _widths(hidden_widths: str) -> list[int]:
    return [int(each) for each in hidden_widths.split(BETWEEN)]
