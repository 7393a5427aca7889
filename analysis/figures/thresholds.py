"""How a stability map moves when a threshold of the outcome rules moves tenfold."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.map_cells import draw_cells, grid_of_regions, name_regions
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title, panel_grid, require_drawable
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import JudgedBy
from analysis.reading.trained_levels import level_by_run
from analysis.tables.regions import region_by_cell
from analysis.tables.threshold_shifts import SHIFTS, in_words

PERCENT_PLACE: Style = {"xycoords": "axes fraction", "va": "top", "ha": "left", "fontsize": 7}


def map_by_threshold(
    runs: pd.DataFrame,
    judged_by: JudgedBy,
    activation: str | None = None,
    depth: int | None = None,
) -> Figure:
    """One panel of the stability map, judged again with each threshold moved tenfold.

    A row for each threshold, with panels for a tenth of it, the threshold as it is, and ten times
    it. The number in a panel is the share of its runs whose outcome or cause changed.

    Args:
        runs: All columns of the table.
        judged_by: The thresholds by which they were judged.
        activation, depth: Which panel; by default the one with the most regions.

    Raises:
        UnsuitableRunsError: The map cannot be drawn, or has no such panel.
    """
    require_drawable(runs)
    here = _panel(runs, activation, depth)
    scales, rates = np.unique(here["init_scale"]), np.unique(here["learning_rate"])
    names = list(dict.fromkeys(shift.threshold for shift in SHIFTS))
    grids = []
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(len(names), 3, x="learning rate", y="init scale")
        for row, name in zip(panels, names, strict=True):
            low, high = (shift for shift in SHIFTS if shift.threshold == name)
            versions = (
                (low.words(here, judged_by), low.judged(here, judged_by)),
                (f"{_own(name, here, judged_by)}, as it is", here),
                (high.words(here, judged_by), high.judged(here, judged_by)),
            )
            for panel, (value, judged) in zip(row, versions, strict=True):
                grids.append(grid_of_regions(region_by_cell(judged), scales, rates))
                draw_cells(panel, grids[-1], scales, rates)
                panel.set_title(f"{name.replace('_', ' ')} {value}", fontsize=8)
                if judged is not here:
                    changed = f"{_changed(judged, here):.1%} changed"
                    box = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none"}
                    panel.annotate(changed, (0.02, 0.97), bbox=box, **PERCENT_PLACE)
        name_regions(figure, np.ma.stack(grids), here)
        title = "How the map moves with each threshold of the rules"
        give_title(figure, title, here, judged_by.note(here))
    return figure


def _own(name: str, runs: pd.DataFrame, judged_by: JudgedBy) -> str:
    """The threshold by which the runs were judged, or all of them if they differ."""
    level = name == "trained_level"
    return in_words(level_by_run(runs) if level else judged_by.values(runs, name))


def _panel(runs: pd.DataFrame, activation: str | None, depth: int | None) -> pd.DataFrame:
    panels = runs.assign(region=runs["outcome"] + runs["cause"].fillna("")).groupby(
        ["activation", "depth"]
    )["region"]
    outcomes = panels.nunique().reset_index()
    most = outcomes.iloc[outcomes["region"].argmax()]
    activation = most["activation"] if activation is None else activation
    depth = most["depth"] if depth is None else depth
    here = runs[(runs["activation"] == activation) & (runs["depth"] == depth)]
    if here.empty:
        raise UnsuitableRunsError(
            f"no run has activation {activation!r} and depth {depth}; choose from the map's panels"
        )
    return here


def _changed(judged: pd.DataFrame, recorded: pd.DataFrame) -> float:
    same = (judged["outcome"] == recorded["outcome"]) & (
        judged["cause"].fillna("") == recorded["cause"].fillna("")
    )
    return float((~same).mean())
