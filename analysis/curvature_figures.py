"""Figures of learning rate against curvature: the catapult and the edge of stability."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.curvatures import sharpness_over_time
from analysis.pages import STYLE, give_title, panel_grid
from analysis.tables import UnsuitableRunsError
from core.outcomes import DIVERGED

EDGE = {"color": "0.15", "linewidth": 1.0, "linestyle": (0, (3, 2))}
SURVIVED = {"color": "#009e73", "marker": "o", "markersize": 3.5, "linestyle": "none"}
LOST = {"color": "#d55e00", "marker": "x", "markersize": 4, "linestyle": "none"}


def edge_of_stability_by_step(curves: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Sharpness in units of 2 / eta along training: it rises to 1 and hovers there.

    A column for each activation, sharpness above and loss below, a line for each
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


def catapult_by_rate(runs: pd.DataFrame) -> Figure:
    """The highest and the last loss against the learning rate in units of the curvature.

    A panel for each activation. Below c = eta x lambda_max = 2 the loss only falls; beyond
    it first rises (the catapult), and beyond some c, 4 for two linear layers, it diverges.

    Args:
        runs: The settings, `outcome`, `sharpness`, `initial_loss`, `peak_loss`, `tail_loss`.
    """
    measured = runs.dropna(subset=["sharpness"])
    if measured.empty:
        raise UnsuitableRunsError("no sharpness was measured; add `measure: [sharpness]`")
    c = measured["learning_rate"] * measured["sharpness"]
    table = measured.assign(
        c=c,
        peak=measured["peak_loss"] / measured["initial_loss"],
        last=measured["tail_loss"] / measured["initial_loss"],
        diverged=measured["outcome"].isin(DIVERGED),
    )
    activations = list(runs["activation"].unique())
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            1, len(activations), x=r"$c$ = learning rate × $\lambda_{max}$ at step 0", y="loss"
        )
        panels[0, 0].set_ylabel("loss / initial loss")
        for panel, activation in zip(panels.flat, activations, strict=True):
            here = table[table["activation"] == activation]
            kept, lost = here[~here["diverged"]], here[here["diverged"]]
            panel.plot(kept["c"], kept["peak"], label="highest loss", fillstyle="none", **SURVIVED)
            panel.plot(kept["c"], kept["last"], label="last loss", **SURVIVED)
            panel.plot(lost["c"], lost["peak"], label="highest loss, diverged", **LOST)
            for bound in (2, 4):
                panel.axvline(bound, **EDGE)
            panel.set(xscale="log", yscale="log", xlim=(None, 40), ylim=(1e-3, 1e7))
            panel.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
            panel.minorticks_off()
            panel.set_title(activation)
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False)
        give_title(figure, "The catapult: learning rates beyond 2 / curvature", runs, None)
    return figure
