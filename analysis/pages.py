"""How a figure is laid out on a page: its style, its panels and what its title says."""

import textwrap

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from analysis.tables import axes
from core.trials import TRIAL_FIELDS

WIDEST_INCHES = 10.0
NARROWEST_INCHES = 6.5
PANEL_INCHES = 2.3
CHARACTERS_PER_INCH = 16  # of the 8-point subtitle

STYLE = {
    **sns.axes_style("ticks"),
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "figure.titlesize": 9,
}


def empty_page(rows: int, columns: int) -> Figure:
    """A figure sized for a grid of panels; no wider than a page, however many columns."""
    width = min(max(NARROWEST_INCHES, 0.8 + PANEL_INCHES * columns), WIDEST_INCHES)
    panel = (width - 0.8) / columns
    height = 1.8 + rows * min(max(0.85 * panel, 1.2), 3.2)
    return Figure(figsize=(width, height), layout="constrained")


def give_title(figure: Figure, headline: str, runs: pd.DataFrame, note: str = "") -> None:
    """Title the figure with what it shows and, below, the settings common to all its runs.

    Args:
        figure: Sized already: the settings are wrapped to its width.
        headline: What the figure shows.
        runs: What was drawn.
        note: What of the runs was left out, if anything was.
    """
    varying = axes(runs)
    common = [
        f"{name.replace('_', ' ')} {runs[name].iloc[0]}"
        for name in TRIAL_FIELDS
        if name in runs and name not in varying
    ]
    characters = int(figure.get_figwidth() * CHARACTERS_PER_INCH)
    lines = [headline, *textwrap.wrap(" · ".join(common), characters), note]
    text = "\n".join(line for line in lines if line)
    figure.suptitle(text, x=0.01, horizontalalignment="left", linespacing=1.4)


def require_runs(runs: pd.DataFrame) -> None:
    """Refuse to draw an empty figure.

    Raises:
        ValueError: There are no runs.
    """
    if runs.empty:
        raise ValueError("there are no runs to draw; loosen the selection made from the table")
