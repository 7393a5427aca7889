"""Windows of a fractal map, each a zoom of the one before: a frame for each, or all in a strip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from analysis.drawing.cell_axes import CellAxis, cell_axis
from analysis.drawing.pages import STYLE
from analysis.figures.fractal import (
    CONVERGED,
    LABEL,
    LOST,
    PLACES,
    dimension,
    draw_shades,
    one_run_a_cell,
)
from analysis.reading.cells import INFERRED
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.layouts import laid_out
from analysis.tables.views import EVERYTHING, View

FRAME_SIDE = 5.0  # inches
PANEL_SIDE = 2.8
HEADLINE = "Blue converges, orange does not; the frame in a window is the next one"
GRAYS = 32  # of a GIF's colors; the text's


@dataclass(frozen=True)
class Window:
    """One map of a sequence.

    Attributes:
        runs: One for each cell.
        x, y: The axes.
    """

    runs: pd.DataFrame
    x: CellAxis
    y: CellAxis

    @property
    def size(self) -> float:
        """How far the x axis reaches, in decades."""
        edges = np.log10(self.x.edges)
        return float(edges[-1] - edges[0])

    def words(self, widest: "Window") -> str:
        """What it shows: how much closer than the widest, and its dimension."""
        factor = widest.size / self.size
        closer = "the whole window" if factor < 1.01 else f"{factor:.3g} times closer"
        share = f"{self.runs[LABEL].mean():.1%} converge"
        cells = f"{len(self.x.values)} x {len(self.y.values)} cells"
        if INFERRED in self.runs and self.runs[INFERRED].any():
            cells += f", {1 - self.runs[INFERRED].mean():.0%} trained"
        return "\n".join([closer, share, *self._roughness(), cells])

    def _roughness(self) -> list[str]:
        try:
            row = dimension(self.runs, View(x=self.x.name, y=self.y.name))
        except UnsuitableRunsError:  # too few cells, or some were not run: there is no dimension
            return []
        if row is None:
            return ["no boundary"]
        return [f"dimension {row['dimension']:.2f} ± {row['standard_error']:.2f}"]


def windows(maps: Sequence[pd.DataFrame], view: View = EVERYTHING) -> list[Window]:
    """The maps as windows.

    Args:
        maps: Of each store its cells, as figures.fractal.fractal_boundary wants them, the widest
            window first.
        view: Which runs, and what lies along the axes.

    Raises:
        UnsuitableRunsError: There are no such runs, they have other axes than the first, or a
            window does not lie within the one before.
    """
    found: list[Window] = []
    for place, cells in enumerate(maps, 1):
        layout = one_run_a_cell(laid_out(cells, view, PLACES))
        x, y = (cell_axis(layout.names[role], layout.runs) for role in ("x", "y"))
        own = Window(layout.runs, x, y)
        if found:
            _require_within(own, found[-1], place)
        found.append(own)
    return found


def _require_within(own: Window, wider: Window, place: int) -> None:
    for axis, other in ((own.x, wider.x), (own.y, wider.y)):
        if axis.name != other.name:
            raise UnsuitableRunsError(
                f"store {place} has {axis.name} along an axis, the one before has {other.name}; "
                "name both: --x, --y"
            )
        if axis.edges[0] < other.edges[0] or axis.edges[-1] > other.edges[-1]:
            raise UnsuitableRunsError(
                f"store {place}: {axis.name} from {axis.values[0]:.4g} to {axis.values[-1]:.4g} "
                f"does not lie within the window before, {other.values[0]:.4g} to "
                f"{other.values[-1]:.4g}; give the widest window first"
            )


def zoom_frames(every: Sequence[Window]) -> Iterator[Figure]:
    """A figure for each window, with a frame about the next one."""
    for window, following in _with_next(every):
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(FRAME_SIDE, 1.2 * FRAME_SIDE), layout="constrained", dpi=100)
            panel = figure.subplots()
            _draw(panel, window, following, every[0])
            figure.suptitle(HEADLINE, x=0.01, ha="left")
        yield figure


def zoom_strip(every: Sequence[Window]) -> Figure:
    """All windows beside one another, with a frame about the next one."""
    with mpl.rc_context(STYLE):
        size = (PANEL_SIDE * len(every), 1.4 * PANEL_SIDE)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(every), squeeze=False)[0]
        for panel, (window, following) in zip(panels, _with_next(every), strict=True):
            _draw(panel, window, following, every[0])
        for panel in panels[1:]:
            panel.set_ylabel("")
        figure.suptitle(HEADLINE, x=0.01, ha="left")
    return figure


def zoom_colors() -> NDArray[np.float64]:
    """The colors of all frames, (colors, 3), at most 256: those of the cells, and grays."""
    grays = np.linspace(0, 1, GRAYS)[:, None].repeat(3, axis=1)
    shades = [colors(np.linspace(0, 1, (256 - GRAYS) // 2))[:, :3] for colors in (CONVERGED, LOST)]
    return np.concatenate([grays, *shades])


def _with_next(every: Sequence[Window]) -> Iterator[tuple[Window, Window | None]]:
    return zip(every, [*every[1:], None], strict=True)


def _draw(panel: Axes, window: Window, following: Window | None, widest: Window) -> None:
    panel.set(xlabel=window.x.words, ylabel=window.y.words, box_aspect=1)
    draw_shades(panel, window.runs, window.x, window.y)
    panel.set_title(window.words(widest), loc="left")
    if following is None:
        return
    x, y = following.x.edges, following.y.edges
    corner, sides = (x[0], y[0]), (x[-1] - x[0], y[-1] - y[0])
    for color, width in (("white", 3.0), ("black", 1.2)):
        panel.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=color, linewidth=width))
