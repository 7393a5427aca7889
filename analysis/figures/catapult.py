"""The figure of the learning rates that a training survives, relative to the start's sharpness."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.marks import EDGE, Style
from analysis.drawing.pages import STYLE, give_title, panel_grid
from analysis.reading.stores import UnsuitableRunsError
from core.outcomes import DIVERGED

SURVIVED: Style = {"color": "#009e73", "marker": "o", "markersize": 3.5, "linestyle": "none"}
LOST: Style = {"color": "#d55e00", "marker": "x", "markersize": 4, "linestyle": "none"}


def catapult_by_rate(runs: pd.DataFrame) -> Figure:
    """The highest and the last loss against the learning rate in units of the sharpness.

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
        give_title(figure, r"The catapult: learning rates beyond $2 / \lambda_{max}$", runs, None)
    return figure
