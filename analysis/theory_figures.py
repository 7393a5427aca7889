"""Figures that hold measurement against infinite-width theory: depth scales and chi."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.chi import chi_against_theory
from analysis.depth_scales import fitted_multiple, trainable_depth
from analysis.log_scales import cell_edges, mark_values, places
from analysis.pages import STYLE, give_title, hide_unused, panel_grid
from analysis.tables import UnsuitableRunsError, refuse_other_axes
from core.mean_field import critical_weight_variance, fixed_point_chi, mean_field

MEASURED = {"color": "#d55e00", "linestyle": "none", "marker": "o", "markersize": 4}
THEORY = {"color": "0.15", "linewidth": 1.2}
CRITICAL = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (3, 2))}
LINES = "#ff4fa0"  # told from every shade of the map and from a white page
CURVE_POINTS = 200


def trainable_depth_map(runs: pd.DataFrame) -> Figure:
    """How deep networks train: the loss that is left, over weight variance and depth.

    A panel for each activation. A cell has the tail loss of its best learning rate and
    seed over the best constant's; points mark the trainable depth, lines are multiples
    of the theory's xi_correlation, the fitted one among them.

    Args:
        runs: The settings, `outcome`, `tail_loss` and `baseline_loss`; one bias scale.

    Raises:
        ValueError: A setting varies besides activation, init scale, depth, learning rate
            and seed.
    """
    depths = trainable_depth(runs)
    activations = list(runs["activation"].unique())
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(
            1, len(activations), x=r"weight variance $\sigma_w^2$", y="depth"
        )
        figure.set_size_inches(max(figure.get_figwidth(), 7.0), 5.0)
        for panel, activation in zip(panels.flat, activations, strict=True):
            here = runs[runs["activation"] == activation]
            mesh = _draw_remaining_loss(panel, here)
            _draw_depths(panel, depths[depths["activation"] == activation])
            panel.set_title(activation)
        bar = figure.colorbar(mesh, ax=list(panels.flat), pad=0.02, extend="both")
        bar.set_label("loss left, of the best constant's")
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False)
        give_title(figure, "How deep networks can be trained", runs, None)
    return figure


def _draw_remaining_loss(panel: Axes, runs: pd.DataFrame) -> mpl.collections.QuadMesh:
    left = (runs["tail_loss"] / runs["baseline_loss"]).fillna(np.inf)
    cells = runs.assign(left=left, weight_variance=runs["init_scale"] ** 2)
    best = cells.pivot_table(index="depth", columns="weight_variance", values="left", aggfunc="min")
    x, y = cell_edges(best.columns), cell_edges(best.index)
    panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    mark_values(panel.xaxis, list(best.columns), 6)
    mark_values(panel.yaxis, list(best.index))
    values = best.clip(upper=1e3).to_numpy()
    return panel.pcolormesh(x, y, values, cmap="viridis_r", norm=LogNorm(1e-3, 1))


def _draw_depths(panel: Axes, depths: pd.DataFrame) -> None:
    variance, multiple = depths["weight_variance"], fitted_multiple(depths)
    activation, bias_scale = depths["activation"].iloc[0], depths["bias_scale"].iloc[0]
    fine = _between(variance)
    xi = np.array([_xi(activation, each, bias_scale**2) for each in fine])
    panel.plot(fine, xi, color=LINES, linewidth=1.6, linestyle=":", label=r"$\xi$ (theory)")
    if multiple is not None:
        label = rf"{multiple.value:.1f} $\xi$: the mean, standard error {multiple.error - 1:.0%}"
        panel.plot(fine, multiple.value * xi, color=LINES, linewidth=2.0, label=label)
    panel.plot(places(variance), depths["trainable_depth"], label="trainable depth", **MEASURED)
    critical = critical_weight_variance(activation, bias_scale**2)
    if critical is not None and variance.min() < critical < variance.max():
        panel.axvline(critical, label=rf"$\chi = 1$ at {critical:.3g}", **CRITICAL)


def _between(values: pd.Series) -> NDArray[np.float64]:
    """Where a curve of the theory is drawn: over the positive values; nowhere without any."""
    positive = values[values > 0]
    if positive.empty:
        return np.empty(0)
    return np.geomspace(positive.min(), positive.max(), CURVE_POINTS)


def _xi(activation: str, weight_variance: float, bias_variance: float) -> float:
    xi = mean_field(activation, weight_variance, bias_variance).xi_correlation
    return np.nan if xi is None else xi


def chi_by_init_scale(runs: pd.DataFrame) -> Figure:
    """How fast gradients grow from layer to layer at step 0, measured and in theory.

    A panel for each activation; a point is the mean over seeds, its bar two standard
    errors, the line the theory, the dashes chi = 1, on which gradients keep their norm.

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
    scales = _between(table["init_scale"])
    bias_variance = table["bias_scale"].iloc[0] ** 2
    inputs = table["input_mean_square"].iloc[0]
    theory = [fixed_point_chi(activation, scale**2, bias_variance, inputs) for scale in scales]
    panel.axhline(1, label=r"$\chi = 1$: gradients neither vanish nor explode", **CRITICAL)
    panel.plot(scales, theory, label="theory, infinite width", **THEORY)
    panel.errorbar(
        table["init_scale"],
        table["chi_measured"],
        yerr=2 * table["standard_error"],
        label="measured, two standard errors",
        **MEASURED,
    )
    mark_values(panel.xaxis, [0.5, 1, 2, 4, 8, 16])
