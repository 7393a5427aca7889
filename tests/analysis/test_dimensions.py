"""Box-counting dimensions: of sets whose dimension is known, and of the maps of a store."""

import re

import numpy as np
import pandas as pd
import pytest

from analysis.figures.fractal import fractal_boundary
from analysis.figures.named import TABLES
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.box_counts import SIZES, BoxCounts, boundary_squares, box_counts, sizes_for
from analysis.tables.dimensions import boundary_dimensions
from analysis.tables.views import EVERYTHING, View

KOCH = np.log(4) / np.log(3)


def koch(cells, depth=8):
    """The squares of a grid, (cells, cells), that the Koch curve along its first row meets."""
    points = np.array([0, 1 + 0j])
    turn = np.exp(1j * np.pi / 3)
    for _ in range(depth):
        begin, third = points[:-1], np.diff(points) / 3
        parts = [begin, begin + third, begin + third * (1 + turn), begin + 2 * third]
        points = np.append(np.stack(parts, axis=1).ravel(), points[-1])
    places = (cells - 1) * points
    squares = np.zeros((cells, cells), bool)
    squares[places.imag.astype(int), places.real.astype(int)] = True
    return squares


def map_of(grid, name="fractal_converged", **columns):
    """Runs of a map over two settings with these labels, (init scales, rates)."""
    y, x = (np.geomspace(0.01, 100, count) for count in grid.shape)
    rates, scales = np.meshgrid(x, y)
    tails = np.linspace(0.1, 0.9, grid.size)
    losses = {"initial_loss": 1.0, "tail_loss": tails, "steps_run": 7, "steps": 9}
    settings = {"activation": "tanh", "depth": 2, "seed": 0, "cause": None, "init_phase": None}
    results = {"outcome": "slow", "fractal_converged": True, name: grid.ravel()}
    cells = {"learning_rate": rates.ravel(), "init_scale": scales.ravel()}
    return pd.DataFrame({**settings, **cells, **losses, **results, **columns})


def title(figure):
    """The figure's title, its non-breaking spaces made plain."""
    return figure.get_suptitle().replace("\N{NO-BREAK SPACE}", " ")


def halves(cells=65):
    """Labels that differ along a straight line."""
    return np.arange(cells)[:, None] + np.zeros(cells) < cells / 2


@pytest.mark.parametrize(
    ("squares", "dimension", "within"),
    [
        (np.eye(256, dtype=bool), 1, 1e-12),
        (np.arange(256)[:, None] == np.full(256, 100), 1, 1e-12),
        (np.ones((256, 256), bool), 2, 1e-12),
        (koch(729), KOCH, 0.02),
    ],
    ids=["diagonal", "line", "square", "koch"],
)
def test_sets_have_their_dimension(squares, dimension, within):
    """Lines, a filled square, and the Koch curve at ln 4 / ln 3, over boxes of 2 to 32 cells."""
    counts = box_counts(squares, SIZES)
    assert counts.dimension == pytest.approx(dimension, abs=within)
    assert counts.standard_error < max(within, 1e-9)


def test_the_standard_error_is_that_of_a_straight_line():
    """Of ordinary least squares, as scipy.stats has it."""
    from scipy.stats import linregress

    counts = BoxCounts(np.array([2, 4, 8, 16]), np.array([700, 300, 115, 60]))
    line = linregress(np.log(counts.sizes), np.log(counts.counts))
    assert counts.dimension == pytest.approx(-line.slope)
    assert counts.standard_error == pytest.approx(line.stderr)


def test_a_boundary_crosses_the_squares_whose_corners_differ():
    """One odd cell is the corner of four squares."""
    labels = np.zeros((5, 6), int)
    labels[2, 3] = 1
    expected = np.zeros((4, 5), bool)
    expected[1:3, 2:4] = True
    np.testing.assert_array_equal(boundary_squares(labels), expected)


