"""The values of a setting: whether they have an order, which, a choice of them, and its words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.reading.stores import REPEATS
from core.trials import SETTINGS

LONGEST = 28  # characters of a value in a figure


def is_number(name: str) -> bool:
    """Whether a setting's values have an order and distances: a seed's have none."""
    return SETTINGS[name].kind in (int, float) and name not in REPEATS


def ordered(column: pd.Series) -> list[Any]:
    """The values of a setting: numbers ascending, names in the order in which they come."""
    values = column.unique().tolist()
    return values if SETTINGS[str(column.name)].column_kind is str else sorted(values)


def evenly_chosen(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the values, evenly by position, with the first and the last."""
    if len(values) <= most:
        return list(values)
    places = np.linspace(0, len(values) - 1, most).round().astype(int)
    return [values[place] for place in places]


def spoken(name: str) -> str:
    """A setting's name as words."""
    return name.replace("_", " ")


def plural(name: str) -> str:
    """A setting's name as words, of several of its values."""
    return spoken(name) if name.endswith("s") else f"{spoken(name)}s"


def in_words(value: Any) -> str:
    """A setting's value as a figure shows it."""
    return f"{value:.3g}" if isinstance(value, float) else shortened(str(value))


def shortened(words: str) -> str:
    """Words that fit beside a panel: a data file's name may be as long as it likes."""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def as_written(name: str, value: Any) -> str:
    """A setting's value in words: a default by its word, as `full` for batches of 0 examples."""
    setting = SETTINGS[name]
    if value != setting.encoded_default or setting.meant is None:
        return in_words(value)
    return next((word for word in setting.words if setting.meant(word) == value), in_words(value))
