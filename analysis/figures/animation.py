"""The moving picture of a stability map: the trained region as the steps go on."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from analysis.drawing.log_scales import cell_edges, evenly_chosen, mark_ticks
from analysis.drawing.map_cells import NOT_RUN, Values
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, require_drawable
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.trained_levels import level_by_run
from analysis.tables.loss_by_step import CELL, loss_by_step
from analysis.tables.regions import INDEX, REGIONS

MOST_DEPTHS = 3
WIDTH, HEIGHT = 8.0, 4.6  # inches
DOTS_PER_INCH = 100
# Large: a README shows the picture at half its width on a telephone.
LARGE = {
    **STYLE,
    "font.size": 14,
    "axes.titlesize": 14,
    "axes.labelsize": 14,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "legend.fontsize": 13,
    "figure.titlesize": 17,
}

HEADLINE: Style = {"x": 0.01, "horizontalalignment": "left", "weight": "bold"}
BAR: Style = {"location": "bottom", "aspect": 45, "pad": 0.03, "extend": "both"}

TRAINED = REGIONS[INDEX["trained", None]].color
DIVERGED = REGIONS[INDEX["diverged", None]].color
# Light where the loss nears the trained level, dark where it is high.
LOSSES = colormaps["Blues"].with_extremes(under=TRAINED)

FRAME_MILLISECONDS = 250
LAST_MILLISECONDS = 3000
LOSS_COLORS, GRAYS = 160, 32  # in the GIF, which has 256 at most
LONGEST_NAME = 30  # of a data set, in characters

# A panel and its cells, by depth.
Panels = dict[int, tuple[Axes, QuadMesh]]


def moving_map(
    curves: pd.DataFrame, runs: pd.DataFrame, activation: str | None = None
) -> Iterator[Figure]:
    """The loss over learning rate and init scale, one panel per depth, step after step.

    A cell is colored by its loss in units of the best constant predictor's. At or below the trained
    level it has the stability map's color of trained runs; where the loss overflowed or rose above
    its start, that of diverged runs. At the last step the colors nearly show the outcomes, which
    are judged by the mean of the last losses. Of more than MOST_DEPTHS depths an even choice is
    drawn.

    Args:
        curves: `trial_id`, `step`, `loss`.
        runs: The settings and columns that loss_by_step asks for, and `outcome`.
        activation: Which to draw; by default the one with the most trained runs.

    Returns:
        One figure, set to each logged step in turn: render it before asking for the next.

    Raises:
        UnsuitableRunsError: No run has the activation, a setting besides depth, init scale,
            learning rate and seed varies, or there are no steps to show.
    """
    here = _of_activation(runs, activation)
    require_drawable(here)
    every_depth = sorted(here["depth"].unique())
    here = here[here["depth"].isin(evenly_chosen(every_depth, MOST_DEPTHS))]
    return _frames(loss_by_step(curves, here), here)


def _frames(cells: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Figure]:
    (level,), (last,) = level_by_run(runs).unique(), runs["steps"].unique()
    with mpl.rc_context(LARGE):
        figure, panels = _empty_map(cells, level)
        figure.text(0.99, 0.98, _networks(runs), horizontalalignment="right", va="top")
    for step, now in cells.groupby("step"):
        with mpl.rc_context(LARGE):
            figure.suptitle(f"after {step} of {last} steps", **HEADLINE)
            for depth, (panel, mesh) in panels.items():
                here = now[now["depth"] == depth]
                mesh.set_array(_colors(_grid(here, *_axis_values(cells)), level))
                trained = (here["loss_share"] <= level).mean()
                panel.set_title(f"{trained:.0%} trained", loc="right")
        yield figure


def write_gif(figures: Iterable[Figure], path: str | Path) -> None:
    """Write the figures as the frames of a GIF that plays again and again.

    The last frame is shown longest. All frames share one palette, so that no color flickers.
    """
    palette = _palette()
    first, *others = [
        _rendered(figure).quantize(palette=palette, dither=Image.Dither.NONE) for figure in figures
    ]
    times = [FRAME_MILLISECONDS] * len(others) + [LAST_MILLISECONDS]
    first.save(path, save_all=True, append_images=others, duration=times, loop=0, optimize=True)


def _of_activation(runs: pd.DataFrame, activation: str | None) -> pd.DataFrame:
    """The runs of one activation, by default the one with the most trained runs."""
    if activation is None:
        trained = (runs["outcome"] == "trained").groupby(runs["activation"], sort=False).sum()
        return runs if trained.empty else runs[runs["activation"] == trained.idxmax()]
    here = runs[runs["activation"] == activation]
    if here.empty:
        known = ", ".join(runs["activation"].unique())
        raise UnsuitableRunsError(f"--activation: no run has {activation!r}; choose from {known}")
    return here


def _empty_map(cells: pd.DataFrame, level: float) -> tuple[Figure, Panels]:
    """The figure before its first step: the cells of each depth are still without color."""
    scales, rates = _axis_values(cells)
    depths = sorted(cells["depth"].unique())
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS_PER_INCH, layout="constrained")
    panels = figure.subplots(1, len(depths), sharex=True, sharey=True, squeeze=False)[0]
    panels[0].set_ylabel("init scale")
    for panel, depth in zip(panels, depths, strict=True):
        panel.set_title(f"depth {depth}", loc="left")
        panel.set_xlabel("learning rate")
    meshes = [_empty_cells(panel, scales, rates) for panel in panels]
    _add_color_bar(figure, level)
    _name_colors(figure, cells, level)
    return figure, dict(zip(depths, zip(panels, meshes, strict=True), strict=True))


def _empty_cells(panel: Axes, scales: Values, rates: Values) -> QuadMesh:
    """Cells without color over a ground that is hatched, as where nothing was run."""
    x, y = cell_edges(rates), cell_edges(scales)
    panel.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    panel.patch.set(**NOT_RUN)
    mark_ticks(panel.xaxis, rates)
    mark_ticks(panel.yaxis, scales)
    return panel.pcolormesh(x, y, np.zeros((len(scales), len(rates), 4)))


def _add_color_bar(figure: Figure, level: float) -> None:
    bar = figure.colorbar(ScalarMappable(_scale(level), LOSSES), ax=figure.axes, **BAR)
    bar.set_ticks([level, 1, 1 / level], labels=[f"{level:.4g}", "1", f"{1 / level:.4g}"])
    bar.ax.minorticks_off()
    bar.set_label("loss / loss of the best constant guess")


def _name_colors(figure: Figure, cells: pd.DataFrame, level: float) -> None:
    """Add a legend of the colors that are not on the scale of the losses."""
    entries = [
        Patch(color=TRAINED, label=f"trained: at most {level:.4g}"),
        Patch(color=DIVERGED, label="diverged: above where it began"),
    ]
    if _has_gaps(cells):
        entries.append(Patch(**NOT_RUN, label="not run"))
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False)


def _scale(level: float) -> LogNorm:
    """The color scale of the losses, with the best constant's loss in its middle."""
    return LogNorm(level, 1 / level)


