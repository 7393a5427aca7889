"""The stability map: the outcome over any two settings, a panel for each value of two others."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.cell_axes import cell_axis, grid_of
from analysis.drawing.facets import facets
from analysis.drawing.map_cells import BY_REGION, draw_cells, draw_paler, name_regions
from analysis.drawing.pages import STYLE, give_title
from analysis.reading.traces import Trace
from analysis.tables.layouts import MAP, MOST_PANELS, laid_out
from analysis.tables.map_cells import trace_note
from analysis.tables.regions import region_by_cell
from analysis.tables.views import EVERYTHING, View


def stability_map(
    runs: pd.DataFrame, view: View = EVERYTHING, traces: Sequence[Trace] = ()
) -> Figure:
    """Where networks train, stall and diverge: the outcome over two settings.

    By default learning rate and init scale lie along the axes, and depth and activation in columns
    and rows, or settings that vary in their place. Any other setting that varies is held at one
    value, which the title says. A cell has the outcome that is most frequent over the seeds;
    hatched cells were not run. Paler cells of a traced map were not trained: they have the
    outcome of the nearest run.

    Args:
        runs: The settings, `outcome` and, for the shades of the stalls, `cause`; of a traced map
            its cells, as of analysis.tables.map_cells.read_map.
        view: Which runs, and what lies where.
        traces: The traced sweeps among them, for the title.

    Raises:
        UnsuitableRunsError: There are no such runs, or no such setting.
    """
    layout = laid_out(runs, view, MAP)
    x, y = (cell_axis(layout.names[role], layout.runs) for role in ("x", "y"))
    with mpl.rc_context(STYLE):
        figure, drawn, gaps = facets(layout, x.words, y.words, MOST_PANELS)
        grids = []
        for facet in drawn:
            cells = region_by_cell(facet.runs, [x.name, y.name])
            grids.append(grid_of(cells, x, y, "region"))
            draw_cells(facet.panel, grids[-1], x, y, **BY_REGION)
            draw_paler(facet.panel, facet.runs, x, y)
        name_regions(figure, np.ma.stack(grids), layout.runs, gaps)
        notes = filter(None, [layout.note, trace_note(layout.runs, traces)])
        headline, note = "Where networks train, stall and diverge", "\n".join(notes)
        give_title(figure, headline, layout.runs, note)
    return figure
