"""The figure of the learning rates that a training survives, relative to the start's sharpness."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.facets import facets
from analysis.drawing.log_scales import limits
from analysis.drawing.marks import EDGE, Style
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_powers, mark_ticks
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from core.optimization.rate_units import used_rates
from core.outcomes import DIVERGED

PLACES = Places(
    free={"columns": ("activation",), "rows": ()},
    own={"x": "learning rate x sharpness", "y": "the loss"},
    pooled=("learning_rate",),
    pools_rest=True,
    on_request=("columns", "rows"),
)
SURVIVED: Style = {"color": "#009e73", "marker": "o", "markersize": 3.5, "linestyle": "none"}
LOST: Style = {"color": "#d55e00", "marker": "x", "markersize": 4, "linestyle": "none"}
LOWEST, HIGHEST = 1e-3, 1e7  # of the initial loss: what lies beyond is drawn there
BOUNDS = {2: "c = 2: a quadratic loss diverges beyond", 4: "c = 4: two linear layers do"}


def catapult_by_rate(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """The highest and the last loss against the learning rate in units of the sharpness.

    There is a panel for each activation; other settings that vary are drawn together unless they
    are asked for in rows. Below c = eta x lambda_max = 2 the loss only falls; beyond that it first
    rises (the catapult), and beyond some larger c, 4 for two linear layers, it diverges.

    Args:
        runs: The settings, `learning_rate_used`, `outcome`, `sharpness`, `initial_loss`,
            `peak_loss`, `tail_loss`.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: No sharpness was measured, there are no such runs, or the figure
            has no such place.
    """
    kept = view.kept(runs)
    measured = kept[(kept["sharpness"] > 0) & (kept["learning_rate"] > 0)]
    if measured.empty:
        raise UnsuitableRunsError("no sharpness was measured; add `measure: [sharpness]`")
    layout = laid_out(measured, view, PLACES)
    table = _in_units(layout.runs)
    x, y = table["c"], pd.concat([table["peak"], table["last"]])
    with mpl.rc_context(STYLE):
        figure, drawn, _ = facets(
            layout, r"$c$ = learning rate × $\lambda_{max}$ at step 0", "loss / initial loss"
        )
        for facet in drawn:
            _draw(facet.panel, table.loc[facet.runs.index])
            facet.panel.set(xscale="log", yscale="log", xlim=limits(x), ylim=limits(y))
            mark_powers(facet.panel.xaxis, [x.min(), x.max()], 2 if x.max() < 1e3 * x.min() else 10)
            mark_ticks(facet.panel.yaxis, np.sort(y))
        handles, labels = drawn[0].panel.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False)
        title = r"The catapult: learning rates beyond $2 / \lambda_{max}$"
        beyond = r"losses beyond $10^{-3}$ and $10^{7}$ of the initial one are drawn there"
        outside = not y.between(LOWEST, HIGHEST, inclusive="neither").all()
        notes = [layout.note, beyond if outside else None]
        give_title(figure, title, layout.runs, "\n".join(filter(None, notes)) or None)
    return figure


def _in_units(runs: pd.DataFrame) -> pd.DataFrame:
    """c, and the losses in units of the initial one, within LOWEST and HIGHEST."""
    shares = {
        name: (runs[column] / runs["initial_loss"]).fillna(np.inf).clip(LOWEST, HIGHEST)
        for name, column in (("peak", "peak_loss"), ("last", "tail_loss"))
    }
    c = used_rates(runs) * runs["sharpness"]
    return pd.DataFrame({"c": c, **shares, "diverged": runs["outcome"].isin(DIVERGED)})


def _draw(panel: Axes, table: pd.DataFrame) -> None:
    kept, lost = table[~table["diverged"]], table[table["diverged"]]
    panel.plot(kept["c"], kept["peak"], label="highest loss", fillstyle="none", **SURVIVED)
    panel.plot(kept["c"], kept["last"], label="last loss", **SURVIVED)
    panel.plot(lost["c"], lost["peak"], label="highest loss, diverged", **LOST)
    for bound, words in BOUNDS.items():
        panel.axvline(bound, label=words, **(EDGE if bound == 2 else {**EDGE, "linestyle": ":"}))
