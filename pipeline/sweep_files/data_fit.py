"""Whether every cell of a grid can be trained on its data."""

from collections.abc import Mapping
from itertools import product

from core.datasets import DatasetInfo
from core.settings import Setting
from pipeline.grids.grid import Grid
from pipeline.grids.grid_parts import cell_among
from pipeline.notation.field_names import FieldError


def require_fit(
    grid: Grid, infos: Mapping[str, DatasetInfo], settings: Mapping[str, Setting]
) -> None:
    """Refuse grids with a cell in which a setting does not fit the data set.

    Only cells of the grid count: not combinations that `zip` or a condition leaves out.

    Args:
        grid: With an axis `dataset`, if there are data sets.
        infos: The sizes of the data sets, by name.
        settings: By name.

    Raises:
        FieldError: With the setting, the data set, the value and a remedy.
    """
    objecting = {n: s.objection for n, s in settings.items() if s.objection is not None}
    for (data, info), (name, objection) in product(infos.items(), objecting.items()):
        objections = {value: objection(value, info) for value in grid.axes[name]}
        wrong = {value: reason for value, reason in objections.items() if reason is not None}
        cell = cell_among(grid, {"dataset": [data], name: wrong}) if wrong else None
        if cell is not None:
            raise FieldError(f"{name}: {data} {wrong[settings[name].encoded(getattr(cell, name))]}")
