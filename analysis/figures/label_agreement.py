"""The figure of how often seeds agree on the outcome: where the map's edges are sharp."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from analysis.drawing.log_scales import cell_edges, evenly_chosen, mark_ticks
from analysis.drawing.map_cells import NOT_RUN
from analysis.drawing.pages import STYLE, chosen, give_title, panel_grid, require_drawable
from analysis.tables.label_agreement import label_agreement

MOST_DEPTHS = 8
LEVELS = np.linspace(0.3, 1, 8)


def label_agreement_map(runs: pd.DataFrame) -> Figure:
    """Where seeds disagree on the outcome: the edges of the stability map, and how sharp.

    A panel for each activation (rows) and depth (columns, an even choice of MOST_DEPTHS);
    hatched cells were not run with two seeds.

    Args:
        runs: The settings and `outcome`.

    Raises:
        UnsuitableRunsError: No cell has two seeds, or as of stability_map.
    """
    require_drawable(runs)
    cells = label_agreement(runs)
    activations, every_depth = list(runs["activation"].unique()), sorted(runs["depth"].unique())
    depths = evenly_chosen(every_depth, MOST_DEPTHS)
    scales, rates = np.unique(runs["init_scale"]), np.unique(runs["learning_rate"])
    x, y = cell_edges(rates), cell_edges(scales)
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            len(activations), len(depths), x="learning rate", y="init scale"
        )
        for row, activation in zip(panels, activations, strict=True):
            for panel, depth in zip(row, depths, strict=True):
                here = cells[(cells["activation"] == activation) & (cells["depth"] == depth)]
                grid = here.pivot(index="init_scale", columns="learning_rate", values="agreement")
                values = grid.reindex(index=scales, columns=rates).to_numpy()
                panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
                panel.patch.set(**NOT_RUN)
                mesh = panel.pcolormesh(
                    x, y, np.ma.masked_invalid(values), cmap="cividis",
                    norm=BoundaryNorm(LEVELS, 256),
                )  # fmt: skip
                mark_ticks(panel.xaxis, rates)
                mark_ticks(panel.yaxis, scales)
        for panel, depth in zip(panels[0], depths, strict=True):
            panel.set_title(f"depth {depth}")
        for panel, activation in zip(panels[:, -1], activations, strict=True):
            panel.annotate(
                activation, (1.03, 0.5), xycoords="axes fraction", rotation=-90, va="center"
            )
        bar = figure.colorbar(mesh, ax=list(panels.flat), pad=0.04)
        bar.set_label("seeds with the cell's most frequent outcome")
        note = chosen("depths", depths, every_depth)
        give_title(figure, "Where seeds agree on the outcome", runs, note)
    return figure
