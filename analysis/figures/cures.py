"""Cures: a stability map for each change of how a network is trained, the best ones first."""

import textwrap
from collections.abc import Sequence
from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.cell_axes import cell_axis, grid_of
from analysis.drawing.map_cells import BY_REGION, draw_cells, draw_paler, name_regions
from analysis.drawing.pages import STYLE, give_title, hide_unused, panel_grid
from analysis.reading.traces import Trace
from analysis.tables.cures import trained_by_cure, with_cures
from analysis.tables.layouts import CELLS, Places, laid_out
from analysis.tables.map_cells import trace_note
from analysis.tables.regions import region_by_cell
from analysis.tables.views import EVERYTHING, View

IN_ROW = 4
MOST_CURES = 16
TITLE = 30  # characters of a panel's title in a line
PLANE = Places(free=CELLS, pools_rest=True)


def cures_by_share(
    runs: pd.DataFrame, view: View = EVERYTHING, traces: Sequence[Trace] = ()
) -> Figure:
    """A stability map for each cure, with the share of its cells that trains.

    A cure is whatever was changed from the defaults: an optimizer, a batch size, another
    activation. The cure with which the largest share trains comes first; of more than sixteen the
    last are left out.

    Args:
        runs: The settings, `outcome` and, for the shades of the stalls, `cause`; of a traced map
            its cells, as of analysis.tables.map_cells.read_map.
        view: Which runs, and what lies along the axes.
        traces: The traced sweeps among them, for the title.

    Raises:
        UnsuitableRunsError: There are no such runs, or no such setting.
    """
    layout = laid_out(runs, view, PLANE)
    plane = [layout.names["x"], layout.names["y"]]
    x, y = (cell_axis(name, layout.runs) for name in plane)
    named = with_cures(layout.runs, plane)
    shares = trained_by_cure(layout.runs, plane)
    shown = shares.head(MOST_CURES)
    rows = ceil(len(shown) / IN_ROW)
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(rows, ceil(len(shown) / rows), x.words, y.words)
        hide_unused(panels, len(shown))
        grids = []
        for panel, row in zip(panels.flat, shown.itertuples(), strict=False):
            own = named[named["cure"] == row.cure]
            grids.append(grid_of(region_by_cell(own, plane), x, y, "region"))
            draw_cells(panel, grids[-1], x, y, **BY_REGION)
            draw_paler(panel, own, x, y)
            panel.set_title(textwrap.fill(f"{row.cure}: {row.share:.0%} trains", TITLE))
        name_regions(figure, np.ma.stack(grids), layout.runs)
        notes = filter(None, [_left_out(shares, layout.note), trace_note(layout.runs, traces)])
        give_title(figure, "What makes this network train", layout.runs, "\n".join(notes))
    return figure


def _left_out(shares: pd.DataFrame, note: str | None) -> str | None:
    if len(shares) <= MOST_CURES:
        return note
    said = f"the {MOST_CURES} of {len(shares)} cures with which most trains are shown"
    return said if note is None else f"{note}; {said}"