def _colors(shares: Values, level: float) -> Values:
    """The colors of cells whose losses have these shares of the best constant's.

    Args:
        shares: (scales, rates); infinite where diverged, NaN where nothing was run.
        level: The trained level.

    Returns:
        (scales, rates, 4): red, green, blue and opacity, which is 0 where nothing was run.
    """
    # Masked cells are transparent.
    colors = LOSSES(_scale(level)(np.ma.masked_invalid(shares)))
    colors[shares <= level] = to_rgba(TRAINED)
    colors[np.isinf(shares)] = to_rgba(DIVERGED)
    return colors


def _grid(cells: pd.DataFrame, scales: Values, rates: Values) -> Values:
    """One panel's loss shares, (scales, rates); NaN where nothing was run."""
    grid = cells.pivot(index="init_scale", columns="learning_rate", values="loss_share")
    return grid.reindex(index=scales, columns=rates).to_numpy()


def _axis_values(cells: pd.DataFrame) -> tuple[Values, Values]:
    """The init scales and the learning rates of all panels."""
    return np.unique(cells["init_scale"]), np.unique(cells["learning_rate"])


def _has_gaps(cells: pd.DataFrame) -> bool:
    """Whether some cell of some depth was not run."""
    return bool(len(cells) < cells[["step", *CELL]].nunique().to_numpy().prod())


def _networks(runs: pd.DataFrame) -> str:
    """What the picture shows, in a few words."""
    activation, name = runs["activation"].iloc[0], str(runs["dataset"].iloc[0])
    shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"{activation} networks on {shown}"


def _palette() -> Image.Image:
    """The colors of every frame: those of the cells, and grays for the text."""
    grays = np.linspace(0, 1, GRAYS)[:, None].repeat(3, axis=1)
    losses = LOSSES(np.linspace(0, 1, LOSS_COLORS))[:, :3]
    colors = np.concatenate([[to_rgb(TRAINED), to_rgb(DIVERGED)], grays, losses])
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * colors).round().astype(np.uint8).tobytes())
    return palette


def _rendered(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # The first frame's layout is that of all.
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
