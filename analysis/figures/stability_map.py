"""The stability map: the outcome over learning rate and init scale, one panel per network."""

from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.log_scales import evenly_chosen
from analysis.drawing.map_cells import draw_cells, grid_of_regions, name_regions
from analysis.drawing.marks import Style
from analysis.drawing.pages import (
    STYLE,
    chosen,
    give_title,
    panel_grid,
    require_drawable,
)
from analysis.tables.regions import region_by_cell

MOST_DEPTHS = 8
BESIDE_PANEL: Style = {"xycoords": "axes fraction", "rotation": -90, "va": "center", "ha": "left"}


def stability_map(runs: pd.DataFrame) -> Figure:
    """Where networks train, stall and diverge: the outcome over learning rate and init scale.

    A panel for each activation (rows) and depth (columns). Of more than MOST_DEPTHS
    depths an even choice is drawn, and the title says so. A cell has the outcome that is
    most frequent over the seeds; hatched cells were not run.

    Args:
        runs: The settings, `outcome` and, for the shades of the stalls, `cause`.

    Raises:
        UnsuitableRunsError: There are no runs, a learning rate is not positive, or a setting
            besides activation, depth, init scale, learning rate and seed varies.
    """
    require_drawable(runs)
    activations, every_depth = list(runs["activation"].unique()), sorted(runs["depth"].unique())
    depths = evenly_chosen(every_depth, MOST_DEPTHS)
    cells = region_by_cell(runs[runs["depth"].isin(depths)])
    scales, rates = np.unique(cells["init_scale"]), np.unique(cells["learning_rate"])
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            len(activations), len(depths), x="learning rate", y="init scale"
        )
        grids = []
        for panel, (activation, depth) in zip(
            panels.flat, product(activations, depths), strict=True
        ):
            here = cells[(cells["activation"] == activation) & (cells["depth"] == depth)]
            grids.append(grid_of_regions(here, scales, rates))
            draw_cells(panel, grids[-1], scales, rates)
        for panel, depth in zip(panels[0], depths, strict=True):
            panel.set_title(f"depth {depth}")
        for panel, activation in zip(panels[:, -1], activations, strict=True):
            panel.annotate(activation, (1.03, 0.5), **BESIDE_PANEL)
        name_regions(figure, np.ma.stack(grids), runs)
        note = chosen("depths", depths, every_depth)
        give_title(figure, "Where networks train, stall and diverge", runs, note)
    return figure
