"""Lines of the boundary learning rate against depth, one per init scale."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.drawing.marks import CRITICAL_RATE, Style

# Viridis is ordered in lightness, whatever the eye; its light end is lost on white.
COLORS = tuple(colormaps["viridis"](np.linspace(0, 0.85, 5)))
POINT: Style = {"marker": "o", "markersize": 3.5, "linewidth": 1.3, "elinewidth": 0.9}
OPEN: Style = {"linestyle": "none", "markersize": 5, "markerfacecolor": "white"}
STRAIGHT: Style = {"linestyle": ":", "linewidth": 1.0}
PREDICTED: Style = {"linestyle": (0, (3, 2)), "linewidth": 1.0, "marker": "x", "markersize": 4}


def draw_boundaries(panel: Axes, boundaries: pd.DataFrame, scales: Sequence[float]) -> None:
    """Draw one activation's boundaries, one line per init scale.

    Args:
        panel: Where to draw; its y axis becomes logarithmic.
        boundaries: The rows of boundary_learning_rates, with the predicted
            `critical_learning_rate` beside them, NaN where there is none.
        scales: The init scales in order of their colors, at most len(COLORS).
    """
    panel.set(yscale="log")
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    shifts = _shifts(boundaries["depth"].unique(), len(scales))
    for scale, color, shift in zip(scales, COLORS, shifts, strict=False):
        line = boundaries[boundaries["init_scale"] == scale].sort_values("depth")
        _draw_line(panel, line, line["depth"] + shift, color)
        if scale >= 1 and (line["activation"] == "linear").all():
            _draw_straight_line(panel, line, scale, color)


def _draw_line(panel: Axes, line: pd.DataFrame, x: pd.Series, color: NDArray[np.float64]) -> None:
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


def _shifts(depths: NDArray[np.int64], lines: int) -> NDArray[np.float64]:
    """Shifts, in layers, that set the lines side by side: many of their points coincide."""
    reach = 0.15 * min(np.diff(np.sort(depths)).min(initial=2), 2)
    return np.linspace(-reach, reach, lines) if lines > 1 else np.zeros(1)


def explain_boundaries(figure: Figure, boundaries: pd.DataFrame, scales: Sequence[float]) -> None:
    """Add the legend of a figure's lines and of the marks in it."""
    low, high = boundaries["stable_learning_rate"], boundaries["diverged_learning_rate"]
    marks = {
        "bar: from the last stable to the first diverged": ("|", (low * high).notna().any()),
        "nothing diverged up to here, the highest tried": ("^", high.isna().any()),
        "diverged already here, the lowest tried": ("v", low.isna().any()),
    }
    entries = [
        Line2D([], [], color=color, marker="o", markersize=3.5, label=f"init scale {scale:.3g}")
        for scale, color in zip(scales, COLORS, strict=False)
    ]
    entries += [
        Line2D([], [], color="0.3", marker=marker, label=label, **OPEN)
        for label, (marker, shown) in marks.items()
        if shown
    ]
    if boundaries["critical_learning_rate"].notna().any():
        entries.append(Line2D([], [], color="0.3", label=CRITICAL_RATE, **PREDICTED))
    if "linear" in set(boundaries["activation"]):
        label = "linear nets: init scale^-2 a layer"
        entries.append(Line2D([], [], color="0.3", label=label, **STRAIGHT))
    columns = 3 if figure.get_figwidth() > 9 else 2
    figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)
