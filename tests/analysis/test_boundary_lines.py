"""The lines of the boundary learning rate: where their points, bars, marks and dashes lie."""

import numpy as np
import pytest

from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth

RATES = [0.01, 0.1, 1.0]


@pytest.fixture
def three_depths(make_runs):
    """Depth 2 begins to diverge at 1, depth 4 at no rate, depth 8 at every one."""
    outcomes = ["slow", "slow", "diverged"] + ["slow"] * 3 + ["overflow"] * 3
    return make_runs(depth=np.repeat([2, 4, 8], 3), learning_rate=RATES * 3, outcome=outcomes)


def lines(figure, marker):
    """The points, depth -> learning rate, of the first panel's lines with a marker."""
    drawn = [line for line in figure.axes[0].get_lines() if line.get_marker() == marker]
    points = [np.array(line.get_xydata(), dtype=float) for line in drawn]
    return [dict(xy[np.isfinite(xy).all(axis=1)].tolist()) for xy in points]


def legend(figure):
    """The labels of the figure's legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_points_lie_midway_and_triangles_where_half_is_known(three_depths):
    """A bar from the last stable to the first diverged; upwards open, downwards open."""
    figure = boundary_learning_rate_by_depth(three_depths)
    panel = figure.axes[0]
    assert lines(figure, "o") == [{2: pytest.approx(0.1**0.5)}]
    assert lines(figure, "^") == [{4: 1.0}]
    assert lines(figure, "v") == [{8: 0.01}]
    bars = [bar for bar in panel.collections[0].get_segments() if len(bar)]
    np.testing.assert_allclose(bars, [[[2, 0.1], [2, 1.0]]])
    assert (panel.get_xscale(), panel.get_yscale()) == ("linear", "log")


def test_the_legend_explains_the_marks_that_are_there_and_no_others(three_depths):
    """Bar, triangles and dashes each have their line in words."""
    bar, up, down = legend(boundary_learning_rate_by_depth(three_depths))[1:]
    assert (bar[:4], up[:16], down[:16]) == ("bar:", "nothing diverged", "diverged already")
    for depth, only in ((2, bar), (4, up), (8, down)):
        one = three_depths[three_depths["depth"] == depth]
        assert legend(boundary_learning_rate_by_depth(one))[1:] == [only]


def test_dashes_are_the_median_prediction_where_it_was_measured(three_depths):
    """Over the runs that have one; they never widen the axis beyond what was tried."""
    predicted = three_depths.assign(
        critical_learning_rate=[0.2, 0.3, 0.9, *[1e-12] * 3, *[None] * 3]
    )
    figure = boundary_learning_rate_by_depth(predicted)
    assert lines(figure, "x") == [{2: 0.3, 4: 1e-12}]
    assert legend(figure)[-1] == r"$2 / \lambda_{max}$ at step 0"
    low, high = figure.axes[0].get_ylim()
    assert 0.001 < low < 0.01 < 1.0 < high < 10


def test_init_scales_have_lines_side_by_side_in_colors_of_their_own(three_depths):
    """Points that coincide on the grid stay visible, each nearest to its own depth."""
    both = np.tile([0.5, 2.0], 9)
    doubled = three_depths.loc[three_depths.index.repeat(2)].assign(init_scale=both)
    figure = boundary_learning_rate_by_depth(doubled)
    left, right = (next(iter(points)) for points in lines(figure, "o"))
    assert 2**0.5 < left < 2 < right < 8**0.5
    drawn = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert len({tuple(line.get_color()) for line in drawn}) == 2
    keys = figure.legends[0].get_lines()[:2]
    assert legend(figure)[:2] == ["init scale 0.5", "init scale 2"]
    for key, line in zip(keys, drawn, strict=True):
        np.testing.assert_array_equal(key.get_color(), line.get_color())


def test_a_column_of_panels_that_ends_early_keeps_its_depths(make_runs):
    """Five activations stand in rows of three; the one above the gap bears the axis's name."""
    names = ["linear", "tanh", "relu", "gelu", "silu"]
    runs = make_runs(activation=names * 3, learning_rate=np.repeat(RATES, 5), outcome="slow")
    figure = boundary_learning_rate_by_depth(runs)
    figure.draw_without_rendering()
    shown = [panel for panel in figure.axes if panel.get_visible()]
    assert [panel.get_title() for panel in shown] == names
    named = [panel.get_xlabel() == "depth" for panel in shown]
    marked = [any(label.get_visible() for label in panel.get_xticklabels()) for panel in shown]
    assert named == marked == [False, False, True, True, True]


def test_linear_nets_have_a_straight_line_of_scale_squared_a_layer(make_runs):
    """From the shallowest boundary on, and only at init scales of 1 and more."""
    outcomes = ["slow", "diverged", "diverged"] * 2
    runs = make_runs(
        activation="linear",
        init_scale=2.0,
        depth=np.repeat([2, 4], 3),
        learning_rate=[0.5, 2.0, 8.0] * 2,
        outcome=outcomes,
    )
    (line,) = [x for x in boundary_learning_rate_by_depth(runs).axes[0].lines if x.get_ls() == ":"]
    np.testing.assert_allclose(line.get_ydata(), [1.0, 1.0 / 16])
    shrinking = boundary_learning_rate_by_depth(runs.assign(init_scale=0.5))
    assert not [x for x in shrinking.axes[0].lines if x.get_ls() == ":"]
