"""The panels of a layout on a page, with the values of its rows and columns beside them."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.map_cells import NOT_RUN
from analysis.drawing.marks import Style
from analysis.drawing.pages import hide_unused, panel_grid
from analysis.reading.setting_values import as_written, shortened, spoken
from analysis.tables.layouts import Layout

BESIDE_PANEL: Style = {"xycoords": "axes fraction", "rotation": -90, "va": "center", "ha": "left"}


@dataclass(frozen=True)
class Facet:
    """One panel and what is drawn in it.

    Attributes:
        panel: Where to draw.
        runs: What to draw, at least one run.
    """

    panel: Axes
    runs: pd.DataFrame


def facets(
    layout: Layout, x: str, y: str, most_in_row: int = 4
) -> tuple[Figure, list[Facet], bool]:
    """A figure with a panel for each row and column of a layout.

    Where there are columns alone, and more than `most_in_row`, they go on in further rows.
    A panel without runs is hatched.

    Args:
        layout: What is drawn where.
        x, y: The names of the shared axes.

    Returns:
        The figure, the panels that have runs, and whether some have none.
    """
    panels = list(layout.panels())
    rows, columns = len(layout.values.get("rows", [0])), len(layout.values.get("columns", [0]))
    if "rows" not in layout.names:
        rows = ceil(columns / most_in_row)
        columns = ceil(columns / rows)
    figure, drawn = panel_grid(rows, columns, x, y)
    hide_unused(drawn, len(panels))
    for place, panel in enumerate(drawn.flat[: len(panels)]):
        if "columns" in layout.names and (place < columns or "rows" not in layout.names):
            panel.set_title(named(layout, "columns", place))
    if "rows" in layout.names:
        for place, panel in enumerate(drawn[:, -1]):
            panel.annotate(named(layout, "rows", place), (1.03, 0.5), **BESIDE_PANEL)
    filled = []
    for panel, each in zip(drawn.flat, panels, strict=False):
        if each.runs.empty:
            panel.patch.set(**NOT_RUN)
            continue
        filled.append(Facet(panel, each.runs))
    return figure, filled, len(filled) < len(panels)


def named(layout: Layout, role: str, place: int) -> str:
    """The value of a row or column in words, with the setting's name; an activation's alone."""
    name, value = layout.names[role], layout.values[role][place]
    return value if name == "activation" else f"{spoken(name)} {_value(name, value)}"


def _value(name: str, value: Any) -> str:
    return shortened(spoken(value)) if isinstance(value, str) else as_written(name, value)
