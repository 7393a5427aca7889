"""The figure of the depth to which networks train, beside the theory's depth scale."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.cell_axes import CellAxis, cell_axis, grid_of
from analysis.drawing.facets import facets
from analysis.drawing.init_scales import by_meaning
from analysis.drawing.log_scales import cell_edges, places
from analysis.drawing.map_cells import NOT_RUN
from analysis.drawing.marks import CRITICAL, MEASURED, between
from analysis.drawing.pages import STYLE, give_title
from analysis.drawing.ticks import mark_ticks, mark_values
from analysis.tables.depth_scales import fitted_multiple, trainable_depth
from analysis.tables.layouts import Places, laid_out
from analysis.tables.views import EVERYTHING, View
from analysis.theory.plain_networks import is_plain
from core.theory.mean_field import critical_weight_variance, mean_field

PLACES = Places(
    free={"columns": ("activation",), "rows": ()},
    own={"x": "init_scale", "y": "depth"},
    pooled=("learning_rate",),
)
MOST_LEFT = 1e3  # of the best constant's loss: more is drawn alike
LINES = "#ff4fa0"  # stands out from every shade of the map and from a white page


def trainable_depth_map(runs: pd.DataFrame, view: View = EVERYTHING) -> Figure:
    """How deep networks train: the remaining loss over weight variance and depth.

    There is a panel for each activation and for whatever else varies. A cell has the tail loss of
    its best learning rate and seed, over the best constant's loss. Points mark the trainable depth.
    Lines are the theory's xi_correlation and the multiple of it that fits, which the panel's title
    says.

    Args:
        runs: The settings, `outcome`, `tail_loss` and `baseline_loss`.
        view: Which runs, and what has rows and columns of panels.

    Raises:
        UnsuitableRunsError: There are no such runs, or the figure has no such place.
    """
    layout = laid_out(runs, view, PLACES)
    grid = [cell_axis(name, layout.runs) for name in ("init_scale", "depth")]
    with mpl.rc_context(STYLE):
        figure, drawn, gaps = facets(layout, _variance(layout.runs), "depth", 3)
        figure.set_size_inches(max(figure.get_figwidth(), 7.0), figure.get_figheight() + 1.0)
        for facet in drawn:
            best = _remaining_loss(facet.runs, *grid)
            gaps |= np.ma.is_masked(best)
            mesh = _draw_remaining_loss(facet.panel, best, *grid)
            depths = trainable_depth(facet.runs)
            if is_plain(facet.runs.iloc[0]):
                _draw_theory(facet.panel, depths)
            _draw_depths(facet.panel, depths)
        bar = figure.colorbar(mesh, ax=list(figure.axes), pad=0.02, extend="both")
        bar.set_label("loss left, of the best constant's")
        entries = dict(
            reversed(pair)
            for facet in drawn
            for pair in zip(*facet.panel.get_legend_handles_labels(), strict=True)
        )
        if gaps:
            entries["not run"] = Patch(**NOT_RUN)
        figure.legend(entries.values(), entries, loc="outside lower left", ncols=2, frameon=False)
        give_title(figure, "How deep networks can be trained", layout.runs, layout.note)
    return figure


def _variance(runs: pd.DataFrame) -> str:
    """What the square of the init scale is."""
    sigma_w = r"weight variance $\sigma_w^2$"
    weight_std = "variance of a weight"
    return by_meaning(runs, sigma_w=sigma_w, weight_std=weight_std, both="init scale squared")


def _remaining_loss(runs: pd.DataFrame, scales: CellAxis, depths: CellAxis) -> np.ma.MaskedArray:
    """The loss left by the best run of each init scale and depth, (depths, scales)."""
    left = (runs["tail_loss"] / runs["baseline_loss"]).fillna(np.inf).clip(upper=MOST_LEFT)
    best = runs.assign(left=left).groupby(["depth", "init_scale"])["left"].min().reset_index()
    return grid_of(best, scales, depths, "left")


def _draw_remaining_loss(
    panel: Axes, best: np.ma.MaskedArray, scales: CellAxis, depths: CellAxis
) -> QuadMesh:
    x, y = cell_edges(np.square(scales.values)), depths.edges
    panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    mark_ticks(panel.xaxis, np.square(scales.values))
    mark_values(panel.yaxis, depths.values)
    panel.patch.set(**NOT_RUN)
    return panel.pcolormesh(x, y, best, cmap="viridis_r", norm=LogNorm(1e-3, 1))


def _draw_depths(panel: Axes, depths: pd.DataFrame) -> None:
    squares = places(np.square(depths["init_scale"]))
    panel.plot(squares, depths["trainable_depth"], label="trainable depth", **MEASURED)


def _draw_theory(panel: Axes, depths: pd.DataFrame) -> None:
    variance, multiple = depths["weight_variance"], fitted_multiple(depths)
    activation, bias_scale = depths["activation"].iloc[0], depths["bias_scale"].iloc[0]
    fine = between(variance)
    xi = np.array([_xi(activation, each, bias_scale**2) for each in fine])
    facts = [panel.get_title()]
    panel.plot(fine, xi, color=LINES, linewidth=1.6, linestyle=":", label=r"$\xi$ (theory)")
    if multiple is not None:
        label = r"the multiple of $\xi$ that fits, mean over init scales"
        panel.plot(fine, multiple.value * xi, color=LINES, linewidth=2.0, label=label)
        facts.append(rf"{multiple.value:.1f} $\xi$ fits, standard error {multiple.error - 1:.0%}")
    critical = critical_weight_variance(activation, bias_scale**2)
    if critical is not None and variance.min() < critical < variance.max():
        panel.axvline(critical, label=r"$\chi = 1$", **CRITICAL)
        facts.append(rf"$\chi = 1$ at {critical:.3g}")
    panel.set_title("\n".join(filter(None, facts)))


def _xi(activation: str, weight_variance: float, bias_variance: float) -> float:
    xi = mean_field(activation, weight_variance, bias_variance).xi_correlation
    return np.nan if xi is None else xi
