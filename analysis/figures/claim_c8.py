"""The figure of claim C8: gradients at the start and along training, start by start."""

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.log_scales import limits
from analysis.drawing.marks import CRITICAL_RATE, Style
from analysis.drawing.pages import STYLE, finish, panel_grid
from core.outcomes import DIVERGED

KEPT: Style = {"color": "#009e73", "marker": "o", "markersize": 3, "linestyle": "none"}
LOST: Style = {"color": "#d55e00", "marker": "x", "markersize": 3.5, "linestyle": "none"}
PREDICTED: Style = {
    "color": "0.1",
    "marker": "|",
    "markersize": 10,
    "markeredgewidth": 1.4,
    "linestyle": "none",
    "label": CRITICAL_RATE,
}
ROW_NAME: Style = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7}
ROOM_FOR_NAMES = 50  # left of the points, a factor on the log axis


def claim_c8(rows: pd.DataFrame) -> Figure:
    """The gradient before the first step, and how it changes at each learning rate.

    There is a panel for each depth, with a row of points for each init scale at the height of its
    gradient at step 0. Rows are level if no learning rate changes that gradient. Along a row, runs
    begin to diverge at the boundary learning rate; a bar marks the predicted 2 / lambda_max.

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
        finish(figure, key, f"{title} (left of a row: its init scale)")
    return figure


def _draw_starts(panel: Axes, rows: pd.DataFrame) -> None:
    lost = rows["outcome"].isin(DIVERGED)
    for chosen, style, label in ((~lost, KEPT, "did not diverge"), (lost, LOST, "diverged")):
        here = rows[chosen]
        panel.plot(here["learning_rate"], here["gradient_norm"], label=label, **style)
    starts = rows.drop_duplicates("init_scale")
    panel.plot(starts["critical_learning_rate"], starts["gradient_norm"], **PREDICTED)
    panel.set(xscale="log", yscale="log")
    for _, start in starts.iterrows():
        place = (rows["learning_rate"].min(), start["gradient_norm"])
        panel.annotate(f"{start['init_scale']:g}", place, xytext=(-4, 0), **ROW_NAME)
