"""The figure of chi, the growth of gradients from layer to layer, measured and in theory."""

from math import ceil

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from analysis.drawing.log_scales import mark_values
from analysis.drawing.marks import CRITICAL, MEASURED, Style, between
from analysis.drawing.pages import STYLE, give_title, hide_unused, panel_grid
from analysis.reading.stores import UnsuitableRunsError, refuse_other_axes
from analysis.tables.chi import chi_against_theory
from analysis.theory.plain_networks import is_plain
from core.theory.mean_field import fixed_point_chi

THEORY: Style = {"color": "0.15", "linewidth": 1.2}


def chi_by_init_scale(runs: pd.DataFrame) -> Figure:
    """How fast gradients grow from layer to layer at step 0, measured and in theory.

    A panel for each activation. Points are means over seeds, with bars of two standard errors; the
    line is the theory; at the dashed line, chi = 1, gradients keep their norm.

    Args:
        runs: The settings, `chi_measured` and `chi_theory`; one depth, width, bias scale.

    Raises:
        UnsuitableRunsError: No chi was measured, or one of those settings varies.
    """
    table = chi_against_theory(runs)
    if table.empty:
        raise UnsuitableRunsError(
            "no chi was measured; add `measure: [signal]` and an init_scale above 0 to the sweep"
        )
    table = table[table["chi_measured"] > 0]  # weights of 0 pass no gradient: off a log axis
    if table.empty:
        raise UnsuitableRunsError("every chi is 0; add an init_scale above 0 to the sweep")
    refuse_other_axes(table, {"activation", "init_scale"})
    activations = [
        name for name in runs["activation"].unique() if (table["activation"] == name).any()
    ]
    columns = min(4, len(activations))
    with mpl.rc_context(STYLE):
        rows = ceil(len(activations) / columns)
        figure, panels = panel_grid(rows, columns, x=r"init scale $\sigma_w$", y=r"$\chi$")
        hide_unused(panels, len(activations))
        for panel, activation in zip(panels.flat, activations, strict=False):
            _draw_chi(panel, table[table["activation"] == activation], activation)
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower left", ncols=3 if columns > 2 else 2, frameon=False
        )
        give_title(figure, "Growth of gradients from layer to layer at step 0", runs, None)
    return figure


def _draw_chi(panel: Axes, table: pd.DataFrame, activation: str) -> None:
    panel.set(xscale="log", yscale="log", title=activation)
    panel.axhline(1, label=r"$\chi = 1$: gradients neither vanish nor explode", **CRITICAL)
    panel.plot(*_theory(table, activation), label="theory, infinite width", **THEORY)
    panel.errorbar(
        table["init_scale"],
        table["chi_measured"],
        yerr=2 * table["standard_error"],
        label="measured, two standard errors",
        **MEASURED,
    )
    mark_values(panel.xaxis, [0.5, 1, 2, 4, 8, 16])


def _theory(table: pd.DataFrame, activation: str) -> tuple[ArrayLike, ArrayLike]:
    """The theory's line: between the init scales where it needs no more than these."""
    if not is_plain(table.iloc[0]):
        return table["init_scale"].tolist(), table["chi_theory"].tolist()
    scales, inputs = between(table["init_scale"]), table["input_mean_square"].iloc[0]
    bias_variance = table["bias_scale"].iloc[0] ** 2
    return scales, [fixed_point_chi(activation, s**2, bias_variance, inputs) for s in scales]
