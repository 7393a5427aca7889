"""Two stores beside each other: where the trained region moved, and the largest trained rate."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.cell_axes import cell_axis, grid_of
from analysis.drawing.facets import facets
from analysis.drawing.map_cells import NOT_RUN, draw_cells
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.layouts import MAP, MOST_PANELS, laid_out
from analysis.tables.two_stores import Comparison
from analysis.tables.views import EVERYTHING, View

# How the two outcomes of a cell compare, with its color.
KINDS = {
    "trained in both": "#009e73",
    "trained in A alone": "#d55e00",
    "trained in B alone": "#56b4e9",
    "trained in neither, with the same outcome": "#e3e6e9",
    "trained in neither, with two outcomes": "#8a949d",
}
BY_KIND: Style = {
    "cmap": ListedColormap(list(KINDS.values())),
    "vmin": -0.5,
    "vmax": len(KINDS) - 0.5,
}


def change_kinds(cells: pd.DataFrame) -> np.ndarray:
    """Which of KINDS each cell is, by its place there.

    Args:
        cells: As of common_cells.
    """
    a, b = cells["outcome_a"], cells["outcome_b"]
    in_a, in_b = a == "trained", b == "trained"
    return np.select([in_a & in_b, in_a, in_b, a == b], [0, 1, 2, 3], 4)


def changed_outcomes_map(found: Comparison, view: View = EVERYTHING) -> Figure:
    """Where two stores' outcomes differ: the cells that both have, laid out as a stability map.

    Args:
        found: The comparison.
        view: Which cells, and what lies where.

    Raises:
        UnsuitableRunsError: The stores have no cell in common, or the view no such setting.
    """
    if found.cells.empty:
        raise UnsuitableRunsError("no cell is in both stores")
    cells = found.cells.assign(kind=change_kinds(found.cells), **found.shared)
    cells["outcome"] = cells["kind"].map(dict(enumerate(KINDS)))
    layout = laid_out(cells, view, MAP)
    x, y = (cell_axis(layout.names[role], layout.runs) for role in ("x", "y"))
    with mpl.rc_context(STYLE):
        figure, drawn, gaps = facets(layout, x.words, y.words, MOST_PANELS)
        gaps = gaps or any(len(facet.runs) < len(x.values) * len(y.values) for facet in drawn)
        for facet in drawn:
            draw_cells(facet.panel, grid_of(facet.runs, x, y, "kind"), x, y, **BY_KIND)
        _name_kinds(figure, layout.runs["kind"], gaps)
        give_title(figure, "Where two stores' networks train", layout.runs, layout.note)
    return figure


def _name_kinds(figure: Figure, kinds: pd.Series, gaps: bool) -> None:
    present = set(kinds)
    entries = [
        Patch(facecolor=color, edgecolor="0.8", label=f"{name} ({(kinds == place).sum():,})")
        for place, (name, color) in enumerate(KINDS.items())
        if place in present
    ]
    if gaps:
        entries.append(Patch(**NOT_RUN, label="not in both"))
    figure.legend(handles=entries, loc="outside lower left", ncols=2, frameon=False)


def moved_boundary_scatter(found: Comparison) -> Figure:
    """The largest learning rate that trained in B against that in A, a point per network.

    On the diagonal nothing moved; above it B takes larger steps. Networks that trained in one
    store alone, or in neither, have no point. Points that coincide are drawn larger.

    Args:
        found: The comparison.

    Raises:
        UnsuitableRunsError: No network trained in both.
    """
    both = None if found.boundary is None else found.boundary.dropna(subset=["factor"])
    if both is None or both.empty:
        raise UnsuitableRunsError("no network trained in both stores")
    points = both.groupby(["largest_a", "largest_b"]).size().rename("networks").reset_index()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 4.6), layout="constrained")
        panel = figure.subplots()
        ends = np.array(
            [points.iloc[:, :2].min().min() / 1.5, points.iloc[:, :2].max().max() * 1.5]
        )
        panel.plot(ends, ends, color="0.6", linewidth=1, zorder=1)
        marks = panel.scatter(
            points["largest_a"],
            points["largest_b"],
            s=12 + 160 * points["networks"] / points["networks"].max(),
            color=KINDS["trained in both"],
            edgecolor="white",
            linewidth=0.6,
            zorder=2,
        )
        panel.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
        panel.set(xlabel="in A", ylabel="in B")
        counts = sorted({1, int(points["networks"].max())})
        sizes = [12 + 160 * count / points["networks"].max() for count in counts]
        for count, size in zip(counts, sizes, strict=True):
            words = f"{count} network{'s' if count > 1 else ''}"
            panel.scatter([], [], s=size, color=marks.get_facecolor()[0], label=words)
        panel.legend(frameon=False, loc="upper left")
        figure.suptitle("The largest learning rate that trained", x=0.01, ha="left")
    return figure
