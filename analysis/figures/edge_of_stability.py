"""The figure of the sharpness along training, which rises to 2 / learning rate and stays there."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.facets import named
from analysis.drawing.marks import EDGE
from analysis.drawing.pages import STYLE, give_title, panel_grid
from analysis.drawing.ticks import mark_steps
from analysis.reading.setting_values import in_words
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.curvatures import sharpness_over_time
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View

MOST_RATES = 8
PLACES = Places(
    free={"columns": ("activation",)},
    own={"x": "step", "lines": "learning_rate", "rows": "sharpness and loss"},
    lines=MOST_RATES,
)
SHOWN = {"sharpness_ratio": "sharpness × learning rate / 2", "loss": "loss"}


def edge_of_stability_by_step(
    curves: pd.DataFrame, runs: pd.DataFrame, view: View = EVERYTHING
) -> Figure:
    """Sharpness in units of 2 / eta along training: it rises to 1 and hovers there.

    There is a column for each activation, or for a setting that varies in its place, with the
    sharpness above and the loss below. A line is the mean over seeds at one learning rate; of many
    rates an even choice of MOST_RATES is drawn.

    Args:
        curves: `trial_id`, `step`, `loss`, `sharpness`.
        runs: `trial_id` and the settings.
        view: Which runs, and what has columns of panels.

    Raises:
        UnsuitableRunsError: No sharpness was measured, there are no such runs, or the figure
            has no such place.
    """
    kept = view.kept(runs)
    known = curves.loc[curves["sharpness"].notna(), "trial_id"]
    measured = kept[kept["trial_id"].isin(known)]
    if measured.empty:
        raise UnsuitableRunsError(
            "no sharpness was measured along training; add `measure: [sharpness_curve]`"
        )
    layout = laid_out(measured, view, PLACES)
    rates = layout.values["lines"]
    with mpl.rc_context(STYLE):
        each = list(layout.panels())
        figure, panels = panel_grid(2, len(each), x="step", y="")
        for row, (column, words) in zip(panels, SHOWN.items(), strict=True):
            row[0].set_ylabel(words)
            for panel, here in zip(row, each, strict=True):
                _draw(panel, sharpness_over_time(curves, here.runs), column, rates)
        for place, panel in enumerate(panels[0]):
            panel.axhline(1, label="2 / learning rate: the edge of stability", **EDGE)
            panel.set_title(named(layout, "columns", place) if "columns" in layout.names else "")
            panel.set_ylim(bottom=0)
        panels[1, 0].set_yscale("log")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False)
        give_title(figure, "Sharpness rises to the edge of stability", layout.runs, layout.note)
    return figure


def _draw(panel: Axes, table: pd.DataFrame, column: str, rates: list[float]) -> None:
    colors = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(rates)))
    for rate, color in zip(rates, colors, strict=True):
        line = table[table["learning_rate"] == rate].groupby("step")[column].mean()
        label = f"learning rate {in_words(rate)}"
        panel.plot(line.index, line, marker="o", markersize=3, color=color, label=label)
    mark_steps(panel)
