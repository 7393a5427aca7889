"""Places, cells and limits on log axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.drawing.log_scales import cell_edges, limits, places

VALUES = st.lists(st.integers(-60, 60), min_size=1, max_size=12, unique=True).map(
    lambda tenths: 10.0 ** (np.sort(tenths) / 10)
)


@given(VALUES)
def test_every_value_lies_in_its_own_cell(values):
    """However unevenly the values are spaced, edges ascend between them."""
    edges = cell_edges(values)
    assert len(edges) == len(values) + 1
    assert np.all(edges[:-1] < values)
    assert np.all(values < edges[1:])


def test_evenly_spaced_values_are_the_middles_of_their_cells():
    """On a log axis: each is the geometric mean of its edges, the outermost too."""
    values = np.geomspace(0.25, 4, 5)
    edges = cell_edges(values)
    np.testing.assert_allclose(np.sqrt(edges[:-1] * edges[1:]), values)


def test_a_cell_edge_is_the_geometric_mean_of_its_neighbors():
    """A gap in the grid is shared by the cells at its ends."""
    np.testing.assert_allclose(cell_edges([1, 4, 400]), [0.5, 2, 40, 4000])


def test_a_lone_value_has_a_cell_around_it():
    """A factor of two wide."""
    np.testing.assert_allclose(cell_edges([3.0]), [3 / 2**0.5, 3 * 2**0.5])


@given(VALUES)
def test_a_zero_has_a_place_of_its_own_below_all_others(values):
    """On the same log axis, in a cell of its own; the other values stay where they are."""
    with_zero = np.concatenate([[0.0], values])
    at = places(with_zero)
    assert 0 < at[0] < at[1]
    np.testing.assert_array_equal(at[1:], values)
    edges = cell_edges(with_zero)
    assert np.all(edges[:-1] < at)
    assert np.all(at < edges[1:])
    assert limits(with_zero)[0] < at[0]


@pytest.mark.parametrize(
    ("values", "place"), [([0, 0.5, 1], 0.25), ([0, 1], 0.5), ([0], 1), ([0, 0.01, 1], 1e-4)]
)
def test_a_zero_is_one_step_below(values, place):
    """As far as the next two are apart; half the only other value."""
    assert places(values)[0] == pytest.approx(place)


@given(VALUES)
def test_limits_leave_a_margin_around_all_values(values):
    """Never a sliver: a lone value lies in the middle of a quarter up and down, or more."""
    low, high = limits(values)
    assert low <= values.min() / 1.25
    assert high >= values.max() * 1.25
    assert low * high == pytest.approx(values.min() * values.max())
