"""The cells of a stability map's panel, and the legend that names their regions."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from analysis.drawing.log_scales import cell_edges, mark_ticks
from analysis.drawing.marks import Style
from analysis.reading.trained_levels import level_words
from analysis.tables.regions import REGIONS

NOT_RUN: Style = {"facecolor": "white", "edgecolor": "0.8", "hatch": "////", "linewidth": 0}

Values = NDArray[np.float64]


def grid_of_regions(cells: pd.DataFrame, scales: Values, rates: Values) -> np.ma.MaskedArray:
    """Indices into REGIONS, (scales, rates); masked where nothing was run.

    Args:
        cells: One panel's `init_scale`, `learning_rate` and `region`, one row per cell.
        scales, rates: The values of the map's axes, ascending.
    """
    regions = cells.pivot(index="init_scale", columns="learning_rate", values="region")
    return np.ma.masked_invalid(regions.reindex(index=scales, columns=rates).to_numpy(float))


def draw_cells(panel: Axes, grid: np.ma.MaskedArray, scales: Values, rates: Values) -> None:
    """Fill a panel with a grid of regions, hatched where nothing was run."""
    x, y = cell_edges(rates), cell_edges(scales)
    panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    # A masked cell is transparent: the hatched background shows through.
    panel.patch.set(**NOT_RUN)
    colors = ListedColormap([region.color for region in REGIONS])
    panel.pcolormesh(x, y, grid, cmap=colors, vmin=-0.5, vmax=len(REGIONS) - 0.5)
    mark_ticks(panel.xaxis, rates)
    mark_ticks(panel.yaxis, scales)


def name_regions(figure: Figure, grids: np.ma.MaskedArray, runs: pd.DataFrame) -> None:
    """Add a legend, in words, of the regions that the map shows."""
    present = np.unique(grids.compressed()).astype(int)
    level = level_words(runs)
    entries = [Patch(color=REGIONS[i].color, label=REGIONS[i].label(level)) for i in present]
    if np.ma.is_masked(grids):
        entries.append(Patch(**NOT_RUN, label="not run"))
    columns = 3 if figure.get_figwidth() > 9 else 2
    figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)
