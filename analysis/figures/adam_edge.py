"""The figure of the sharpness late in training beside each optimizer's stability bound."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.drawing.boundary_lines import lines_of
from analysis.drawing.facets import facets
from analysis.drawing.log_scales import limits
from analysis.drawing.marks import EDGE, Style
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_powers, mark_ticks
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.curvatures import sharpness_at_end
from analysis.tables.layouts import Layout, Places, laid_out
from analysis.tables.views import EVERYTHING, View
from core.optimization.optimizers import OPTIMIZERS, edges

PLACES = Places(
    free={"columns": ("activation",), "rows": ()},
    own={"x": "learning_rate", "y": "sharpness", "lines": "optimizer"},
)
Color = NDArray[np.float64]
MARKERS = dict(zip(OPTIMIZERS, "os^Dvph*", strict=False))


def adam_edge_by_rate(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """Learning rate x preconditioned sharpness at the end, and where it is unstable.

    A point is a run that did not diverge. Beyond its optimizer's dashed line, 2 with gd and 38 with
    adam, descent on a quadratic diverges. Sharpness rises up to there and stays: Cohen et al.
    (2021), arXiv:2103.00065, and with Adam Cohen et al. (2022), arXiv:2207.14484. A weight decay
    lowers the line; with adam, or where gradients are clipped, no bound is known then.

    Args:
        runs: As for analysis.tables.curvatures.sharpness_at_end.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: It was not measured, there are no such runs, or the figure has no
            such place.
    """
    measured = sharpness_at_end(view.kept(runs))
    if measured.empty:
        raise UnsuitableRunsError(
            "no run has a preconditioned sharpness at its own learning rate: that takes "
            "`measure: [preconditioned_sharpness]`, schedule constant or warmup, and a run that "
            "did not diverge"
        )
    layout = laid_out(measured, view, PLACES)
    x, y = layout.runs["eta"], layout.runs["eta"] * layout.runs["final_preconditioned_sharpness"]
    with mpl.rc_context(STYLE):
        figure, drawn, _ = facets(layout, "learning rate", "learning rate × sharpness")
        for facet in drawn:
            for color, rows in lines_of(layout).of(facet.runs):
                _draw(facet.panel, rows, color)
            facet.panel.set(xscale="log", yscale="log", xlim=limits(x))
            mark_powers(facet.panel.xaxis, [x.min(), x.max()], 10)
            mark_ticks(facet.panel.yaxis, np.sort(y))
        keys = list(_keys(layout))
        figure.legend(handles=keys, loc="outside lower left", ncols=4, frameon=False)
        title = "Sharpness rises to the optimizer's stability bound"
        give_title(figure, title, layout.runs, layout.note)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame, color: Color) -> None:
    """One optimizer's runs, and its bound where they are."""
    if rows.empty:
        return
    rows = rows.sort_values("eta")
    y = rows["eta"] * rows["final_preconditioned_sharpness"]
    panel.plot(rows["eta"], y, **_points(rows, color))
    known = rows.dropna(subset="edge")
    if not known.empty:
        panel.plot(known["eta"], known["eta"] * known["edge"], **_bound(known, color))


def _keys(layout: Layout) -> Iterator[Line2D]:
    """The legend's entries: each optimizer's points, and its bound at each momentum."""
    for color, rows in lines_of(layout).of(layout.runs):
        yield Line2D([], [], **_points(rows, color))
        known = rows.dropna(subset="edge")
        if not known.empty:
            yield Line2D([], [], **_bound(known, color))


def _points(rows: pd.DataFrame, color: Color) -> Style:
    """How one optimizer's runs are drawn, with what the legend says of them."""
    label = optimizer = rows["optimizer"].iloc[0]
    if rows["edge"].isna().any():
        label += ", no bound known" if rows["edge"].isna().all() else ", for some no bound known"
    marks = {"marker": MARKERS[optimizer], "markersize": 5, "linestyle": "none"}
    return {"color": color, **marks, "label": label}


def _bound(known: pd.DataFrame, color: Color) -> Style:
    """How the bound of runs of one optimizer is drawn; it differs with the momentum."""
    bounds = np.unique(edges(known["optimizer"], known["momentum"]))
    label = f"its bound, {' or '.join(f'{bound:.3g}' for bound in bounds)}"
    if known.get("weight_decay", pd.Series(0.0)).any():
        label += " less learning rate × weight decay"
    return {**EDGE, "color": color, "label": label}
