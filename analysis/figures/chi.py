"""The figure of chi, the growth of gradients from layer to layer, measured and in theory."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from analysis.drawing.facets import facets
from analysis.drawing.init_scales import by_meaning
from analysis.drawing.marks import CRITICAL, MEASURED, Style, between
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_ticks
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.chi import POOLED, chi_against_theory
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from analysis.theory.plain_networks import is_plain
from core.theory.mean_field import fixed_point_chi

PLACES = Places(
    free={"columns": ("activation",), "rows": ()},
    own={"x": "init_scale", "y": "chi"},
    pooled=POOLED,
    deepest=True,
)
THEORY: Style = {"color": "0.15", "linewidth": 1.2}


def chi_by_init_scale(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """How fast gradients grow from layer to layer at step 0, measured and in theory.

    There is a panel for each activation and for whatever else of the start varies. Of several
    depths the largest is drawn, where theory fits best. A point is the mean over seeds with a bar
    of two standard errors, and the line is the theory. On the dashed line, chi = 1, gradients keep
    their norm.

    Args:
        runs: The settings, `chi_measured` and `chi_theory`.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: No chi was measured, there are no such runs, or the figure has no
            such place.
    """
    measured = view.kept(runs).dropna(subset=["chi_measured", "chi_theory"])
    if measured.empty:
        raise UnsuitableRunsError(
            "no chi was measured; add `measure: [signal]` and an init_scale above 0 to the sweep"
        )
    positive = measured[measured["chi_measured"] > 0]  # weights of 0 pass no gradient
    if positive.empty:
        raise UnsuitableRunsError("every chi is 0; add an init_scale above 0 to the sweep")
    layout = laid_out(positive, view, PLACES)
    with mpl.rc_context(STYLE):
        figure, drawn, _ = facets(layout, _scale(layout.runs), r"$\chi$")
        for facet in drawn:
            _draw_chi(facet.panel, facet.runs)
        handles, labels = drawn[0].panel.get_legend_handles_labels()
        columns = 3 if figure.get_figwidth() > 7 else 2
        figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False)
        title = "Growth of gradients from layer to layer at step 0"
        give_title(figure, title, layout.runs, layout.note)
    return figure


def _scale(runs: pd.DataFrame) -> str:
    weight_std = "init scale: weight std"
    sigma_w = r"init scale $\sigma_w$"
    return by_meaning(runs, sigma_w=sigma_w, weight_std=weight_std, both="init scale")


def _draw_chi(panel: Axes, runs: pd.DataFrame) -> None:
    table = chi_against_theory(runs)
    panel.set(xscale="log", yscale="log")
    panel.axhline(1, label=r"$\chi = 1$: gradients neither vanish nor explode", **CRITICAL)
    panel.plot(*_theory(runs, table), label="theory, infinite width", **THEORY)
    panel.errorbar(
        table["init_scale"],
        table["chi_measured"],
        yerr=2 * table["standard_error"],
        label="measured, two standard errors",
        **MEASURED,
    )
    mark_ticks(panel.xaxis, np.unique(table["init_scale"]))


def _theory(runs: pd.DataFrame, table: pd.DataFrame) -> tuple[ArrayLike, ArrayLike]:
    """The theory's line: between the init scales where it needs no more than these."""
    if not is_plain(runs.iloc[0]):
        return table["init_scale"].to_numpy(), table["chi_theory"].to_numpy()
    scales, inputs = between(table["init_scale"]), table["input_mean_square"].iloc[0]
    activation, bias_variance = table["activation"].iloc[0], table["bias_scale"].iloc[0] ** 2
    return scales, [fixed_point_chi(activation, s**2, bias_variance, inputs) for s in scales]