def test_boxes_at_the_far_sides_may_be_smaller():
    """A square of the boundary in the last row and column counts once at every size."""
    squares = np.zeros((21, 18), bool)
    squares[-1, -1] = True
    assert box_counts(squares, SIZES).counts.tolist() == [1] * len(SIZES)


@pytest.mark.parametrize(("cells", "largest"), [(257, 32), (129, 32), (128, 16), (65, 16)])
def test_the_largest_boxes_fit_four_times(cells, largest):
    """Along the shorter side."""
    assert sizes_for(np.zeros((300, cells - 1)))[-1] == largest


def test_a_table_has_a_row_for_each_map_and_label_with_a_boundary():
    """A straight boundary of two labels in one map, none in the other; nothing else differs."""
    runs = pd.concat([map_of(halves()), map_of(halves() | True, seed=1)])
    found = boundary_dimensions(runs)
    assert found["seed"].tolist() == [0]
    assert found["label"].tolist() == ["fractal_converged"]
    row = found.iloc[0]
    assert row["dimension"] == pytest.approx(1)
    assert (row["from_cells"], row["to_cells"], row["squares"]) == (2, 16, 64)


def test_each_label_has_its_own_boundary():
    """Of outcomes, the line between two that both did not train is one of `outcome` alone."""
    outcomes = np.where(halves(), "slow", "stalled")
    outcomes[:, :20] = "trained"
    found = boundary_dimensions(map_of(outcomes, "outcome")).set_index("label")
    assert found["squares"].to_dict() == {"outcome": 64 + 64 - 20, "trained": 64}


def test_axes_are_those_asked_for():
    """The map is found whichever way round it is asked for."""
    runs = map_of(halves())
    turned = boundary_dimensions(runs, View(x="init_scale", y="learning_rate"))
    pd.testing.assert_frame_equal(turned, boundary_dimensions(runs))


def test_runs_that_differ_in_what_was_measured_are_one_cell():
    """A map that was run again to measure more has the dimension that it had."""
    once = map_of(halves(), measure="none")
    twice = pd.concat([once, map_of(halves(), measure="signal")])
    pd.testing.assert_frame_equal(boundary_dimensions(twice), boundary_dimensions(once))
    assert title(fractal_boundary(twice)).startswith("Training converges in 50.8%")


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (map_of(halves(32)), "a map of 32 x 32 cells over learning_rate and init_scale is too sma"),
        (map_of(halves())[1:], "1 of the 65 x 65 cells over learning_rate and init_scale were not"),
    ],
    ids=["small", "incomplete"],
)
def test_a_map_without_a_dimension_is_refused(runs, message):
    """Too small, or not run to its end; the figure is drawn, and its title has none."""
    with pytest.raises(UnsuitableRunsError, match=re.escape(message)):
        boundary_dimensions(runs)
    figure = fractal_boundary(runs)
    assert title(figure).startswith("Training converges in 50.")
    assert "dimension" not in title(figure)


def test_the_figure_shades_both_sides_of_the_boundary():
    """By ranks of the loss where training converges, by the steps until it was lost elsewhere."""
    figure = fractal_boundary(map_of(halves()))
    assert title(figure).startswith(
        "Training converges in 50.8% of the cells; boundary of dimension 1.00 ± 0.00 (2 to 16 cells"
    )
    shares, lost = (mesh.get_array() for mesh in figure.axes[0].collections)
    assert (shares.mask == ~halves()).all()
    assert (lost.mask == halves()).all()
    assert shares[0, 0] == 1 / halves().sum()
    assert lost[-1, -1] == 7
    figure.draw_without_rendering()


def test_of_several_seeds_the_figure_shows_the_first():
    """As its title says."""
    runs = pd.concat([map_of(halves(), seed=seed) for seed in (3, 5)])
    assert "seed 3 of 3, 5 shown" in title(fractal_boundary(runs))


def test_the_command_reads_a_store(make_store):
    """By the name of the table."""
    runs = map_of(halves())
    pd.testing.assert_frame_equal(
        TABLES["dimension"](make_store(runs), None, EVERYTHING), boundary_dimensions(runs)
    )
