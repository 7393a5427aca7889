"""The cells of a stability map's panel, and the legend that names their regions."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.cell_axes import CellAxis, grid_of
from analysis.drawing.marks import Style
from analysis.reading.cells import INFERRED
from analysis.reading.trained_levels import level_words
from analysis.tables.regions import REGIONS

NOT_RUN: Style = {"facecolor": "white", "edgecolor": "0.8", "hatch": "////", "linewidth": 0}
COLORS = ListedColormap([region.color for region in REGIONS])
PALER = 0.5  # of white over a cell
BY_REGION: Style = {"cmap": COLORS, "vmin": -0.5, "vmax": len(REGIONS) - 0.5}


def draw_cells(
    panel: Axes, grid: np.ma.MaskedArray, x: CellAxis, y: CellAxis, **coloring: Any
) -> QuadMesh:
    """Fill a panel with a grid of numbers, hatched where nothing was run.

    Args:
        panel: Where to draw.
        grid: (y, x), as of grid_of.
        x, y: The axes.
        coloring: How numbers become colors, as of Axes.pcolormesh.
    """
    x.shape(panel, "x")
    y.shape(panel, "y")
    # A masked cell is transparent: the hatched background shows through.
    panel.patch.set(**NOT_RUN)
    return panel.pcolormesh(x.edges, y.edges, grid, **coloring)


def draw_paler(panel: Axes, runs: pd.DataFrame, x: CellAxis, y: CellAxis) -> None:
    """Make the cells paler none of whose runs was trained, as on a traced map."""
    if not _has_inferred(runs):
        return
    cells = runs.groupby([x.name, y.name])[INFERRED].all().reset_index()
    grid = np.ma.masked_equal(grid_of(cells, x, y, INFERRED), 0)
    panel.pcolormesh(x.edges, y.edges, grid, cmap=ListedColormap(["white"]), alpha=PALER)


def name_regions(
    figure: Figure, grids: np.ma.MaskedArray, runs: pd.DataFrame, gaps: bool = False
) -> None:
    """Add a legend, in words, of the regions that the map shows, and of cells that were not run.

    Args:
        figure: Drawn already.
        grids: Its regions, masked where not run.
        runs: What was drawn.
        gaps: Whether a whole panel was not run.
    """
    present = np.unique(grids.compressed()).astype(int)
    level = level_words(runs)
    entries = [Patch(color=REGIONS[i].color, label=REGIONS[i].label(level)) for i in present]
    if gaps or np.ma.is_masked(grids):
        entries.append(Patch(**NOT_RUN, label="not run"))
    if _has_inferred(runs):
        entries.append(Patch(color="0.85", label="paler: not trained, as the nearest run"))
    columns = 3 if figure.get_figwidth() > 9 else 2
    figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)


def _has_inferred(runs: pd.DataFrame) -> bool:
    return INFERRED in runs and bool(runs[INFERRED].any())
