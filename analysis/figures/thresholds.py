"""How a stability map moves when a threshold of the outcome rules moves tenfold."""

from collections.abc import Iterator
from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.cell_axes import cell_axis, grid_of
from analysis.drawing.map_cells import BY_REGION, NOT_RUN, draw_cells
from analysis.drawing.pages import STYLE, WIDEST_INCHES, give_title, hide_unused, panel_grid
from analysis.reading.setting_values import spoken
from analysis.reading.thresholds import JudgedBy
from analysis.reading.trained_levels import level_by_run, level_words
from analysis.tables.layouts import CELLS, Places, laid_out
from analysis.tables.regions import REGIONS, region_by_cell
from analysis.tables.threshold_shifts import SHIFTS, Shift, in_words
from analysis.tables.views import EVERYTHING, View

PLACES = Places(free=CELLS, own={"rows": "the thresholds", "columns": "the thresholds"})
PAIRS_IN_A_ROW = 3
# A tenth of a threshold and tenfold, each with the runs as they would be judged.
Versions = list[tuple[Shift, pd.DataFrame]]
UNMOVED = 0.2  # how much of its color a cell keeps that is what it was


def map_by_threshold(runs: pd.DataFrame, judged_by: JudgedBy, view: View = EVERYTHING) -> Figure:
    """One panel of the stability map, judged again with each threshold moved tenfold.

    The first panel is the map as it is. For each threshold that moves it there are two more, at a
    tenth of the threshold and at ten times: cells that changed are in full color, all others pale.
    A panel's title says what share of the runs changed in outcome or cause; the figure's title
    names the thresholds that move nothing.

    Args:
        runs: All columns of the table.
        judged_by: The thresholds by which they were judged.
        view: Which runs, and what lies along the axes; by default those of the map's panel with the
            most cells and the most even mix of outcomes.

    Raises:
        UnsuitableRunsError: There are no such runs, or the figure has no such place.
    """
    layout = laid_out(runs, view, PLACES)
    here = layout.runs
    x, y = (cell_axis(layout.names[role], here) for role in ("x", "y"))
    recorded = grid_of(region_by_cell(here, [x.name, y.name]), x, y, "region")
    moving: list[Versions] = []
    still: list[Versions] = []
    for low, high in zip(SHIFTS[::2], SHIFTS[1::2], strict=True):
        versions = [(shift, shift.judged(here, judged_by)) for shift in (low, high)]
        moved = any(_changed(judged, here) for _, judged in versions)
        (moving if moved else still).append(versions)
    grids = [recorded]
    with mpl.rc_context(STYLE):
        figure, panels = _panels(len(moving), x.words, y.words)
        as_it_is, *others = panels
        draw_cells(as_it_is, recorded, x, y, **BY_REGION)
        as_it_is.set_title("as it is", fontsize=8, fontweight="bold")
        for panel, (shift, judged) in zip(
            others, (v for pair in moving for v in pair), strict=True
        ):
            grids.append(grid_of(region_by_cell(judged, [x.name, y.name]), x, y, "region"))
            draw_cells(panel, _faded(grids[-1], recorded), x, y)
            panel.set_title(_words(shift, here, judged, judged_by), fontsize=8)
        _name_colors(figure, np.ma.stack(grids), here)
        title = "How the map moves with each threshold of the rules"
        nothing = ", ".join(spoken(pair[0][0].threshold) for pair in still)
        notes = [f"no run changes with {nothing}" if still else None, layout.note]
        note = "\n".join(each for each in [*notes, judged_by.note(here)] if each)
        give_title(figure, title, here, note or None)
    return figure


def _panels(pairs: int, x: str, y: str) -> tuple[Figure, list[Axes]]:
    """The figure, the panel of the map as it is, and two for each threshold beside one another."""
    rows = ceil((pairs + 1) / PAIRS_IN_A_ROW)
    figure, grid = panel_grid(rows, 2 * PAIRS_IN_A_ROW, x, y)
    figure.set_size_inches(WIDEST_INCHES, figure.get_figheight() + 0.35 * rows)
    hide_unused(grid, 2 * (pairs + 1))
    grid[0, 1].set_visible(False)  # the map as it is stands alone
    return figure, [grid.flat[0], *grid.flat[2 : 2 * (pairs + 1)]]


def _words(shift: Shift, here: pd.DataFrame, judged: pd.DataFrame, judged_by: JudgedBy) -> str:
    """A panel's title: the threshold, where it moves, and what that changes."""
    level = shift.threshold == "trained_level"
    own = level_by_run(here) if level else judged_by.values(here, shift.threshold)
    moved = in_words(own.map(shift.moved)) if level else shift.words(here, judged_by)
    name = spoken(shift.threshold)
    return f"{name}\n{in_words(own)} → {moved}\n{_changed(judged, here):.1%} changed"


def _faded(grid: np.ma.MaskedArray, recorded: np.ma.MaskedArray) -> np.ma.MaskedArray:
    """The cells' colors, (y, x, 4): pale where they are what they were, none where not run."""
    colors = np.array([to_rgb(region.color) for region in REGIONS])[grid.filled(0).astype(int)]
    same = (grid.filled(-1) == recorded.filled(-1))[..., None]
    shown = np.where(same, 1 - UNMOVED * (1 - colors), colors)
    return np.ma.array(np.concatenate([shown, ~np.ma.getmaskarray(grid)[..., None]], axis=-1))


def _name_colors(figure: Figure, grids: np.ma.MaskedArray, runs: pd.DataFrame) -> None:
    """Add a legend of the regions, of the pale cells, and of those that were not run."""
    figure.legend(
        handles=list(_key(grids, level_words(runs))), loc="outside lower left", ncols=3,
        frameon=False,
    )  # fmt: skip


def _key(grids: np.ma.MaskedArray, level: str) -> Iterator[Patch]:
    for index in np.unique(grids.compressed()).astype(int):
        yield Patch(color=REGIONS[index].color, label=REGIONS[index].label(level))
    yield Patch(facecolor="0.93", edgecolor="0.7", linewidth=0.5, label="pale: as it was")
    if np.ma.is_masked(grids):
        yield Patch(**NOT_RUN, label="not run")


def _changed(judged: pd.DataFrame, recorded: pd.DataFrame) -> float:
    same = (judged["outcome"] == recorded["outcome"]) & (
        judged["cause"].fillna("") == recorded["cause"].fillna("")
    )
    return float((~same).mean())
