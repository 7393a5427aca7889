"""Figures of a sweep: one function each, a DataFrame of runs -> a matplotlib Figure."""

import textwrap
from itertools import product

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.log_scales import cell_edges, evenly_chosen, mark_ticks, require_positive
from analysis.regions import REGIONS, region_by_cell
from analysis.tables import axes, refuse_other_axes
from core.trials import TRIAL_FIELDS

PAGE_INCHES = 10.0
NARROWEST_INCHES = 6.5
MOST_DEPTHS = 8
STYLE = {
    **sns.axes_style("ticks"),
    "font.size": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
}
NOT_RUN = {"facecolor": "white", "edgecolor": "0.8", "hatch": "////", "linewidth": 0}
MAP_SETTINGS = ("activation", "depth", "init_scale", "learning_rate", "seed")


def stability_map(runs: pd.DataFrame) -> Figure:
    """Where networks train, stall and diverge: the outcome over learning rate and init scale.

    A panel for each activation (rows) and depth (columns). Of more than MOST_DEPTHS
    depths an even choice is drawn, and the title says so. A cell has the outcome that is
    most frequent over the seeds; hatched cells were not run.

    Args:
        runs: The settings, `outcome` and, for the shades of the stalls, `cause`.

    Raises:
        ValueError: There are no runs, a learning rate or init scale is not positive, or
            a setting besides MAP_SETTINGS varies.
    """
    require_runs(runs)
    refuse_other_axes(runs, MAP_SETTINGS)
    require_positive(runs, ("init_scale", "learning_rate"))
    activations = list(runs["activation"].unique())
    every_depth = sorted(runs["depth"].unique())
    depths = evenly_chosen(every_depth, MOST_DEPTHS)
    cells = region_by_cell(runs[runs["depth"].isin(depths)])
    with rc_context(STYLE):
        figure, panels = _panels(len(activations), len(depths))
        for panel, (activation, depth) in zip(panels.flat, product(activations, depths)):
            here = (cells["activation"] == activation) & (cells["depth"] == depth)
            _draw_cells(panel, cells[here], cells)
        for panel, activation in zip(panels[:, 0], activations):
            panel.set_ylabel(activation, fontweight="bold")
        for panel, depth in zip(panels[0], depths):
            panel.set_title(f"depth {depth}")
        figure.supxlabel("learning rate", fontsize=9)
        figure.supylabel("init scale", fontsize=9)
        _title(figure, runs, _chosen_depths(depths, every_depth))
        _name_regions(figure, cells)
    return figure
