"""Tick marks: round, at the values, and never so many that their labels touch."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis.drawing.log_scales import cell_edges
from analysis.drawing.ticks import mark_names, mark_ticks, mark_values

WIDE, NARROW = 6.0, 1.0  # inches


def drawn_axis(mark, values, inches=WIDE, along="x"):
    """An axis of that length over the values' cells, drawn once."""
    size = (inches, 2) if along == "x" else (2, inches)
    figure = Figure(figsize=size)
    panel = figure.add_axes((0, 0, 1, 1))
    edges = cell_edges(values)
    panel.set(**{f"{along}scale": "log", f"{along}lim": (edges[0], edges[-1])})
    axis = getattr(panel, f"{along}axis")
    mark(axis, np.asarray(values))
    figure.draw_without_rendering()
    return axis


def labels(axis):
    """The labels in the order in which they stand."""
    return [label.get_text() for label in axis.get_majorticklabels()]


def apart(axis, along="x"):
    """Whether no two labels touch, by the boxes in which they are drawn."""
    boxes = [label.get_window_extent() for label in axis.get_majorticklabels()]
    ends = sorted((box.x0, box.x1) if along == "x" else (box.y0, box.y1) for box in boxes)
    return all(first[1] < second[0] for first, second in pairwise(ends))


def tens(*powers):
    """Labels of powers of ten."""
    return [rf"$\mathdefault{{10^{{{power}}}}}$" for power in powers]


@pytest.mark.parametrize(
    ("values", "wide", "narrow"),
    [
        (np.geomspace(0.25, 4, 16), ["0.25", "0.5", "1", "2", "4"], ["0.5", "2"]),
        (np.geomspace(0.9, 1.1, 5), ["0.9", "0.946", "0.995", "1.05", "1.1"], ["0.9", "1.05"]),
        ([2, 8, 24], ["2", "8", "24"], ["2", "8", "24"]),
        ([0.1], ["0.1"], ["0.1"]),
        ([0, 0.5, 1], ["0", "0.5", "1"], ["0", "0.5", "1"]),
        ([0], ["0"], ["0"]),
        (np.geomspace(0.01, 1, 5), tens(-2, -1, 0), tens(-1, 0)),
        (np.geomspace(1e-6, 100, 49), tens(*range(-5, 2)), tens(-5, -1)),
    ],
)
def test_marks_are_round_and_fewer_where_there_is_less_room(values, wide, narrow):
    """Powers of ten or two, or values where these are close; nothing between them."""
    for inches, expected in ((WIDE, wide), (NARROW, narrow)):
        axis = drawn_axis(mark_ticks, values, inches)
        assert labels(axis) == expected
        assert list(axis.get_minorticklocs()) == []


STEPS = st.lists(st.floats(1.01, 30), min_size=1, max_size=20)


@given(STEPS, st.floats(0.8, 6), st.sampled_from("xy"), st.sampled_from([mark_ticks, mark_values]))
@settings(deadline=None, max_examples=60)
def test_labels_never_touch(steps, inches, along, mark):
    """Whatever the values and however short the axis; something is always marked."""
    axis = drawn_axis(mark, 1e-4 * np.cumprod(steps), inches, along)
    assert apart(axis, along)
    assert labels(axis)


def test_depths_are_marked_ever_more_sparsely_as_they_close_up():
    """Every one where there is room, from the first on."""
    marked = labels(drawn_axis(mark_values, range(1, 31), 2))
    assert marked[:3] == ["1", "2", "3"]
    assert len(marked) < 15
    assert labels(drawn_axis(mark_values, [2, 4, 8, 16, 32])) == ["2", "4", "8", "16", "32"]


@pytest.mark.parametrize("names", [["tanh", "relu", "leaky_relu"], [str(n) for n in range(40)]])
def test_names_stand_at_their_places(names):
    """One after another; of many every n-th, each at its own."""
    figure = Figure(figsize=(1.5, 2))
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_xlim(-0.5, len(names) - 0.5)
    mark_names(panel.xaxis, names)
    figure.draw_without_rendering()
    places = panel.get_xticks()
    assert labels(panel.xaxis) == [names[int(place)] for place in places]
    assert 3 <= len(places) <= 12
    assert apart(panel.xaxis)


def test_ten_to_the_zero_has_no_sign():
    """A power is rounded up from below, where floats have a zero with a sign."""
    assert labels(drawn_axis(mark_ticks, [0.4, 1.0, 80.0]))[0] == tens(0)[0]


@pytest.mark.parametrize("share", [1e-1, 3e-2, 1e-6, 1e-9])
def test_values_that_lie_close_together_have_labels_of_their_own(share):
    """On a map that was zoomed into, each label differs from the next one."""
    marked = labels(drawn_axis(mark_ticks, np.geomspace(9571.3, 9571.3 * (1 + share), 129)))
    assert len(marked) > 2
    assert len(set(marked)) == len(marked)
