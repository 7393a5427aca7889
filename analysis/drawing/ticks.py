"""Tick marks whose labels have room: at powers of ten, of two, at values, or at names.

Which are marked is decided when a figure is drawn, from the length that the axis then has.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FuncFormatter, Locator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from analysis.drawing.log_scales import places
from analysis.reading.setting_values import in_words

NEAR = 1.01  # a factor: how far a power may lie beyond what is shown
FEW = 6  # values that are marked each, where they have room
CHARACTER = 0.62  # of the font's size: how wide a digit is, a little more than most
LINE = 1.25  # of the font's size: how high a label is
GAP = 0.5  # of the font's size, between labels
OVERHANG = 3.5  # points that a label may reach beyond its axis, where the next panel begins
FEWEST_DIGITS = 3  # of values that differ by more than a tenth
MOST_POWERS = 9  # of ten, of steps
POINTS_PER_INCH = 72


class RoomyLocator(Locator):
    """Marks those of some places whose labels do not touch.

    If the places are even, it marks every n-th of them with the smallest n that leaves room; if
    they are uneven, each that has room beyond the last one marked.

    Args:
        axis: The axis that it marks.
        at: The places, ascending.
        widths: The length of each one's label along an x axis, in characters.
        even: Whether to mark every n-th.
    """

    def __init__(self, axis: Axis, at: ArrayLike, widths: Sequence[int], even: bool) -> None:
        self.marked = axis
        self.at = np.asarray(at, dtype=np.float64)
        self.widths = np.asarray(widths, dtype=np.float64)
        self.even = even

    def __call__(self) -> list[float]:
        """The places to mark, given the axis as it is now."""
        low, high = self._ends()
        over = OVERHANG + GAP * self._size() / 2
        fits = (low >= -over) & (high <= self._length() + over)
        if not fits.any():
            fits[:] = True
        at, low, high = self.at[fits], low[fits], high[fits]
        if not self.even:
            return at[_with_room(low, high)].tolist()
        for every in range(1, len(at) + 1):
            if np.all(low[::every][1:] >= high[::every][:-1]):
                return at[::every].tolist()
        return at[:1].tolist()

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """The places to mark, whatever the limits."""
        return self()

    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each label begins and ends along the axis, in points, gaps included."""
        limits = self.marked.get_transform().transform(np.sort(self.marked.get_view_interval()))
        along = (self.marked.get_transform().transform(self.at) - limits[0]) / np.diff(limits)
        labels = CHARACTER * self.widths if self._is_x() else np.full(len(self.at), LINE)
        half = self._size() * (labels + GAP) / 2
        return along * self._length() - half, along * self._length() + half

    def _size(self) -> float:
        """The labels' font size in points."""
        return float(self.marked.get_major_ticks(1)[0].label1.get_fontsize())

    def _is_x(self) -> bool:
        return isinstance(self.marked, XAxis)

    def _length(self) -> float:
        """The axis' length in points."""
        box = self.marked.axes.bbox
        pixels = box.width if self._is_x() else box.height
        figure = self.marked.axes.get_figure(root=True)
        return pixels if figure is None else pixels * POINTS_PER_INCH / figure.dpi


def mark_ticks(axis: Axis, values: ArrayLike) -> None:
    """Mark a log axis sparsely: at powers of ten, of two, or at values that are few or near.

    Args:
        axis: An Axes' xaxis or yaxis, log-scaled already.
        values: What it shows, ascending.
    """
    ends = np.asarray(values, dtype=np.float64)[[0, -1]]
    reach = np.inf if ends[0] == 0 else ends[1] / ends[0]
    if ends[0] == 0 or reach < 4 or (reach < 100 and np.size(values) <= FEW):
        mark_values(axis, values)
        return
    mark_powers(axis, ends, 10.0 if reach >= 100 else 2.0)


def mark_powers(axis: Axis, ends: ArrayLike, base: float) -> None:
    """Mark a log axis at powers of ten or of two.

    Args:
        axis: Log-scaled already.
        ends: The least and the largest value shown, positive.
        base: 10 or 2.
    """
    first, last = np.log(np.asarray(ends, dtype=np.float64) * [1 / NEAR, NEAR]) / np.log(base)
    powers = np.arange(np.ceil(first), np.floor(last) + 1) + 0.0  # no -0
    if base == 2:
        _mark(axis, base**powers, [in_words(float(each)) for each in base**powers], even=True)
        return
    # The exponent is small: 10^-2 is as wide as four digits at most.
    widths = [3 + (power < 0) for power in powers]
    _mark(axis, base**powers, [_power(power) for power in powers], even=True, widths=widths)


def mark_values(axis: Axis, values: ArrayLike) -> None:
    """Mark a log axis at the values, those that have room; a zero has a place of its own."""
    numbers = np.asarray(values)
    _mark(axis, places(numbers), _told_apart(numbers.tolist()), even=False)


def _told_apart(values: Sequence[Any]) -> list[str]:
    """The values in words; with more digits where they lie closer together, as in a zoom."""
    ends = np.abs(np.asarray(values, dtype=np.float64)[[0, -1]])
    share = abs(float(np.subtract(*ends))) / ends.max() if ends.any() else 0.0
    if not isinstance(values[0], float) or not 0 < share < 0.1:
        return [in_words(value) for value in values]
    digits = FEWEST_DIGITS - int(np.floor(np.log10(share))) - 1
    return [f"{value:.{digits}g}" for value in values]


def mark_steps(panel: Axes) -> None:
    """A log axis of steps that begins at step 0, marked there and at powers of ten."""
    panel.set_xscale("symlog", linthresh=1)
    panel.set_xlim(left=0)
    powers = range(MOST_POWERS)
    labels = ["0", *(_power(power) for power in powers)]
    _mark(
        panel.xaxis,
        [0, *(10.0**power for power in powers)],
        labels,
        even=False,
        widths=[1, *[3] * MOST_POWERS],
    )


def mark_names(axis: Axis, names: Sequence[str]) -> None:
    """Mark an axis at 0, 1, 2, ... with names, upright along an x axis."""
    upright = isinstance(axis, XAxis)
    axis.set_tick_params(rotation=90 if upright else 0)
    _mark(axis, range(len(names)), names, even=True, widths=[2] * len(names) if upright else ())


def mark_in_a_row(axis: Axis, values: Sequence[Any]) -> None:
    """Mark an axis at 0, 1, 2, ... with values, names upright along an x axis."""
    words = [in_words(value) for value in values]
    if isinstance(values[0], str):
        mark_names(axis, words)
        return
    _mark(axis, range(len(words)), words, even=True)


def _power(power: float) -> str:
    return rf"$\mathdefault{{10^{{{power:.0f}}}}}$"


def _mark(
    axis: Axis, at: ArrayLike, labels: Sequence[str], even: bool, widths: Sequence[int] = ()
) -> None:
    known = dict(zip(np.asarray(at, dtype=np.float64).tolist(), labels, strict=True))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_locator(RoomyLocator(axis, at, widths or [len(label) for label in labels], even))
    axis.set_major_formatter(FuncFormatter(lambda value, _: known.get(float(value), "")))


def _with_room(low: NDArray[np.float64], high: NDArray[np.float64]) -> list[int]:
    """The first label, and each that begins where the last one kept has ended."""
    kept = [0]
    for place in range(1, len(low)):
        if low[place] >= high[kept[-1]]:
            kept.append(place)
    return kept
