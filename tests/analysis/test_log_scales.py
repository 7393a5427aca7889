"""Cells, limits and tick marks on log axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis.drawing.log_scales import (
    cell_edges,
    evenly_chosen,
    limits,
    mark_ticks,
    mark_values,
    places,
)

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


def ticks(mark, values):
    """The labels on a log axis that shows the values' cells, and its minor ticks."""
    figure = Figure()
    panel = figure.subplots()
    edges = cell_edges(np.asarray(values))
    panel.set(xscale="log", xlim=(edges[0], edges[-1]))
    mark(panel.xaxis, np.asarray(values))
    figure.draw_without_rendering()
    locations = panel.xaxis.get_majorticklocs()
    shown = (edges[0] <= locations) & (locations <= edges[-1])
    labels = np.array([label.get_text() for label in panel.xaxis.get_majorticklabels()])
    return list(labels[shown]), list(panel.xaxis.get_minorticklocs())


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.geomspace(0.25, 4, 16), ["0.25", "1", "4"]),
        (np.geomspace(1, 5, 16), ["1", "2", "4"]),
        (np.geomspace(0.9, 1.1, 5), ["0.9", "0.995", "1.1"]),
        ([0.1], ["0.1"]),
        ([0.5, 0.7], ["0.5", "0.7"]),
        ([0, 0.5, 1], ["0", "0.5", "1"]),
        ([0, 1], ["0", "1"]),
        ([0], ["0"]),
        ([0, *np.geomspace(0.25, 4, 9)], ["0", "0.5", "1.41", "4"]),
        (np.geomspace(0.01, 1, 5), [rf"$\mathdefault{{10^{{{n}}}}}$" for n in (-2, -1, 0)]),
    ],
)
def test_marks_are_few_and_round(values, labels):
    """Powers of ten or two, some of the values where these are close; nothing between them."""
    assert ticks(mark_ticks, values) == (labels, [])


def test_marked_values_never_crowd():
    """Depths of 1 to 30 are marked ever more sparsely, as they close up on a log axis."""
    assert ticks(mark_values, range(1, 31)) == (["1", "2", "4", "7", "11", "17", "27"], [])
    assert ticks(mark_values, [2, 4, 8, 16, 32]) == (["2", "4", "8", "16", "32"], [])


@given(VALUES, st.integers(2, 8))
def test_an_even_choice_keeps_the_ends_and_the_order(values, most):
    """All where they fit, else exactly so many, none twice."""
    chosen = evenly_chosen(values, most)
    assert len(chosen) == min(most, len(values))
    assert (chosen[0], chosen[-1]) == (values[0], values[-1])
    assert chosen == sorted(set(chosen) & set(values))
