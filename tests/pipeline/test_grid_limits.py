"""How large a grid may be: counted as it is run, with axes that move together once."""

import pytest

from core.trials import SETTINGS
from pipeline.notation.field_names import FieldError
from pipeline.sweep_files.grid_limits import MOST_SHAPES, require_countable

ONE = dict.fromkeys(SETTINGS, ("x",))


def test_a_grid_may_be_as_large_as_an_index_counts():
    """2^63 cells are too many; the longest axis is named."""
    axes = {**ONE, "seed": range(2**20), "learning_rate": range(2**21), "init_scale": range(2**22)}
    require_countable({**axes, "init_scale": range(2**21)}, (), SETTINGS)
    with pytest.raises(
        FieldError, match=r"init_scale: .* 9,223,372,036,854,775,807 trials, got 4,1"
    ):
        require_countable(axes, (), SETTINGS)


def test_shapes_are_planned_one_by_one_so_they_are_fewer():
    """What trials of one shape may differ in does not count."""
    axes = {**ONE, "depth": range(1000), "width": range(1000), "seed": range(1000)}
    require_countable(axes, (), SETTINGS)
    with pytest.raises(
        FieldError, match=r"width: .* more than 1,000,000 shapes of networks and tas"
    ):
        require_countable({**axes, "width": range(1001)}, (), SETTINGS)


def test_axes_that_move_together_count_once():
    """Shapes by the values that are different."""
    many = range(MOST_SHAPES)
    axes = {**ONE, "depth": many, "width": many, "seed": many}
    require_countable(axes, (("depth", "width", "seed"),), SETTINGS)
    require_countable({**axes, "depth": (1,) * MOST_SHAPES}, (("depth", "seed"),), SETTINGS)
    with pytest.raises(FieldError, match=r"depth: .* values of depth with width; shorten the axis"):
        require_countable({**axes, "steps": (1, 2)}, (("depth", "width", "seed"),), SETTINGS)
