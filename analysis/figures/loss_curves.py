"""The figure of loss curves by outcome."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analysis.drawing.log_scales import evenly_chosen, limits
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title, hide_unused, panel_grid, require_drawable
from analysis.reading.trained_levels import level_by_run
from core.outcomes import OUTCOMES

MOST_CURVES = 60  # a panel
LEVEL: Style = {"color": "0.35", "linewidth": 0.9}
LOWEST, HIGHEST = 1e-3, 1e3  # of the best constant predictor's loss


def loss_curves_by_outcome(curves: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """What the outcomes look like: loss against step, one panel per outcome.

    Losses are in units of the best constant predictor's (dashed); a dotted line marks what
    counts as trained. Of more than MOST_CURVES runs an even choice by learning rate, which
    colors the lines, is drawn.

    Args:
        curves: `trial_id`, `step`, `loss`.
        runs: `trial_id`, the settings, `outcome` and `baseline_loss`.

    Raises:
        UnsuitableRunsError: There are no runs, or a setting besides activation, depth,
            init scale, learning rate and seed varies.
    """
    require_drawable(runs)
    names = dict.fromkeys([*OUTCOMES, *runs["outcome"].unique()])  # a newer store has others
    found = [name for name in names if (runs["outcome"] == name).any()]
    low, high = limits(runs["learning_rate"])
    (trained,) = level_by_run(runs).unique()
    columns = min(len(found), 3)
    with mpl.rc_context(STYLE):
        rows = ceil(len(found) / columns)
        figure, panels = panel_grid(rows, columns, x="step", y="loss / best constant's")
        hide_unused(panels, len(found))
        for panel, outcome in zip(panels.flat, found, strict=False):
            here = runs[runs["outcome"] == outcome].sort_values("learning_rate", kind="stable")
            lines = _lines(curves, _even(here))
            lines.set(norm=LogNorm(low, high), cmap="viridis", linewidth=0.7, alpha=0.8)
            panel.add_collection(lines)
            panel.axhline(1, linestyle=(0, (3, 2)), label="best constant predictor", **LEVEL)
            panel.axhline(trained, linestyle=":", label="counts as trained", **LEVEL)
            panel.set(yscale="log", ylim=(LOWEST, HIGHEST), xlim=(0, runs["steps"].max()))
            panel.set_xscale("symlog", linthresh=1)
            panel.set_title(f"{outcome}: {len(here):,} runs")
        figure.colorbar(lines, ax=list(panels.flat), pad=0.02, label="learning rate")
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False)
        give_title(figure, "How the loss goes, by outcome", runs, None)
    return figure


def _even(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.iloc[evenly_chosen(range(len(runs)), MOST_CURVES)]


def _lines(curves: pd.DataFrame, runs: pd.DataFrame) -> LineCollection:
    """Draw one line per run, colored by its learning rate; a loss of 0 lies at the bottom."""
    columns = ["trial_id", "baseline_loss", "learning_rate"]
    table = curves.merge(runs[columns], on="trial_id").sort_values(["trial_id", "step"])
    table["loss"] = (table["loss"] / table["baseline_loss"]).clip(LOWEST / 10, HIGHEST * 1e30)
    by_run = [run for _, run in table.dropna(subset=["loss"]).groupby("trial_id")]
    lines = [run[["step", "loss"]].to_numpy() for run in by_run]
    colors = np.array([run["learning_rate"].iloc[0] for run in by_run])
    return LineCollection(lines, array=colors)
