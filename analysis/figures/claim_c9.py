"""The figure of claim C9: how the size of features changes gradients, start by start."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.claims.rates import with_boundary_rates
from analysis.drawing.marks import CRITICAL_RATE, Style
from analysis.drawing.pages import STYLE, finish, panel_grid

COLORS = {"raw": "#d55e00", "centered": "#e69f00", "standardized": "#009e73"}
MARKERS = ("o", "s", "^", "D")
HOLLOW: Style = {"linestyle": "none", "markerfacecolor": "none", "markeredgewidth": 1.4}
PREDICTED: Style = {"marker": "_", "markersize": 9, "linestyle": "none"}


def claim_c9(rows: pd.DataFrame) -> Figure:
    """How the scaling of features changes learning rates and the growth of gradients.

    There is a panel for each activation, with a line for each init scale that joins one network on
    raw, centered and standardized features. A lower point is stable only at lower learning rates; a
    point further to the right has gradients that grow more from layer to layer.

    Args:
        rows: The evidence of claim C9.
    """
    starts = with_boundary_rates(rows, ["activation", "init_scale", "features"])
    activations = list(starts["activation"].unique())
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            1,
            len(activations),
            x=r"gradient growth per layer $\chi$",
            y="boundary learning rate",
        )
        figure.set_figheight(4.2)
        for panel, activation in zip(panels[0], activations, strict=True):
            _draw_nets(panel, starts[starts["activation"] == activation])
            panel.set_title(activation)
        title = "Boundary learning rate, and growth of gradients at step 0, by scaling of features"
        finish(figure, _features_key(sorted(starts["init_scale"].unique())), title)
    return figure


def _draw_nets(panel: Axes, starts: pd.DataFrame) -> None:
    panel.axvline(1, color="0.6", linewidth=0.8, linestyle=(0, (3, 2)))
    for (_, net), marker in zip(starts.groupby("init_scale"), MARKERS, strict=False):
        by_features = net.set_index("features").reindex(list(COLORS))
        growth, rate = by_features["chi_measured"], by_features["boundary_learning_rate"]
        predicted = by_features["critical_learning_rate"]
        panel.plot(growth, rate, color="0.75", zorder=1)
        for name, color in COLORS.items():
            panel.plot(growth[name], rate[name], marker=marker, color=color, **HOLLOW)
            panel.plot(growth[name], predicted[name], color=color, **PREDICTED)
    panel.set(yscale="log")


def _features_key(scales: Sequence[float]) -> list[Line2D]:
    """The legend for the colors and the markers of claim_c9."""
    colors = [
        Line2D([], [], color=color, label=name, linewidth=4) for name, color in COLORS.items()
    ]
    markers = [
        Line2D([], [], color="0.3", marker=marker, label=f"init scale {scale:.3g}", **HOLLOW)
        for scale, marker in zip(scales, MARKERS, strict=False)
    ]
    predicted = Line2D([], [], color="0.3", label=CRITICAL_RATE, **PREDICTED)
    return [*colors, *markers, predicted]
