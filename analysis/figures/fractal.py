"""The figure of the fractal boundary between settings whose training converges and all others."""

from collections.abc import Sequence
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure

from analysis.drawing.cell_axes import CellAxis, cell_axis, grid_of
from analysis.drawing.map_cells import draw_cells
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, give_title
from analysis.reading.conditions import listed
from analysis.reading.stores import REPEATS, UnsuitableRunsError
from analysis.reading.traces import Trace
from analysis.tables.dimensions import boundary_dimensions
from analysis.tables.layouts import CELLS, Layout, Places, laid_out
from analysis.tables.map_cells import trace_note
from analysis.tables.views import EVERYTHING, View

LABEL = "fractal_converged"
PLACES = Places(free=CELLS)
SIDE = 6.5  # inches: 975 dots of the file
SHADES = 256
BELOW: Style = {"location": "bottom", "aspect": 50, "pad": 0.02}


def _shades(name: str, first: float, last: float) -> Colormap:
    return ListedColormap(colormaps[name](np.linspace(first, last, SHADES)))


CONVERGED = _shades("Blues_r", 0.0, 0.75)
LOST = _shades("Oranges_r", 0.0, 0.8)


def fractal_boundary(
    runs: pd.DataFrame, view: View = EVERYTHING, traces: Sequence[Trace] = ()
) -> Figure:
    """Where training converges as Sohl-Dickstein (2024), arXiv:2402.06184, defines it.

    A training converges if the mean of its last 20 losses lies below the first. Where it does, it
    is shaded by the rank of that mean over the first loss among all that converge, so that
    structure shows wherever it is; where it does not, by the steps until it was lost. The title
    has the boundary's box-counting dimension, if there are cells enough; hatched cells were not
    run.

    Args:
        runs: The settings, `fractal_converged` and the other columns of LABELS, `tail_loss`,
            `initial_loss` and `steps_run`; of a traced map its cells, as of
            analysis.tables.map_cells.read_map. They have the nearest run's shade.
        view: Which runs, and what lies where. What varies beyond is held at one value.
        traces: The traced sweeps among them, for the title.

    Raises:
        UnsuitableRunsError: There are no such runs, or no such setting.
    """
    layout = one_run_a_cell(laid_out(runs, view, PLACES))
    x, y = (cell_axis(layout.names[role], layout.runs) for role in ("x", "y"))
    here = layout.runs
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(SIDE, 1.22 * SIDE), layout="constrained")
        panel = figure.subplots()
        panel.set(xlabel=x.words, ylabel=y.words, box_aspect=1)
        draw_shades(panel, here, x, y)
        _add_keys(panel, here)
        notes = filter(None, [layout.note, trace_note(here, traces)])
        give_title(figure, _headline(here, View(x=x.name, y=y.name)), here, "\n".join(notes))
    return figure


def one_run_a_cell(layout: Layout) -> Layout:
    """The runs of the least seed where there are several, which the note then says."""
    runs, notes = layout.runs, [layout.note] if layout.note else []
    for name in REPEATS:
        values = sorted(runs[name].unique().tolist())
        if name not in layout.names.values() and len(values) > 1:
            notes.append(f"{name} {values[0]} of {listed(runs[name])} shown")
            runs = runs[runs[name] == values[0]]
    cells = runs.drop_duplicates([layout.names["x"], layout.names["y"]])
    return replace(layout, runs=cells, note="; ".join(notes) or None)


def draw_shades(panel: Axes, runs: pd.DataFrame, x: CellAxis, y: CellAxis) -> None:
    """Fill a panel with the shades of fractal_boundary.

    Args:
        panel: Where to draw.
        runs: One for each cell.
        x, y: The axes.
    """
    for own, shades_of in ((runs[LABEL], _by_rank), (~runs[LABEL], _by_step)):
        if own.any():
            shades, coloring = shades_of(runs[own])
            grid = grid_of(runs[own].assign(shade=shades), x, y, "shade")
            draw_cells(panel, grid, x, y, **coloring, rasterized=True)


def _by_rank(converged: pd.DataFrame) -> tuple[pd.Series, Style]:
    return _shares(converged).rank(pct=True), {"cmap": CONVERGED, "norm": Normalize(0, 1)}


def _by_step(lost: pd.DataFrame) -> tuple[pd.Series, Style]:
    steps = max(int(lost["steps_run"].max()), 2)
    return lost["steps_run"].clip(lower=1), {"cmap": LOST, "norm": LogNorm(1, steps)}


def _shares(converged: pd.DataFrame) -> pd.Series:
    return converged["tail_loss"] / converged["initial_loss"]


def _add_keys(panel: Axes, runs: pd.DataFrame) -> None:
    """What the shades mean, of those that there are."""
    converged, lost = runs[runs[LABEL]], runs[~runs[LABEL]]
    if len(converged):
        words = "converges: loss at the end / loss at the start, shaded by rank"
        bar = _key(panel, _by_rank(converged)[1], words)
        ranks = np.linspace(0, 1, 6).tolist()
        bar.set_ticks(
            ranks, labels=[f"{share:.3g}" for share in _shares(converged).quantile(ranks)]
        )
    if len(lost):
        steps = max(int(lost["steps_run"].max()), 2)
        never = f", {steps} if it never was" if steps == lost["steps"].max() else ""
        words = f"does not converge: steps until it was lost{never}"
        bar = _key(panel, _by_step(lost)[1], words)
        ends = [10**power for power in range(len(str(steps)))]
        bar.set_ticks(ends, labels=[str(end) for end in ends])


def _key(panel: Axes, coloring: Style, words: str) -> Colorbar:
    bar = panel.figure.colorbar(ScalarMappable(**coloring), ax=panel, **BELOW)
    bar.ax.minorticks_off()
    bar.set_label(words)
    return bar


def _headline(runs: pd.DataFrame, view: View) -> str:
    words = f"Training converges in {runs[LABEL].mean():.1%} of the cells"
    try:
        row = dimension(runs, view)
    except UnsuitableRunsError:  # too few cells, or some were not run: there is no dimension
        return words
    if row is None:
        return f"{words}; there is no boundary"
    return (
        f"{words}; boundary of dimension {row['dimension']:.2f} ± "
        f"{row['standard_error']:.2f} ({row['from_cells']:.0f} to {row['to_cells']:.0f} cells)"
    )


def dimension(runs: pd.DataFrame, view: View) -> pd.Series | None:
    """The row of boundary_dimensions on where training converges; None if there is no boundary.

    Raises:
        UnsuitableRunsError: As boundary_dimensions.
    """
    found = boundary_dimensions(runs, view)
    own = found[found["label"] == LABEL]
    return own.iloc[0] if len(own) else None
