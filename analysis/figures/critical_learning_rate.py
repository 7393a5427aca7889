"""The figure of the learning rate at which runs begin to diverge, and of its prediction."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.boundary_lines import draw_boundaries, explain_boundaries, lines_of
from analysis.drawing.cell_axes import cell_axis
from analysis.drawing.facets import facets
from analysis.drawing.log_scales import limits
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_ticks
from analysis.tables.boundaries import boundary_learning_rates
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from core.optimization.rate_units import critical_rates

PLACES = Places(
    free={"x": ("depth",), "lines": ("init_scale",), "columns": ("activation",), "rows": ()},
    own={"y": "learning_rate"},
)


def boundary_learning_rate_by_depth(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """The learning rate at which training begins to diverge, against depth.

    There is a panel for each activation and in it a line for each init scale, or for settings that
    vary in their place. Of many init scales an even choice is drawn, and the title says so. A point
    lies midway between the largest learning rate that was stable and the smallest that diverged,
    and its bar joins the two; open triangles mark where the sweep held only one of them. Dashed
    lines are the predicted critical learning rate, 2 / lambda_max, the median over seeds, where it
    was measured. Dotted lines are those expected for linear nets.

    Args:
        runs: The settings, `outcome` and, for the dashes, `critical_learning_rate`. Runs at a
            learning rate of 0 are left out.
        view: Which runs, and what lies where.

    Raises:
        UnsuitableRunsError: There are no such runs, or the figure has no such place.
    """
    kept = view.kept(runs)
    layout = laid_out(kept[kept["learning_rate"] > 0], view, PLACES)
    x, lines = cell_axis(layout.names["x"], layout.runs), lines_of(layout)
    keys = [name for name in layout.cell if name != "learning_rate"]
    beside = [name for name in ("activation", "learning_rate_unit") if name in layout.runs]
    boundaries = _with_prediction(layout.runs, list(dict.fromkeys([*keys, *beside])))
    rates = np.unique(layout.runs["learning_rate"])
    with mpl.rc_context(STYLE):
        figure, drawn, _ = facets(layout, x.words, "learning rate")
        for facet in drawn:
            here = boundaries.merge(facet.runs[keys].drop_duplicates(), on=keys)
            draw_boundaries(facet.panel, here, x, lines)
            mark_ticks(facet.panel.yaxis, rates)
            # Predictions outside what was tried are cut off: they would flatten all else.
            facet.panel.set_ylim(limits(rates))
        explain_boundaries(figure, boundaries, x, lines)
        title = "The learning rate at which training begins to diverge"
        give_title(figure, title, layout.runs, layout.note)
    return figure


def _with_prediction(runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The brackets with the median `critical_learning_rate`, which is NaN if not measured.

    It has the unit of the runs' learning rates.
    """
    brackets = boundary_learning_rates(runs, keys)
    if "critical_learning_rate" not in runs:
        return brackets.assign(critical_learning_rate=np.nan)
    in_units = runs.assign(critical_learning_rate=critical_rates(runs))
    predicted = in_units.groupby(keys)["critical_learning_rate"].median()
    return brackets.merge(predicted.reset_index(), on=keys)
