"""The figure of how often seeds agree on the outcome: where the map's edges are sharp."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.cell_axes import cell_axis, grid_of
from analysis.drawing.facets import facets
from analysis.drawing.map_cells import NOT_RUN, draw_cells
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title
from analysis.reading.stores import REPEATS
from analysis.tables.label_agreement import label_agreement
from analysis.tables.layouts import MAP, MOST_PANELS, Places, laid_out
from analysis.tables.views import EVERYTHING, View

PLACES = Places(free=MAP.free, pooled=REPEATS)
BY_SHARE: Style = {"cmap": "cividis", "norm": BoundaryNorm(np.linspace(0.3, 1, 8), 256)}


def label_agreement_map(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """Where seeds disagree on the outcome: the edges of the stability map, and how sharp.

    Axes and panels are those of the stability map; hatched cells were not run with two seeds.

    Args:
        runs: The settings and `outcome`.
        view: Which runs, and what lies where.

    Raises:
        UnsuitableRunsError: No cell has two seeds, or as of stability_map.
    """
    layout = laid_out(runs, view, PLACES)
    cells = label_agreement(layout.runs, layout.cell)
    x, y = (cell_axis(layout.names[role], layout.runs) for role in ("x", "y"))
    with mpl.rc_context(STYLE):
        figure, drawn, gaps = facets(layout, x.words, y.words, MOST_PANELS)
        for facet in drawn:
            here = cells.merge(facet.runs[layout.cell].drop_duplicates(), on=layout.cell)
            grid = grid_of(here, x, y, "agreement")
            gaps |= np.ma.is_masked(grid)
            mesh = draw_cells(facet.panel, grid, x, y, **BY_SHARE)
        bar = figure.colorbar(mesh, ax=list(figure.axes), pad=0.04)
        bar.set_label("seeds with the cell's most frequent outcome")
        if gaps:
            key = [Patch(**NOT_RUN, label="not run with two seeds")]
            figure.legend(handles=key, loc="outside lower left", frameon=False)
        give_title(figure, "Where seeds agree on the outcome", layout.runs, layout.note)
    return figure
