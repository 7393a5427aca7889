"""Log-scaled axes of measured settings: cell edges, tick marks, and an even choice of values."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

LONE_CELL = 2.0  # a cell without neighbors reaches from its value / sqrt(2) to x sqrt(2)


def cell_edges(values: ArrayLike) -> NDArray[np.float64]:
    """The edges of the cells around values on a log axis.

    Between neighbors the edge is their geometric mean; the outer cells reach as far
    outwards as inwards, so that evenly spaced values lie in the middle of their cells.

    Args:
        values: (cells,), positive and ascending, at least one.

    Returns:
        (cells + 1,)
    """
    logs = np.log(np.asarray(values, dtype=np.float64))
    if len(logs) == 1:
        half = np.log(LONE_CELL) / 2
        return np.exp(np.array([logs[0] - half, logs[0] + half]))
    inner = (logs[:-1] + logs[1:]) / 2
    outer = 2 * logs[[0, -1]] - inner[[0, -1]]
    return np.exp(np.concatenate([outer[:1], inner, outer[1:]]))


def mark_ticks(axis: Axis, low: float, high: float) -> None:
    """Mark a log axis sparsely: powers of two within two decades, else powers of ten.

    Args:
        axis: An Axes' xaxis or yaxis, log-scaled already.
        low, high: The ends of what is shown.
    """
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    if high / low >= 100:
        axis.set_major_locator(LogLocator(base=10, numticks=4))
        return
    axis.set_major_locator(LogLocator(base=2, numticks=6))
    axis.set_major_formatter(FuncFormatter(_plain))


def mark_values(axis: Axis, values: Sequence[float], most: int = 8) -> None:
    """Mark a log axis at the values themselves, at most so many of them."""
    axis.set_minor_locator(NullLocator())
    axis.set_major_locator(FixedLocator(evenly_chosen(values, most)))
    axis.set_major_formatter(FuncFormatter(_plain))


def evenly_chosen(values: Sequence[float], most: int) -> list[float]:
    """At most so many of the values, first and last among them, evenly by position."""
    if len(values) <= most:
        return list(values)
    places = np.linspace(0, len(values) - 1, most).round().astype(int)
    return [values[place] for place in places]


def _plain(value: float, _position: int | None = None) -> str:
    return f"{value:.3g}"
