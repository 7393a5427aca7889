"""The figure of the learning rate at which runs begin to diverge, and of its prediction."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.boundary_lines import COLORS, draw_boundaries, explain_boundaries
from analysis.drawing.log_scales import evenly_chosen, limits, mark_ticks
from analysis.drawing.pages import (
    STYLE,
    chosen,
    give_title,
    hide_unused,
    panel_grid,
    require_drawable,
)
from analysis.tables.boundaries import boundary_learning_rates

MOST_INIT_SCALES = len(COLORS)
MOST_PANELS_IN_A_ROW = 4


def boundary_learning_rate_by_depth(runs: pd.DataFrame) -> Figure:
    """The learning rate at which training begins to diverge, against depth.

    A panel for each activation, a line for each init scale (an even choice of
    MOST_INIT_SCALES where there are more, and the title says so). A point lies midway
    between the largest learning rate that was stable and the smallest that diverged, and
    its bar joins the two; open triangles mark where the sweep held only one of them.
    Dashed, where it was measured: the predicted critical learning rate, 2 / lambda_max, the
    median over seeds. Dotted: the straight lines of linear nets.

    Args:
        runs: The settings, `outcome` and, for the dashes, `critical_learning_rate`.

    Raises:
        UnsuitableRunsError: There are no runs, a learning rate is not positive, or a setting
            besides activation, depth, init scale, learning rate and seed varies.
    """
    require_drawable(runs)
    activations = list(runs["activation"].unique())
    every_scale = sorted(runs["init_scale"].unique())
    scales = evenly_chosen(every_scale, MOST_INIT_SCALES)
    boundaries = _with_prediction(runs[runs["init_scale"].isin(scales)])
    rates = np.unique(runs["learning_rate"])
    columns = min(len(activations), MOST_PANELS_IN_A_ROW)
    with mpl.rc_context(STYLE):
        rows = ceil(len(activations) / columns)
        figure, panels = panel_grid(rows, columns, x="depth", y="learning rate")
        hide_unused(panels, len(activations))
        for panel, activation in zip(panels.flat, activations, strict=False):
            draw_boundaries(panel, boundaries[boundaries["activation"] == activation], scales)
            panel.set_title(activation)
            mark_ticks(panel.yaxis, rates)
            # Predictions outside what was tried are cut off: they would flatten all else.
            panel.set_ylim(limits(rates))
        explain_boundaries(figure, boundaries, scales)
        note = chosen("init scales", scales, every_scale)
        give_title(figure, "The learning rate at which training begins to diverge", runs, note)
    return figure


def _with_prediction(runs: pd.DataFrame) -> pd.DataFrame:
    """The brackets with the median `critical_learning_rate`, which is NaN if not measured."""
    keys = ["activation", "depth", "init_scale"]
    brackets = boundary_learning_rates(runs, keys)
    if "critical_learning_rate" not in runs:
        return brackets.assign(critical_learning_rate=np.nan)
    predicted = runs.groupby(keys)["critical_learning_rate"].median()
    return brackets.merge(predicted.reset_index(), on=keys)
