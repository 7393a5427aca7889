"""Whether every cell of a grid can be trained on its data."""

from collections.abc import Mapping, Sequence
from itertools import product

from core.datasets import DatasetInfo
from core.settings import Setting, Value
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
    objecting = [setting for setting in settings.values() if setting.objection is not None]
    for (data, info), setting in product(infos.items(), objecting):
        for others in product(*(grid.axes[name] for name in setting.beside)):
            wrong = _wrong(setting, grid.axes[setting.name], info, others)
            beside = {name: [other] for name, other in zip(setting.beside, others, strict=True)}
            among = {"dataset": [data], setting.name: wrong, **beside}
            cell = cell_among(grid, among) if wrong else None
            if cell is not None:
                reason = wrong[setting.encoded(getattr(cell, setting.name))]
                raise FieldError(f"{setting.name}: {data} {reason}")


def _wrong(
    setting: Setting, values: Sequence[Value], info: DatasetInfo, others: Sequence[Value]
) -> dict[Value, str]:
    """The values to which a setting objects, each with the reason."""
    assert setting.objection is not None
    said = {value: setting.objection(value, info, *others) for value in values}
    return {value: reason for value, reason in said.items() if reason is not None}
