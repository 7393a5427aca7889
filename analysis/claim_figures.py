"""The figures of the argument: layer by layer, and for claims C8 and C9 start by start."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.claims_rates import with_critical_rates
from analysis.log_scales import limits
from analysis.pages import STYLE, panel_grid
from core.outcomes import DIVERGED

KEPT = {"color": "#009e73", "marker": "o", "markersize": 3, "linestyle": "none"}
LOST = {"color": "#d55e00", "marker": "x", "markersize": 3.5, "linestyle": "none"}
CURVATURE = {
    "color": "0.1",
    "marker": "|",
    "markersize": 10,
    "markeredgewidth": 1.4,
    "linestyle": "none",
    "label": "2 / curvature at step 0",
}
ROW_NAME = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7}
ROOM_FOR_NAMES = 50  # left of the points, a factor on the log axis

COLORS = {"raw": "#d55e00", "centered": "#e69f00", "standardized": "#009e73"}
MARKERS = ("o", "s", "^", "D")
HOLLOW = {"linestyle": "none", "markerfacecolor": "none", "markeredgewidth": 1.4}
PREDICTED = {"marker": "_", "markersize": 9, "linestyle": "none"}


def claim_layers(rows: pd.DataFrame) -> Figure:
    """Signals and gradients layer by layer, in deep nets before training.

    On the left the pre-activations' root mean square, on the right the weight gradients over
    the output error, both on log axes: a straight line is exponential in depth.

    Args:
        rows: What analysis.claims.PROFILES selects.
    """
    nets = list(rows.groupby(["activation", "init_scale"]))
    colors = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(nets)))
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(1, 2, x="layer", y=r"$\log_{10}$")
        figure.set_size_inches(8, 4.2)
        signals, gradients = panels[0]
        for ((activation, scale), net), color in zip(nets, colors, strict=True):
            style = {"color": color, "marker": ".", "label": f"{activation}, scale {scale:g}"}
            signals.plot(net["layer"], net["log10_mean_square_h"] / 2, **style)
            gradients.plot(net["layer"], net["log10_gradient_per_error"], **style)
        signals.set_title("root mean square of $h$")
        gradients.set_title("norm of the weight gradient / output error")
        key, _ = signals.get_legend_handles_labels()
        _finish(figure, key, "Signals on their way forward, gradients on their way back, at step 0")
    return figure


def claim_c8(rows: pd.DataFrame) -> Figure:
    """The gradient before the first step, and what becomes of it at each learning rate.

    A panel for each depth, in it a row of points for each init scale, as high as its
    gradient at step 0. Rows are level if no learning rate changes that gradient; where
    along a row runs begin to diverge is the critical learning rate, beside 2 / curvature.

    Args:
        rows: The evidence of claim C8.
    """
    depths = sorted(rows["depth"].unique())
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            1, len(depths), x="learning rate", y="gradient norm before the first step"
        )
        figure.set_figheight(4.6)
        for panel, depth in zip(panels[0], depths, strict=True):
            _draw_starts(panel, rows[rows["depth"] == depth])
            panel.set_title(f"depth {depth}")
        panels[0, 0].set_ylim(limits(rows["gradient_norm"]))
        high = limits(rows["learning_rate"])[1]
        panels[0, 0].set_xlim(rows["learning_rate"].min() / ROOM_FOR_NAMES, high)
        key, _ = panels[0, 0].get_legend_handles_labels()
        title = "The gradient before the first step, and what each learning rate makes of it"
        _finish(figure, key, f"{title} (left of a row: its init scale)")
    return figure


def _draw_starts(panel: Axes, rows: pd.DataFrame) -> None:
    lost = rows["outcome"].isin(DIVERGED)
    for chosen, style, label in ((~lost, KEPT, "did not diverge"), (lost, LOST, "diverged")):
        here = rows[chosen]
        panel.plot(here["learning_rate"], here["gradient_norm"], label=label, **style)
    starts = rows.drop_duplicates("init_scale")
    panel.plot(starts["critical_learning_rate"], starts["gradient_norm"], **CURVATURE)
    panel.set(xscale="log", yscale="log")
    for _, start in starts.iterrows():
        place = (rows["learning_rate"].min(), start["gradient_norm"])
        panel.annotate(f"{start['init_scale']:g}", place, xytext=(-4, 0), **ROW_NAME)


def claim_c9(rows: pd.DataFrame) -> Figure:
    """What the scaling of features does to learning rates, and to the growth of gradients.

    A panel for each activation, a line for each init scale: it joins one net on raw,
    centered and standardized features. Lines run down where less learning rate is stable,
    and sideways where gradients grow otherwise from layer to layer.

    Args:
        rows: The evidence of claim C9.
    """
    starts = with_critical_rates(rows, ["activation", "init_scale", "features"])
    activations = list(starts["activation"].unique())
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            1,
            len(activations),
            x=r"gradient growth per layer $\chi$",
            y="critical learning rate",
        )
        figure.set_figheight(4.2)
        for panel, activation in zip(panels[0], activations, strict=True):
            _draw_nets(panel, starts[starts["activation"] == activation])
            panel.set_title(activation)
        title = "Critical learning rate, and growth of gradients at step 0, by scaling of features"
        _finish(figure, _features_key(sorted(starts["init_scale"].unique())), title)
    return figure


def _draw_nets(panel: Axes, starts: pd.DataFrame) -> None:
    panel.axvline(1, color="0.6", linewidth=0.8, linestyle=(0, (3, 2)))
    for (_, net), marker in zip(starts.groupby("init_scale"), MARKERS, strict=False):
        by_features = net.set_index("features").reindex(list(COLORS))
        growth, rate = by_features["chi_measured"], by_features["boundary_learning_rate"]
        panel.plot(growth, rate, color="0.75", zorder=1)
        for name, color in COLORS.items():
            panel.plot(growth[name], rate[name], marker=marker, color=color, **HOLLOW)
            predicted = by_features.loc[name, "critical_learning_rate"]
            panel.plot(growth[name], predicted, color=color, **PREDICTED)
    panel.set(yscale="log")


def _features_key(scales: Sequence[float]) -> list[Line2D]:
    """What the colors and the markers of claim_c9 stand for."""
    colors = [
        Line2D([], [], color=color, label=name, linewidth=4) for name, color in COLORS.items()
    ]
    markers = [
        Line2D([], [], color="0.3", marker=marker, label=f"init scale {scale:.3g}", **HOLLOW)
        for scale, marker in zip(scales, MARKERS, strict=False)
    ]
    predicted = Line2D([], [], color="0.3", label="2 / curvature at step 0", **PREDICTED)
    return [*colors, *markers, predicted]


def _finish(figure: Figure, key: list[Line2D], title: str) -> None:
    figure.legend(handles=key, loc="outside lower left", ncols=3, frameon=False)
    figure.suptitle(title, x=0.01, horizontalalignment="left")
