"""Durations as people write and read them: 90s, 20m, 1h30m."""

import re
from math import inf

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
WRITTEN = re.compile("".join(rf"(?:([0-9]+(?:\.[0-9]+)?){unit})?" for unit in UNITS))
WORDS = {"h": "h", "m": "min", "s": "s"}


def written_seconds(text: str) -> float:
    """The seconds of a duration as it is given to a command.

    Raises:
        ValueError: It is none, or no time at all; the message says how one is written.
    """
    found = WRITTEN.fullmatch(text.strip().lower())
    amounts = found.groups(default="0") if found else ()
    seconds = sum(float(a) * unit for a, unit in zip(amounts, UNITS.values(), strict=False))
    seconds = round(seconds, 3)
    if not 0 < seconds < inf:
        raise ValueError(f"{text!r} is no duration; write it as 90s, 20m, 1.5h or 1h30m")
    return seconds


def exact_words(seconds: float) -> str:
    """A duration in exact words: `1 h 30 min`, `5 s`."""
    rest, parts = seconds, []
    for unit, length in UNITS.items():
        amount = rest if unit == "s" else rest // length
        rest -= amount * length
        if amount:
            parts.append(f"{amount:,.10g} {WORDS[unit]}")
    return " ".join(parts)


def about(seconds: float) -> str:
    """A duration in the unit that suits it: `40 s`, `12 min`, `3.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"


def rate(count: int, seconds: float) -> str:
    """A rate per second as text: `1,234`, or `0.029` for what takes long."""
    each = count / seconds
    return f"{each:,.0f}" if each >= 10 else f"{each:.2g}"
