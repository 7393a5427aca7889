"""The figure of gradients from layer to layer, from vanishing to exploding."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import AutoLocator

from analysis.drawing.boundary_lines import Lines, lines_of
from analysis.drawing.facets import facets
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.layer_profiles import LATER, gradients_by_layer
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View

PLACES = Places(
    free={"lines": ("init_scale",), "columns": ("activation",), "rows": ()},
    own={"x": "layer", "y": "the gradient"},
    pooled=LATER,
    deepest=True,
)
MEASURED: Style = {"marker": "o", "markersize": 3, "linestyle": "none"}
THEORY: Style = {"linewidth": 1.1}
FLOAT_DECADES = 45  # of float32, the smallest numbers included


def gradient_by_layer(layers: pd.DataFrame, runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """How the gradient changes on its way back through the deepest networks, at step 0.

    There is a panel for each activation and for whatever else of the start varies, and a color for
    each init scale; of many scales an even choice is drawn. Points are measured, as the mean over
    seeds; lines are the theory of infinite width.

    Args:
        layers: `trial_id`, `layer` and the norms of step 0.
        runs: `trial_id` and the settings.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: No layer was measured, there are no such runs, or the figure has no
            such place.
    """
    kept = view.kept(runs)
    measured = kept[kept["trial_id"].isin(layers["trial_id"])]
    if measured.empty:
        raise UnsuitableRunsError("no layer was measured; add `measure: [signal]`")
    layout = laid_out(measured, view, PLACES)
    lines = lines_of(layout)
    with mpl.rc_context(STYLE):
        label = r"$\log_{10}\,|\partial\,$loss$/\partial h|$"
        figure, drawn, _ = facets(layout, "layer", label, most_in_row=3)
        tables = [gradients_by_layer(layers, facet.runs) for facet in drawn]
        for facet, table in zip(drawn, tables, strict=True):
            _draw(facet.panel, table, lines)
            facet.panel.set_ylim(_limits(tables))
        entries = lines.key(marker="o", markersize=3)
        entries += [
            Line2D([], [], color="0.3", label="measured, the mean over seeds", **MEASURED),
            Line2D([], [], color="0.3", label="theory, infinite width", **THEORY),
        ]
        figure.legend(handles=entries, loc="outside lower left", ncols=3, frameon=False)
        title = "Gradients vanish or explode on the way back"
        give_title(figure, title, layout.runs, layout.note)
    return figure


def _draw(panel: Axes, profiles: pd.DataFrame, lines: Lines) -> None:
    for color, profile in lines.of(profiles):
        panel.plot(profile["layer"], profile["measured"], color=color, **MEASURED)
        panel.plot(profile["layer"], profile["theory"], color=color, **THEORY)
    locator = AutoLocator()
    locator.set_params(integer=True)
    panel.xaxis.set_major_locator(locator)


def _limits(tables: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """The ends of the y axis: all that was measured, and the theory where floats reach."""
    shown = pd.concat(tables)[["measured", "theory"]].to_numpy(float)
    reached = shown[np.isfinite(shown) & (np.abs(shown) <= FLOAT_DECADES)]
    return (reached.min() - 0.5, reached.max() + 0.5) if len(reached) else (-1.0, 1.0)
