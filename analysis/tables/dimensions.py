"""The box-counting dimension of the boundaries on a map, with the scales that it was found over."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.reading.cells import INFERRED
from analysis.reading.labels import LABELS, OF_OUTCOMES
from analysis.reading.setting_values import ordered
from analysis.reading.stores import UnsuitableRunsError, axes
from analysis.reading.traces import Trace
from analysis.tables.box_counts import (
    FEWEST_ACROSS,
    FEWEST_SIZES,
    SIZES,
    BoxCounts,
    boundary_squares,
    box_counts,
    sizes_for,
)
from analysis.tables.layouts import MAP, laid_out
from analysis.tables.views import EVERYTHING, View
from core.trials import SETTINGS

NUMBERS = ("dimension", "standard_error", "from_cells", "to_cells", "squares")
FEWEST_VALUES = SIZES[FEWEST_SIZES - 1] * FEWEST_ACROSS + 1  # along each side of a map


def boundary_dimensions(
    runs: pd.DataFrame, view: View = EVERYTHING, traces: Sequence[Trace] = ()
) -> pd.DataFrame:
    """How rough each label's boundary is: 1 is a smooth line, 2 fills the plane.

    Args:
        runs: The settings and the columns of LABELS.
        view: Which runs; its x and y are the axes of the map, by default those of the stability
            map. A map is drawn for each combination of whatever else varies, also of seeds.
        traces: The traced sweeps among the runs.

    Returns:
        A row for each map and each label that has a boundary there: the settings that vary between
        maps, `label`, the `dimension` with its `standard_error` (that of a straight line through
        the logarithms of the counts), the smallest and the largest box, `from_cells` and
        `to_cells`, and the number of `squares` between four neighboring cells that the boundary
        crosses. Where not all cells were trained, also whether the label's boundary was `traced`:
        that of another may differ between the runs, and the audit says nothing of it.

    Raises:
        UnsuitableRunsError: A map has too few cells, or some were not run; or as View.kept.
    """
    kept = view.kept(runs)
    names = laid_out(kept, view, MAP).names
    x, y = names["x"], names["y"]
    maps = [n for n in axes(kept) if n not in (x, y) and SETTINGS[n].decides != "record"]
    cells = kept.drop_duplicates([*maps, x, y])  # of runs that differ in what was measured
    found = [
        {**settings, "label": label, **_row(counts, squares)}
        for settings, here in _by_settings(cells, maps)
        for label, squares in _boundaries(here, x, y)
        if (counts := _counts(squares, x, y)) is not None
    ]
    table = pd.DataFrame(found, columns=[*maps, "label", *NUMBERS])
    if INFERRED in cells and cells[INFERRED].any():
        table["traced"] = table["label"].isin(_traced(traces))
    return table


def _traced(traces: Sequence[Trace]) -> set[str]:
    """The labels whose boundaries were traced; whoever traces all outcomes traces parts of them."""
    found = {trace.of for trace in traces}
    return found | set(OF_OUTCOMES) if "outcome" in found else found


def label_grid(runs: pd.DataFrame, label: str, x: str, y: str) -> NDArray[np.int64]:
    """A map's labels as whole numbers, (y, x); -1 where there is no label.

    Args:
        runs: Of one map: at most one for each cell.
        label: One of LABELS.
        x, y: The settings along the axes.

    Raises:
        UnsuitableRunsError: A cell was not run.
    """
    columns, rows = (pd.Index(ordered(runs[name])) for name in (x, y))
    missing = len(columns) * len(rows) - len(runs)
    if missing:
        raise UnsuitableRunsError(
            f"{missing:,} of the {len(columns)} x {len(rows)} cells over {x} and {y} were not run: "
            "a dimension needs every cell; run the sweep to its end, or keep a part that is "
            f"complete: --where '{x}<{columns[-1]:.3g}'"
        )
    codes = pd.factorize(LABELS[label](runs))[0]
    grid = np.empty((len(rows), len(columns)), np.int64)
    grid[rows.get_indexer(runs[y]), columns.get_indexer(runs[x])] = codes
    return grid


def _by_settings(
    runs: pd.DataFrame, names: list[str]
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if not names:
        yield {}, runs
        return
    for values, here in runs.groupby(names, sort=True):
        yield dict(zip(names, values, strict=True)), here


def _boundaries(runs: pd.DataFrame, x: str, y: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for label in LABELS:
        yield label, boundary_squares(label_grid(runs, label, x, y))


def _counts(squares: NDArray[np.bool_], x: str, y: str) -> BoxCounts | None:
    """The counts of a boundary's boxes; None where there is no boundary."""
    sizes = sizes_for(squares)
    if len(sizes) < FEWEST_SIZES:
        rows, columns = squares.shape
        raise UnsuitableRunsError(
            f"a map of {columns + 1} x {rows + 1} cells over {x} and {y} is too small for a "
            f"dimension; give each of them {FEWEST_VALUES} values or more, or name others: --x, --y"
        )
    return box_counts(squares, sizes) if squares.any() else None


def _row(counts: BoxCounts, squares: NDArray[np.bool_]) -> dict[str, Any]:
    scales = int(counts.sizes[0]), int(counts.sizes[-1])
    numbers = counts.dimension, counts.standard_error, *scales, int(squares.sum())
    return dict(zip(NUMBERS, numbers, strict=True))
