"""The figure of loss curves by outcome."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analysis.drawing.log_scales import limits, places
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title, hide_unused, panel_grid
from analysis.drawing.ticks import mark_steps
from analysis.reading.setting_values import evenly_chosen
from analysis.reading.trained_levels import level_by_run
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from core.outcomes import OUTCOMES

MOST_CURVES = 60  # a panel
PLACES = Places(free={}, own={"x": "step", "y": "the loss"}, pools_rest=True)
LEVEL: Style = {"color": "0.35", "linewidth": 0.9}
GONE: Style = {
    "color": "0.2",
    "linestyle": "none",
    "marker": "^",
    "markersize": 4,
    "clip_on": False,
}
LEAST_TOP = 10.0
LOWEST, HIGHEST = 1e-3, 1e6  # of the best constant predictor's loss


def loss_curves_by_outcome(
    curves: pd.DataFrame, runs: pd.DataFrame, view: View = EVERYTHING
) -> Figure:
    """What the outcomes look like: loss against step, one panel per outcome.

    All settings are drawn together. Losses are in units of the best constant predictor's (dashed).
    Dotted lines mark what counts as trained, and triangles where a loss leaves the panel. The
    learning rate gives a line its color; of more than MOST_CURVES runs an even choice by learning
    rate is drawn.

    Args:
        curves: `trial_id`, `step`, `loss`.
        runs: `trial_id`, the settings, `outcome` and `baseline_loss`.
        view: Which runs.

    Raises:
        UnsuitableRunsError: There are no such runs, or the figure has no such place.
    """
    layout = laid_out(runs, view, PLACES)
    runs = layout.runs
    names = dict.fromkeys([*OUTCOMES, *runs["outcome"].unique()])  # a newer store has others
    found = [name for name in names if (runs["outcome"] == name).any()]
    low, high = limits(runs["learning_rate"])
    levels = level_by_run(runs).unique()
    top = _top(curves, runs)
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
            for level in levels:
                panel.axhline(level, linestyle=":", label="counts as trained", **LEVEL)
            _mark_ends(panel, lines)
            panel.set(yscale="log", ylim=(LOWEST, top), xlim=(0, runs["steps"].max()))
            mark_steps(panel)
            panel.set_title(f"{outcome}: {len(here):,} runs")
        figure.colorbar(lines, ax=list(panels.flat), pad=0.02, label="learning rate")
        named = dict(
            reversed(pair)
            for panel in panels.flat[: len(found)]
            for pair in zip(*panel.get_legend_handles_labels(), strict=True)
        )
        figure.legend(named.values(), named, loc="outside lower left", ncols=2, frameon=False)
        give_title(figure, "How the loss goes, by outcome", runs, layout.note)
    return figure


def _even(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.iloc[evenly_chosen(range(len(runs)), MOST_CURVES)]


def _lines(curves: pd.DataFrame, runs: pd.DataFrame) -> LineCollection:
    """One line per run, colored by its learning rate.

    A loss of 0 lies below the panel, one above HIGHEST or beyond the range of floats at HIGHEST.
    """
    columns = ["trial_id", "baseline_loss", "learning_rate"]
    table = curves.merge(runs[columns], on="trial_id").sort_values(["trial_id", "step"])
    shares = (table["loss"] / table["baseline_loss"]).fillna(np.inf)
    table["loss"] = shares.clip(LOWEST / 10, HIGHEST)
    by_run = [run for _, run in table.groupby("trial_id")]
    lines = [run[["step", "loss"]].to_numpy() for run in by_run]
    colors = places([run["learning_rate"].iloc[0] for run in by_run])
    return LineCollection(lines, array=colors)


def _mark_ends(panel: Axes, lines: LineCollection) -> None:
    """A triangle where a line reaches HIGHEST: there it leaves the panel."""
    paths = [np.asarray(path.vertices, np.float64) for path in lines.get_paths()]
    gone = [
        points[points[:, 1] >= HIGHEST][0] for points in paths if (points[:, 1] >= HIGHEST).any()
    ]
    if gone:
        label = rf"beyond $10^{{{np.log10(HIGHEST):.0f}}}$, or overflowed"
        panel.plot(*np.transpose(gone), label=label, **GONE)


def _top(curves: pd.DataFrame, runs: pd.DataFrame) -> float:
    """The upper end of the y axis: above every loss that is drawn, HIGHEST at most."""
    rows = curves.merge(runs[["trial_id", "baseline_loss"]], on="trial_id")
    shares = (rows["loss"] / rows["baseline_loss"]).fillna(np.inf)
    return 2 * min(max(shares.max(), LEAST_TOP), HIGHEST)
