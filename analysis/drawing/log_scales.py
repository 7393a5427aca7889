"""Log-scaled axes of measured settings: places, cell edges, limits.

A zero, as of an init scale, has no logarithm. It gets a place of its own at the axis' low end,
one step below the smallest other value, and is marked 0 there.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
