"""Figures of a sweep: one function each, a DataFrame of runs -> a matplotlib Figure."""

from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from analysis.boundaries import critical_learning_rate_bracket
from analysis.log_scales import (
    cell_edges,
    evenly_chosen,
    mark_ticks,
    mark_values,
    require_positive,
)
from analysis.pages import STYLE, empty_page, give_title, require_runs
from analysis.regions import REGIONS, region_by_cell
from analysis.tables import refuse_other_axes

SHOWN_SETTINGS = ("activation", "depth", "init_scale", "learning_rate", "seed")
MOST_DEPTHS = 8
MOST_INIT_SCALES = 5
MOST_PANELS_IN_A_ROW = 4
NOT_RUN = {"facecolor": "white", "edgecolor": "0.8", "hatch": "////", "linewidth": 0}


def stability_map(runs: pd.DataFrame) -> Figure:
    """Where networks train, stall and diverge: the outcome over learning rate and init scale.

    A panel for each activation (rows) and depth (columns). Of more than MOST_DEPTHS
    depths an even choice is drawn, and the title says so. A cell has the outcome that is
    most frequent over the seeds; hatched cells were not run.

    Args:
        runs: The settings, `outcome` and, for the shades of the stalls, `cause`.

    Raises:
        ValueError: There are no runs, a learning rate or init scale is not positive, or
            a setting besides SHOWN_SETTINGS varies.
    """
    require_runs(runs)
    refuse_other_axes(runs, SHOWN_SETTINGS)
    require_positive(runs, ("init_scale", "learning_rate"))
    activations, every_depth = list(runs["activation"].unique()), sorted(runs["depth"].unique())
    depths = evenly_chosen(every_depth, MOST_DEPTHS)
    cells = region_by_cell(runs[runs["depth"].isin(depths)])
    scales, rates = np.unique(cells["init_scale"]), np.unique(cells["learning_rate"])
    with mpl.rc_context(STYLE):
        figure = empty_page(len(activations), len(depths))
        panels = figure.subplots(
            len(activations), len(depths), sharex=True, sharey=True, squeeze=False
        )
        grids = [_grid(cells, *panel, scales, rates) for panel in product(activations, depths)]
        for panel, grid in zip(panels.flat, grids, strict=True):
            _draw_cells(panel, grid, scales, rates)
        for panel, depth in zip(panels[0], depths, strict=True):
            panel.set_title(f"depth {depth}")
        for panel, activation in zip(panels[:, 0], activations, strict=True):
            panel.set_ylabel(activation, fontweight="bold")
        figure.supxlabel("learning rate")
        figure.supylabel("init scale")
        _name_regions(figure, np.ma.stack(grids))
        note = f"{len(depths)} of {len(every_depth)} depths shown"
        left_out = note if len(depths) < len(every_depth) else ""
        give_title(figure, "Where networks train, stall and diverge", runs, left_out)
    return figure


def _grid(
    cells: pd.DataFrame,
    activation: str,
    depth: int,
    scales: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> np.ma.MaskedArray:
    """Indices into REGIONS, (scales, rates); masked where nothing was run."""
    panel = cells[(cells["activation"] == activation) & (cells["depth"] == depth)]
    regions = panel.pivot(index="init_scale", columns="learning_rate", values="region")
    return np.ma.masked_invalid(regions.reindex(index=scales, columns=rates).to_numpy(float))


def _draw_cells(
    panel: Axes,
    grid: np.ma.MaskedArray,
    scales: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> None:
    x, y = cell_edges(rates), cell_edges(scales)
    panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    # A masked cell is transparent: the hatched background shows through.
    panel.patch.set(**NOT_RUN)
    colors = ListedColormap([region.color for region in REGIONS])
    panel.pcolormesh(x, y, grid, cmap=colors, vmin=-0.5, vmax=len(REGIONS) - 0.5)
    mark_ticks(panel.xaxis, x[0], x[-1])
    mark_ticks(panel.yaxis, y[0], y[-1])


def _name_regions(figure: Figure, grids: np.ma.MaskedArray) -> None:
    """A legend, in words, of the regions that the map has."""
    present = np.unique(grids.compressed()).astype(int)
    entries = [Patch(color=REGIONS[i].color, label=REGIONS[i].label) for i in present]
    if np.ma.is_masked(grids):
        entries.append(Patch(**NOT_RUN, label="not run"))
    columns = 3 if figure.get_figwidth() > 9 else 2
    figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)


def critical_learning_rate_by_depth(runs: pd.DataFrame) -> Figure:
    """The learning rate at which training begins to diverge, against depth.

    A panel for each activation, a line for each init scale (an even choice of
    MOST_INIT_SCALES where there are more). A point lies midway between the largest
    learning rate that was stable and the smallest that diverged, and its bar joins the
    two; open triangles mark where the sweep held only one of them. Dashed: the curvature's
    prediction 2 / sharpness, the median over seeds, where it was measured.

    Args:
        runs: The settings, `outcome` and, for the dashes, `critical_learning_rate`.

    Raises:
        ValueError: There are no runs, a learning rate or init scale is not positive, or
            a setting besides SHOWN_SETTINGS varies.
    """
    require_runs(runs)
    refuse_other_axes(runs, SHOWN_SETTINGS)
    require_positive(runs, ("init_scale", "learning_rate"))
    keys = ["activation", "depth", "init_scale"]
    brackets = critical_learning_rate_bracket(runs, keys)
    if "critical_learning_rate" in runs:
        predicted = runs.groupby(keys)["critical_learning_rate"].median().reset_index()
        brackets = brackets.merge(predicted, on=keys)
    return brackets
