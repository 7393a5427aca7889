"""Lines of the boundary learning rate against a setting, one for each value of another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import NDArray

from analysis.drawing.cell_axes import CellAxis
from analysis.drawing.marks import CRITICAL_RATE, Style
from analysis.reading.setting_values import as_written, spoken
from analysis.tables.layouts import Layout
from core.optimization.rate_units import ABSOLUTE

# Viridis is ordered in lightness, whatever the eye; its light end is lost on white.
COLORS = tuple(colormaps["viridis"](np.linspace(0, 0.85, 5)))
POINT: Style = {"marker": "o", "markersize": 3.5, "linewidth": 1.3, "elinewidth": 0.9}
BESIDE = 0.15  # of the distance of two values: how far the lines are set from their places
OPEN: Style = {"linestyle": "none", "markersize": 5, "markerfacecolor": "white"}
STRAIGHT: Style = {"linestyle": ":", "linewidth": 1.0}
PREDICTED: Style = {"linestyle": (0, (3, 2)), "linewidth": 1.0, "marker": "x", "markersize": 4}


@dataclass(frozen=True)
class Lines:
    """Which lines are drawn.

    Attributes:
        name: The setting that has a line for each of its values; None for one line.
        values: Its values in order of their colors, at most len(COLORS).
    """

    name: str | None
    values: Sequence[Any]

    def of(self, rows: pd.DataFrame) -> Iterator[tuple[NDArray[np.float64], pd.DataFrame]]:
        """Each line's color and rows."""
        for value, color in zip(self.values, COLORS, strict=False):
            yield color, rows if self.name is None else rows[rows[self.name] == value]

    def key(self, **line: Any) -> list[Line2D]:
        """The entries of a legend, none for one line."""
        if self.name is None:
            return []
        words = [f"{spoken(self.name)} {as_written(self.name, value)}" for value in self.values]
        return [
            Line2D([], [], color=color, label=label, **line)
            for label, color in zip(words, COLORS, strict=False)
        ]


def lines_of(layout: Layout) -> Lines:
    """The lines of a layout."""
    return Lines(layout.names.get("lines"), layout.values.get("lines", [None]))


def draw_boundaries(panel: Axes, boundaries: pd.DataFrame, x: CellAxis, lines: Lines) -> None:
    """Draw one panel's boundaries.

    Args:
        panel: Where to draw; its y axis becomes logarithmic.
        boundaries: The rows of boundary_learning_rates, with the predicted
            `critical_learning_rate` beside them, NaN where there is none.
        x: The setting along the x axis; depth is drawn on a linear scale.
        lines: Those to draw.
    """
    panel.set(yscale="log")
    if x.name == "depth":
        several = MaxNLocator(6, integer=True)
        panel.xaxis.set_major_locator(several if len(x.values) > 1 else FixedLocator(x.values))
    else:
        x.shape(panel, "x")
    shifts = np.linspace(-BESIDE, BESIDE, len(lines.values)) if len(lines.values) > 1 else [0.0]
    for (color, rows), shift in zip(lines.of(boundaries), shifts, strict=True):
        line = rows.sort_values(x.name)
        _draw_line(panel, line, _places(line, x, shift), color)
        if x.name == "depth" and lines.name == "init_scale" and _is_straight(line):
            _draw_straight_line(panel, line, line["init_scale"].iloc[0], color)


def _places(line: pd.DataFrame, x: CellAxis, shift: float) -> NDArray[np.float64]:
    """Places along the x axis, shifted from line to line, since many of their points coincide."""
    if x.name != "depth":
        return x.at(line[x.name], shift)
    return line["depth"].to_numpy() + shift * min(np.diff(x.values).min(initial=2), 2)


def _is_straight(line: pd.DataFrame) -> bool:
    """Whether these are linear nets of an init scale of 1 or more, at absolute rates."""
    return bool(len(line) and _are_linear(line).all() and line["init_scale"].iloc[0] >= 1)


def _are_linear(rows: pd.DataFrame) -> pd.Series:
    """Which rows are of linear nets at absolute rates."""
    units = rows.get("learning_rate_unit", pd.Series(ABSOLUTE, rows.index))
    return (rows["activation"] == "linear") & (units == ABSOLUTE)


def _draw_line(
    panel: Axes, line: pd.DataFrame, x: NDArray[np.float64], color: NDArray[np.float64]
) -> None:
    low, high = line["stable_learning_rate"], line["diverged_learning_rate"]
    middle = line["boundary_learning_rate"]
    panel.errorbar(x, middle, yerr=[middle - low, high - middle], color=color, **POINT)
    panel.plot(x, low.where(high.isna()), marker="^", color=color, **OPEN)
    panel.plot(x, high.where(low.isna()), marker="v", color=color, **OPEN)
    panel.plot(x, line["critical_learning_rate"], color=color, **PREDICTED)


def _draw_straight_line(
    panel: Axes, line: pd.DataFrame, scale: float, color: NDArray[np.float64]
) -> None:
    """Draw the expected line: from the shallowest known boundary, a factor scale^-2 per layer.

    The end-to-end map of a linear net has the size scale^L, and its sharpness goes with
    its square: on a log axis against depth, 2 / lambda_max falls along a straight line
    (below scale 1 other parts of the Hessian dominate in deep nets).
    """
    known = line.dropna(subset=["boundary_learning_rate"])
    if known.empty:
        return
    first = known.iloc[0]
    rates = first["boundary_learning_rate"] * scale ** (-2.0 * (line["depth"] - first["depth"]))
    panel.plot(line["depth"], rates, color=color, **STRAIGHT)


def explain_boundaries(figure: Figure, boundaries: pd.DataFrame, x: CellAxis, lines: Lines) -> None:
    """Add the legend of a figure's lines and of the marks in it."""
    low, high = boundaries["stable_learning_rate"], boundaries["diverged_learning_rate"]
    marks = {
        "bar: from the last stable to the first diverged": ("|", (low * high).notna().any()),
        "nothing diverged up to here, the highest tried": ("^", high.isna().any()),
        "diverged already here, the lowest tried": ("v", low.isna().any()),
    }
    entries = lines.key(marker="o", markersize=3.5)
    entries += [
        Line2D([], [], color="0.3", marker=marker, label=label, **OPEN)
        for label, (marker, shown) in marks.items()
        if shown
    ]
    if boundaries["critical_learning_rate"].notna().any():
        entries.append(Line2D([], [], color="0.3", label=CRITICAL_RATE, **PREDICTED))
    straight = x.name == "depth" and len(x.values) > 1 and lines.name == "init_scale"
    if straight and _are_linear(boundaries).any():
        label = "linear nets: init scale^-2 a layer"
        entries.append(Line2D([], [], color="0.3", label=label, **STRAIGHT))
    columns = 3 if figure.get_figwidth() > 9 else 2
    figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)
