"""Coarse to fine: the order of an axis's values by which a sweep shows its whole map early."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.settings import Setting, Value


def axis_levels(axis: Sequence[Value], setting: Setting) -> NDArray[np.int8]:
    """The level of each value: those of level 0 come first.

    Numbers: level 0 has the ends and the middle, and each further level halves the gaps.
    Names have nothing between them: all are of level 0. Seeds are as good as one another:
    each level doubles their number.

    Args:
        axis: The values.
        setting: Whose values they are.
    """
    if setting.repeats:
        return np.array([place.bit_length() for place in range(len(axis))], np.int8)
    if setting.kind not in (int, float):
        return np.zeros(len(axis), np.int8)
    levels = np.empty(len(axis), np.int8)
    levels[np.argsort(np.array(axis), kind="stable")] = levels_of_places(len(axis))
    return levels


def levels_of_places(count: int) -> NDArray[np.int8]:
    """The level of each of several consecutive places: 0 for the ends and the middle."""
    levels = np.zeros(count, np.int8)
    finest = max(int(count - 2).bit_length(), 1)  # where 2 ** finest gaps reach every place
    for level in reversed(range(finest)):
        places = np.linspace(0, count - 1, 2 ** (level + 1) + 1)
        levels[np.rint(places).astype(np.int64)] = level
    return levels
