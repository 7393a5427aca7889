"""How a figure is laid out on a page: its style, panels and title."""

import textwrap
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.reading.setting_values import spoken
from analysis.reading.stores import REPEATS, axes
from core.trials import SETTINGS

# What was measured beside a training, or how early a trained one may end, changes nothing
# that a figure shows.
LISTED = [name for name, s in SETTINGS.items() if s.decides in ("training", "verdict")]

WIDEST_INCHES = 10.0
NARROWEST_INCHES = 6.5
PANEL_INCHES = 2.3
CHARACTERS_PER_INCH = 14  # of a 9-point title
NO_BREAK = "\N{NO-BREAK SPACE}"

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


def panel_grid(rows: int, columns: int, x: str, y: str) -> tuple[Figure, NDArray[Any]]:
    """A figure of panels, at most as wide as a page.

    All panels share the x axis; the panels of one row share the y axis.

    Args:
        rows, columns: How many panels down and across.
        x, y: The names of the shared axes.

    Returns:
        The figure and its Axes, (rows, columns).
    """
    width = min(max(NARROWEST_INCHES, 0.8 + PANEL_INCHES * columns), WIDEST_INCHES)
    panel_height = min(max(0.85 * (width - 0.8) / columns, 1.3), 2.4)
    figure = Figure(figsize=(width, 1.6 + rows * panel_height), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)
    for panel in panels[:, 0]:
        panel.set_ylabel(y)
    for panel in panels[-1]:
        panel.set_xlabel(x)
    return figure, panels


def hide_unused(panels: NDArray[Any], used: int) -> None:
    """Hide the unused panels; the panels above them get the names of the x axis.

    Args:
        panels: (rows, columns), as panel_grid returns them; the unused are in the last row.
        used: How many to keep.
    """
    columns = panels.shape[1]
    above = panels.flat[used - columns : panels.size - columns]
    for unused, last in zip(panels.flat[used:], above, strict=True):
        unused.set_visible(False)
        last.set_xlabel(unused.get_xlabel())
        last.tick_params(axis="x", labelbottom=True)


def give_title(figure: Figure, headline: str, runs: pd.DataFrame, note: str | None) -> None:
    """Title the figure with what it shows and, below, the settings common to all its runs.

    Settings that came later are left out where they are at their default.

    Args:
        figure: Sized already: the settings are wrapped to its width.
        headline: What the figure shows.
        runs: What was drawn.
        note: Says which runs were left out; None if none were.
    """
    varying = axes(runs)
    shared = [name for name in LISTED if name in runs and name not in varying]
    notes = [_in_words(name, runs) for name in shared if not _is_default(name, runs)]
    notes += [f"{runs[n].nunique()}{NO_BREAK}{spoken(n)}s" for n in REPEATS if n in varying]
    characters = int(figure.get_figwidth() * CHARACTERS_PER_INCH)
    settings = textwrap.wrap(f"{NO_BREAK}· ".join(notes), characters)
    left_out = [
        line for each in (note or "").splitlines() for line in textwrap.wrap(each, characters)
    ]
    lines = [headline, *(line.rstrip(f"{NO_BREAK}·") for line in settings), *left_out]
    text = "\n".join(line for line in lines if line)
    figure.suptitle(text, x=0.01, horizontalalignment="left", linespacing=1.4)


def _is_default(name: str, runs: pd.DataFrame) -> bool:
    """Whether a setting that came later has the value that held before there was a choice."""
    return bool(runs[name].iloc[0] == SETTINGS[name].encoded_default)


def _in_words(name: str, runs: pd.DataFrame) -> str:
    value = runs[name].iloc[0]
    words = f"{value:g}" if isinstance(value, float) else str(value)
    shown = words if name == "dataset" else spoken(words)  # a file keeps its name
    return f"{spoken(name)} {shown}".replace(" ", NO_BREAK)


def finish(figure: Figure, key: list[Line2D], title: str) -> None:
    """Add the key below the panels, and the title."""
    figure.legend(handles=key, loc="outside lower left", ncols=3, frameon=False)
    figure.suptitle(title, x=0.01, horizontalalignment="left")
