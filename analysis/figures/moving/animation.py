"""The moving picture of a stability map: the trained region as the steps go on."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

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
from numpy.typing import NDArray
from PIL import Image

from analysis.drawing.cell_axes import CellAxis, cell_axis, grid_of
from analysis.drawing.facets import named
from analysis.drawing.map_cells import NOT_RUN, draw_cells
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.trained_levels import level_by_run
from analysis.tables.layouts import CELLS, Layout, Places, laid_out
from analysis.tables.loss_by_step import loss_by_step
from analysis.tables.regions import INDEX, REGIONS
from analysis.tables.views import EVERYTHING, View

MOST_PANELS = 3
PLACES = Places(free={**CELLS, "columns": ("depth",)}, panels=MOST_PANELS)
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

# A panel and its cells, by the value of its column.
Panels = dict[Any, tuple[Axes, QuadMesh]]


def moving_map(
    curves: pd.DataFrame,
    runs: pd.DataFrame,
    activation: str | None = None,
    view: View = EVERYTHING,
) -> Iterator[Figure]:
    """The loss over two settings, one panel for each value of a third, step after step.

    By default they are learning rate, init scale and depth, or what varies in their place.

    A cell is colored by its loss in units of the best constant predictor's; one at or below
    the trained level, and one whose loss overflowed or rose above where it began, has the
    color of a trained and of a diverged run in the stability map. At the last step these are
    nearly the outcomes, which are judged by the mean of the last losses. Of more than
    MOST_PANELS depths an even choice is drawn.

    Args:
        curves: `trial_id`, `step`, `loss`.
        runs: The settings and columns that loss_by_step asks for, and `outcome`.
        activation: Which to draw; by default the one with the most trained runs.
        view: Which runs, and what lies where.

    Returns:
        One figure, set to each logged step in turn: render it before asking for the next.

    Raises:
        UnsuitableRunsError: No run has the activation, there are no such runs, or there are no
            steps to show.
    """
    kept = view.kept(runs)
    here = kept if "activation" in view.named.values() else _of_activation(kept, activation)
    layout = laid_out(here, view, PLACES)
    return _frames(loss_by_step(curves, layout.runs, layout.cell), layout)


def _frames(cells: pd.DataFrame, layout: Layout) -> Iterator[Figure]:
    runs = layout.runs
    level, last = level_by_run(runs).max(), runs["steps"].max()
    x, y = (cell_axis(layout.names[role], runs) for role in ("x", "y"))
    with mpl.rc_context(LARGE):
        figure, panels = _empty_map(cells, layout, x, y, level)
        figure.text(0.99, 0.98, _networks(runs), horizontalalignment="right", va="top")
    for step, now in cells.groupby("step"):
        with mpl.rc_context(LARGE):
            figure.suptitle(f"after {step} of {last} steps", **HEADLINE)
            for value, (panel, mesh) in panels.items():
                here = now if value is None else now[now[layout.names["columns"]] == value]
                grid = grid_of(here, x, y, "loss_share")
                mesh.set_array(_colors(grid, level))
                trained = (here["loss_share"] <= level).mean()
                panel.set_title(f"{trained:.0%} trained", loc="right")
        yield figure


def write_gif(
    figures: Iterable[Figure],
    path: str | Path,
    colors: NDArray[np.float64],
    milliseconds: int = FRAME_MILLISECONDS,
) -> None:
    """Write the figures as the frames of a GIF that plays again and again.

    The last frame is shown longest. All frames share one palette, so that no color flickers.

    Args:
        figures: One for each frame.
        path: The file.
        colors: The palette, (colors, 3), at most 256.
        milliseconds: How long a frame is shown.
    """
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * colors).round().astype(np.uint8).tobytes())
    first, *others = [
        _rendered(figure).quantize(palette=palette, dither=Image.Dither.NONE) for figure in figures
    ]
    times = [milliseconds] * len(others) + [LAST_MILLISECONDS]
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


def _empty_map(
    cells: pd.DataFrame, layout: Layout, x: CellAxis, y: CellAxis, level: float
) -> tuple[Figure, Panels]:
    """The figure before its first step, and the cells of each column, still without color."""
    values = layout.values.get("columns", [None])
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS_PER_INCH, layout="constrained")
    panels = figure.subplots(1, len(values), sharex=True, sharey=True, squeeze=False)[0]
    panels[0].set_ylabel(y.words)
    nothing = np.ma.zeros((len(y.values), len(x.values), 4))
    meshes = {}
    for place, (value, panel) in enumerate(zip(values, panels, strict=True)):
        panel.set_xlabel(x.words)
        panel.set_title("" if value is None else named(layout, "columns", place), loc="left")
        meshes[value] = panel, draw_cells(panel, nothing, x, y)
    _add_color_bar(figure, level)
    _name_colors(figure, cells, layout, level)
    return figure, meshes


def _add_color_bar(figure: Figure, level: float) -> None:
    bar = figure.colorbar(ScalarMappable(_scale(level), LOSSES), ax=figure.axes, **BAR)
    bar.set_ticks([level, 1, 1 / level], labels=[f"{level:.4g}", "1", f"{1 / level:.4g}"])
    bar.ax.minorticks_off()
    bar.set_label("loss / loss of the best constant guess")


def _name_colors(figure: Figure, cells: pd.DataFrame, layout: Layout, level: float) -> None:
    """Add a legend of the colors that are not on the scale of the losses."""
    entries = [
        Patch(color=TRAINED, label=f"trained: at most {level:.4g}"),
        Patch(color=DIVERGED, label="diverged: above where it began"),
    ]
    if _has_gaps(cells, layout.cell):
        entries.append(Patch(**NOT_RUN, label="not run"))
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False)


def _scale(level: float) -> LogNorm:
    """The color scale of the losses, with the best constant's loss in its middle."""
    return LogNorm(level, 1 / level)


def _colors(grid: np.ma.MaskedArray, level: float) -> NDArray[np.float64]:
    """The colors of cells whose losses have these shares of the best constant's.

    Args:
        grid: (y, x); infinite where diverged, masked where nothing was run.
        level: The trained level.

    Returns:
        (y, x, 4): red, green, blue and opacity, which is 0 where nothing was run.
    """
    shares = grid.filled(np.nan)
    # What is masked has no opacity.
    colors = LOSSES(_scale(level)(np.ma.masked_invalid(shares)))
    colors[shares <= level] = to_rgba(TRAINED)
    colors[np.isinf(shares)] = to_rgba(DIVERGED)
    return colors


def _has_gaps(cells: pd.DataFrame, cell: list[str]) -> bool:
    """Whether some cell of some panel was not run."""
    return len(cells) < math.prod(cells[name].nunique() for name in ["step", *cell])


def _networks(runs: pd.DataFrame) -> str:
    """What the picture shows, in a few words."""
    activation, name = runs["activation"].iloc[0], str(runs["dataset"].iloc[0])
    shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"{activation} networks on {shown}"


def map_colors() -> NDArray[np.float64]:
    """The colors of every frame, (colors, 3): those of the cells, and grays for the text."""
    grays = np.linspace(0, 1, GRAYS)[:, None].repeat(3, axis=1)
    losses = LOSSES(np.linspace(0, 1, LOSS_COLORS))[:, :3]
    return np.concatenate([[to_rgb(TRAINED), to_rgb(DIVERGED)], grays, losses])


def _rendered(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # The first frame's layout is that of all.
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
