"""The figure of the sharpness late in training beside each optimizer's stability bound."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.drawing.boundary_lines import lines_of
from analysis.drawing.facets import facets
from analysis.drawing.log_scales import limits
from analysis.drawing.marks import EDGE, Style
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_powers, mark_ticks
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.curvatures import sharpness_at_end
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from core.optimization.optimizers import OPTIMIZERS, edges

PLACES = Places(
    free={"columns": ("activation",), "rows": ()},
    own={"x": "learning_rate", "y": "sharpness", "lines": "optimizer"},
)
MARKERS = dict(zip(OPTIMIZERS, "os^Dvph*", strict=False))


def adam_edge_by_rate(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """Learning rate x preconditioned sharpness at the end, and where it is unstable.

    A point is a run that did not diverge. Beyond its optimizer's dashed line, 2 with gd and 38 with
    adam, descent on a quadratic diverges. Sharpness rises up to there and stays: Cohen et al.
    (2021), arXiv:2103.00065, and with Adam Cohen et al. (2022), arXiv:2207.14484.

    Args:
        runs: The settings, `learning_rate_used`, `outcome` and `final_preconditioned_sharpness`.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: It was not measured, there are no such runs, or the figure has no
            such place.
    """
    measured = sharpness_at_end(view.kept(runs))
    if measured.empty:
        raise UnsuitableRunsError(
            "no run that kept its learning rate to the end has a preconditioned sharpness; add "
            "`measure: [preconditioned_sharpness]`"
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
        handles, labels = drawn[0].panel.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=4, frameon=False)
        title = "Sharpness rises to the optimizer's stability bound"
        give_title(figure, title, layout.runs, layout.note)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame, color: NDArray[np.float64]) -> None:
    """One optimizer's runs, and its bound where they are."""
    if rows.empty:
        return
    optimizer, eta = rows["optimizer"].iloc[0], rows["eta"]
    (bound,) = edges([optimizer], rows["momentum"].iloc[:1])
    style: Style = {"color": color, "marker": MARKERS[optimizer], "markersize": 5}
    sharpness = rows["final_preconditioned_sharpness"]
    panel.plot(eta, eta * sharpness, label=optimizer, linestyle="none", **style)
    ends = [eta.min(), eta.max()]
    panel.plot(ends, [bound] * 2, label=f"its bound, {bound:.3g}", **{**EDGE, "color": color})
