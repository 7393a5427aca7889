"""The figure of outcome shares along each axis of a sweep."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.map_cells import name_regions
from analysis.drawing.pages import NARROWEST_INCHES, PANEL_INCHES, STYLE, give_title
from analysis.reading.stores import UnsuitableRunsError, factors
from analysis.tables.regions import REGIONS, region_by_run

MOST_MARKS = 6


def outcome_shares_by_axis(runs: pd.DataFrame) -> Figure:
    """The share of runs with each outcome along every axis, all other axes pooled.

    A panel for each setting that varies, without the seed and settings of measurements, and a bar
    for each of its values.

    Args:
        runs: The settings, `outcome` and `cause`.

    Raises:
        UnsuitableRunsError: No setting varies, or an outcome is unknown here.
    """
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
        panels[0, 0].set_ylabel("share of runs")
        for panel, name in zip(panels.flat, names, strict=False):
            _draw(panel, pd.crosstab(runs[name], regions, normalize="index"))
            panel.set_xlabel(name.replace("_", " "))
        for unused in panels.flat[len(names) :]:
            unused.set_visible(False)
        name_regions(figure, np.ma.array(np.unique(regions)), runs)
        give_title(figure, "How runs ended, along each axis", runs, None)
    return figure


def _draw(panel: Axes, shares: pd.DataFrame) -> None:
    bottom = np.zeros(len(shares))
    places = np.arange(len(shares))
    for region in shares.columns.astype(int):
        height = shares[region].to_numpy()
        panel.bar(places, height, 1.0, bottom, color=REGIONS[region].color, linewidth=0)
        bottom += height
    every = ceil(len(shares) / MOST_MARKS)
    marks = [f"{each:.2g}" if isinstance(each, float) else str(each) for each in shares.index]
    panel.set_xticks(places[::every], marks[::every])
    panel.set(xlim=(-0.5, len(shares) - 0.5), ylim=(0, 1))
