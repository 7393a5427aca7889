"""The figure of outcome shares along each axis of a sweep."""

from collections.abc import Sequence
from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.map_cells import name_regions
from analysis.drawing.pages import NARROWEST_INCHES, PANEL_INCHES, STYLE, give_title
from analysis.drawing.ticks import mark_in_a_row
from analysis.reading.cells import INFERRED
from analysis.reading.stores import UnsuitableRunsError, factors
from analysis.reading.traces import Trace
from analysis.tables.layouts import Places, laid_out
from analysis.tables.map_cells import trace_note
from analysis.tables.regions import REGIONS, region_by_run
from analysis.tables.views import EVERYTHING, View

PLACES = Places(free={}, own={"y": "the share of runs"}, pools_rest=True)


def outcome_shares_by_axis(
    runs: pd.DataFrame, view: View = EVERYTHING, traces: Sequence[Trace] = ()
) -> Figure:
    """The share of runs with each outcome along every axis, all other axes pooled.

    There is a panel for each setting that varies, except the seed and settings of measurements, and
    in it a bar for each value.

    Args:
        runs: The settings, `outcome` and `cause`; of a traced map its cells, as of
            analysis.tables.map_cells.read_map.
        view: Which runs.
        traces: The traced sweeps among them, for the title.

    Raises:
        UnsuitableRunsError: No setting varies, an outcome is unknown here, there are no such
            runs, or the figure has no such place.
    """
    layout = laid_out(runs, view, PLACES)
    runs = layout.runs
    names = factors(runs)
    if not names:
        raise UnsuitableRunsError("no setting varies among the runs: there is no axis to show")
    found = region_by_run(runs["outcome"], runs["cause"])
    regions = pd.Series(found, index=runs.index, name="region")
    columns = min(len(names), 3)
    with mpl.rc_context(STYLE):
        rows = ceil(len(names) / columns)
        size = (max(NARROWEST_INCHES, 1 + PANEL_INCHES * columns), 1.6 + 2 * rows)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        panels[0, 0].set_ylabel("share of cells" if INFERRED in runs else "share of runs")
        for panel, name in zip(panels.flat, names, strict=False):
            _draw(panel, pd.crosstab(runs[name], regions, normalize="index"))
            panel.set_xlabel(name.replace("_", " "))
        for unused in panels.flat[len(names) :]:
            unused.set_visible(False)
        bars = runs.drop(columns=INFERRED, errors="ignore")  # none of which is paler
        name_regions(figure, np.ma.array(np.unique(regions)), bars)
        notes = filter(None, [layout.note, trace_note(runs, traces)])
        give_title(figure, "How runs ended, along each axis", runs, "\n".join(notes))
    return figure


def _draw(panel: Axes, shares: pd.DataFrame) -> None:
    bottom = np.zeros(len(shares))
    places = np.arange(len(shares))
    for region in shares.columns.astype(int):
        height = shares[region].to_numpy()
        panel.bar(places, height, 1.0, bottom, color=REGIONS[region].color, linewidth=0)
        bottom += height
    panel.set(xlim=(-0.5, len(shares) - 0.5), ylim=(0, 1))
    mark_in_a_row(panel.xaxis, shares.index.tolist())
