"""The figure of the depth to which networks train, beside the theory's depth scale."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analysis.drawing.log_scales import cell_edges, mark_values, places
from analysis.drawing.marks import CRITICAL, MEASURED, between
from analysis.drawing.pages import STYLE, give_title, panel_grid
from analysis.tables.depth_scales import fitted_multiple, trainable_depth
from analysis.theory.plain_networks import is_plain
from core.theory.mean_field import critical_weight_variance, mean_field

LINES = "#ff4fa0"  # stands out from every shade of the map and from a white page


def trainable_depth_map(runs: pd.DataFrame) -> Figure:
    """How deep networks train: the remaining loss over weight variance and depth.

    A panel for each activation. A cell shows the tail loss of its best learning rate and seed, in
    units of the best constant's loss. Points mark the trainable depth; lines show the theory's
    xi_correlation and the multiple of it that fits the points.

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
            measured = depths[depths["activation"] == activation]
            if is_plain(runs.iloc[0]):
                _draw_theory(panel, measured)
            _draw_depths(panel, measured)
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
    mark_values(panel.xaxis, best.columns, 6)
    mark_values(panel.yaxis, best.index)
    values = best.clip(upper=1e3).to_numpy()
    return panel.pcolormesh(x, y, values, cmap="viridis_r", norm=LogNorm(1e-3, 1))


def _draw_depths(panel: Axes, depths: pd.DataFrame) -> None:
    variance = places(depths["weight_variance"])
    panel.plot(variance, depths["trainable_depth"], label="trainable depth", **MEASURED)


def _draw_theory(panel: Axes, depths: pd.DataFrame) -> None:
    variance, multiple = depths["weight_variance"], fitted_multiple(depths)
    activation, bias_scale = depths["activation"].iloc[0], depths["bias_scale"].iloc[0]
    fine = between(variance)
    xi = np.array([_xi(activation, each, bias_scale**2) for each in fine])
    panel.plot(fine, xi, color=LINES, linewidth=1.6, linestyle=":", label=r"$\xi$ (theory)")
    if multiple is not None:
        label = rf"{multiple.value:.1f} $\xi$: the mean, standard error {multiple.error - 1:.0%}"
        panel.plot(fine, multiple.value * xi, color=LINES, linewidth=2.0, label=label)
    critical = critical_weight_variance(activation, bias_scale**2)
    if critical is not None and variance.min() < critical < variance.max():
        panel.axvline(critical, label=rf"$\chi = 1$ at {critical:.3g}", **CRITICAL)


def _xi(activation: str, weight_variance: float, bias_variance: float) -> float:
    xi = mean_field(activation, weight_variance, bias_variance).xi_correlation
    return np.nan if xi is None else xi
