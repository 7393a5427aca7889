"""Log-scaled axes of measured settings: cell edges, limits, tick marks, a choice of values.

A zero, as of an init scale, has no logarithm. It gets a place of its own at the axis' low end,
one step below the smallest other value, and is marked 0 there.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")

LONE_CELL = 2.0  # a cell without neighbors reaches from its value / sqrt(2) to x sqrt(2)
MARGIN = 0.06  # of an axis, on either side of its points
LEAST_MARGIN = 1.25  # a factor


def places(values: ArrayLike) -> NDArray[np.float64]:
    """The places of values on a log axis: each at itself, and a zero one step below the others.

    Args:
        values: Not negative, in any order and number.
    """
    at = np.asarray(values, dtype=np.float64)
    return np.where(at == 0, _zero_place(at), at)


def _zero_place(values: NDArray[np.float64]) -> float:
    """The place of a zero: one step below the smallest positive value, or LONE_CELL below it."""
    positive = np.unique(values[values > 0])
    if not positive.size:
        return 1.0
    step = positive[1] / positive[0] if positive.size > 1 else LONE_CELL
    return float(positive[0] / step)


def cell_edges(values: ArrayLike) -> NDArray[np.float64]:
    """The edges of the cells around values on a log axis.

    Between neighbors the edge is their geometric mean; the outer cells reach as far
    outwards as inwards, so that evenly spaced values lie in the middle of their cells.

    Args:
        values: (cells,), not negative and ascending, at least one.

    Returns:
        (cells + 1,)
    """
    logs = np.log(places(values))
    if len(logs) == 1:
        half = np.log(LONE_CELL) / 2
        return np.exp(np.array([logs[0] - half, logs[0] + half]))
    inner = (logs[:-1] + logs[1:]) / 2
    outer = 2 * logs[[0, -1]] - inner[[0, -1]]
    return np.exp(np.concatenate([outer[:1], inner, outer[1:]]))


def limits(values: ArrayLike) -> tuple[float, float]:
    """The ends of a log axis that shows points at these values, with a margin."""
    at = places(values)
    low, high = float(np.min(at)), float(np.max(at))
    margin = max((high / low) ** MARGIN, LEAST_MARGIN)
    return low / margin, high * margin


def mark_ticks(axis: Axis, values: NDArray[np.float64]) -> None:
    """Mark a log axis sparsely: at powers of ten or two, or at some of the values themselves.

    Args:
        axis: An Axes' xaxis or yaxis, log-scaled already.
        values: What it shows, ascending.
    """
    if values[0] == 0:
        mark_values(axis, values, most=4)
        return
    reach = values[-1] / values[0]
    if reach < 4:
        mark_values(axis, values, most=3)
        return
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    if reach >= 100:
        axis.set_major_locator(LogLocator(base=10, numticks=4))
        return
    axis.set_major_locator(LogLocator(base=2, numticks=3))
    axis.set_major_formatter(FuncFormatter(_plain))


def mark_values(axis: Axis, values: ArrayLike, most: int = 8) -> None:
    """Mark a log axis at values that are at least its length / `most` apart."""
    at = places(values)
    names = {at[0]: "0"} if np.asarray(values)[0] == 0 else {}
    axis.set_minor_locator(NullLocator())
    axis.set_major_locator(FixedLocator(_spaced(at, (at[-1] / at[0]) ** (1 / most))))
    axis.set_major_formatter(FuncFormatter(lambda value, _: names.get(value, _plain(value))))


def _spaced(values: NDArray[np.float64], factor: float) -> list[float]:
    """The first value, and each at least this factor above the last one kept."""
    kept = [values[0]]
    for value in values[1:]:
        if value >= factor * kept[-1]:
            kept.append(value)
    return kept


def evenly_chosen(values: Sequence[T], most: int) -> list[T]:
    """At most `most` of the values, evenly by position, with the first and the last."""
    if len(values) <= most:
        return list(values)
    places = np.linspace(0, len(values) - 1, most).round().astype(int)
    return [values[place] for place in places]


def _plain(value: float, _position: int | None = None) -> str:
    return f"{value:.3g}"
