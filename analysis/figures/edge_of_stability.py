"""The figure of the sharpness along training, which rises to 2 / learning rate and stays there."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.marks import EDGE
from analysis.drawing.pages import STYLE, give_title, panel_grid
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.curvatures import sharpness_over_time


def edge_of_stability_by_step(curves: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Sharpness in units of 2 / eta along training: it rises to 1 and hovers there.

    A column for each activation, with the sharpness above and the loss below, and a line for each
    learning rate (the mean over seeds).

    Args:
        curves: `trial_id`, `step`, `loss`, `sharpness`.
        runs: `trial_id` and the settings.
    """
    table = sharpness_over_time(curves, runs)
    if table.empty:
        raise UnsuitableRunsError(
            "no sharpness was measured along training; add `measure: [sharpness_curve]`"
        )
    activations = list(runs["activation"].unique())
    rates = sorted(table["learning_rate"].unique())
    colors = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(rates)))
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(2, len(activations), x="step", y="")
        for row, column in enumerate(("sharpness_ratio", "loss")):
            panels[row, 0].set_ylabel(("sharpness × learning rate / 2", "loss")[row])
            for panel, activation in zip(panels[row], activations, strict=True):
                here = table[table["activation"] == activation]
                for rate, color in zip(rates, colors, strict=True):
                    line = here[here["learning_rate"] == rate].groupby("step")[column].mean()
                    label = f"learning rate {rate:g}"
                    panel.plot(line.index, line, marker="o", markersize=3, color=color, label=label)
                panel.set_xscale("symlog", linthresh=1)
                panel.set_xlim(left=0)
        for panel, activation in zip(panels[0], activations, strict=True):
            panel.axhline(1, label="2 / learning rate: the edge of stability", **EDGE)
            panel.set_title(activation)
            panel.set_ylim(bottom=0)
        panels[1, 0].set_yscale("log")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False)
        give_title(figure, "Sharpness rises to the edge of stability", runs, None)
    return figure
