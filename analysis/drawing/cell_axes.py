"""The axes of a map's cells: of any setting, numbers on a log scale, names and seeds in a row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.drawing.log_scales import cell_edges, places
from analysis.drawing.ticks import mark_in_a_row, mark_ticks
from analysis.reading.setting_values import is_number, ordered, spoken


@dataclass(frozen=True)
class CellAxis:
    """One axis of a map.

    Attributes:
        name: The setting.
        values: Its values in the order of the cells.
    """

    name: str
    values: list[Any]

    @property
    def words(self) -> str:
        """The setting's name as words."""
        return spoken(self.name)

    @property
    def edges(self) -> NDArray[np.float64]:
        """The edges of the cells, (values + 1,)."""
        if is_number(self.name):
            return cell_edges(self.values)
        return np.arange(len(self.values) + 1, dtype=np.float64) - 0.5

    def at(self, column: pd.Series, beside: float = 0.0) -> NDArray[np.float64]:
        """The places of a column's values along the axis.

        Args:
            column: Some of the values.
            beside: How far each is shifted from its place, as a share of the least distance between
                two values, so that points that coincide stay visible.
        """
        number = is_number(self.name)
        every = np.log(places(self.values)) if number else np.arange(len(self.values), dtype=float)
        step = np.diff(every).min() if len(every) > 1 else 1.0
        known = dict(zip(self.values, every + beside * step, strict=True))
        at = np.array([known[value] for value in column.tolist()])
        return np.exp(at) if number else at

    def shape(self, panel: Axes, along: str) -> None:
        """Set the scale, the limits and the ticks of a panel's axis; `along` is x or y."""
        axis, edges = getattr(panel, f"{along}axis"), self.edges
        if is_number(self.name):
            panel.set(**{f"{along}scale": "log", f"{along}lim": (edges[0], edges[-1])})
            mark_ticks(axis, self.values)
            return
        panel.set(**{f"{along}lim": (edges[0], edges[-1])})
        mark_in_a_row(axis, self.values)


def cell_axis(name: str, runs: pd.DataFrame) -> CellAxis:
    """The axis of a setting over all its values among the runs."""
    return CellAxis(name, ordered(runs[name]))


def grid_of(cells: pd.DataFrame, x: CellAxis, y: CellAxis, values: str) -> np.ma.MaskedArray:
    """A panel's numbers, (y, x); masked where nothing was run.

    Args:
        cells: The settings of the axes and the column `values`, one row per cell.
    """
    grid = cells.pivot(index=y.name, columns=x.name, values=values)
    numbers = grid.reindex(index=y.values, columns=x.values).to_numpy(float)
    return np.ma.array(numbers, mask=np.isnan(numbers))
