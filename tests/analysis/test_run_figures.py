"""The figures of layers, loss curves, shares and agreement: what they draw is in the tables."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from analysis.figures.gradient_by_layer import gradient_by_layer
from analysis.figures.label_agreement import label_agreement_map
from analysis.figures.loss_curves import MOST_CURVES, loss_curves_by_outcome
from analysis.figures.named import FIGURES
from analysis.figures.outcome_shares import outcome_shares_by_axis
from analysis.reading.stores import UnsuitableRunsError, read_curves, read_layers
from analysis.tables.label_agreement import label_agreement
from analysis.tables.layer_profiles import gradients_by_layer
from analysis.tables.regions import REGIONS, region_by_run
from analysis.tables.views import EVERYTHING

MINE = ("outcome_shares", "loss_curves", "gradient_by_layer", "label_agreement")


@pytest.mark.parametrize("name", MINE)
def test_a_figure_is_drawn_by_its_name(store, name):
    """With a title that tells the settings, and without a warning."""
    figure = FIGURES[name](store, None, EVERYTHING)
    figure.savefig(io.BytesIO(), dpi=40)
    assert "dataset\N{NO-BREAK SPACE}digits" in figure.get_suptitle()


def test_gradients_are_the_mean_over_seeds(store, runs):
    """Each start once, however many learning rates were tried from it."""
    layers = pd.read_parquet(store / "layers")
    table = gradients_by_layer(layers, runs)
    every = layers.merge(runs, on="trial_id")
    expected = every.groupby(["activation", "depth", "init_scale", "layer"])["log10_delta_norm"]
    np.testing.assert_allclose(table["measured"], expected.mean(), rtol=1e-9)
    assert set(table["seeds"]) == {2}


def test_theory_meets_measurement_at_the_last_hidden_layer(store, runs):
    """There its lines begin, as the docstring of layer_theory says why."""
    table = gradients_by_layer(read_layers(store), runs)
    last = table[table["layer"] == table["depth"] - 1].dropna()
    assert len(last) > 8
    np.testing.assert_allclose(last["theory"], last["measured"])


def test_each_init_scales_gradients_are_drawn_beside_the_theory(store, runs):
    """Over the layers of the deepest networks: points measured, a line of the same color."""
    deepest = runs[runs["depth"] == 12]
    table = gradients_by_layer(read_layers(store), deepest)
    for panel in gradient_by_layer(read_layers(store), runs).axes:
        profiles = table[table["activation"] == panel.get_title()].groupby("init_scale")
        points, lines = panel.lines[::2], panel.lines[1::2]
        for (_, profile), measured, theory in zip(profiles, points, lines, strict=True):
            np.testing.assert_array_equal(measured.get_xdata(), profile["layer"])
            np.testing.assert_array_equal(measured.get_ydata(), profile["measured"])
            np.testing.assert_array_equal(theory.get_xdata(), profile["layer"])
            np.testing.assert_array_equal(theory.get_ydata(), profile["theory"])
            assert to_hex(measured.get_color()) == to_hex(theory.get_color())
        assert len({to_hex(line.get_color()) for line in points}) == len(points)


def test_layers_that_were_not_measured_are_asked_for(runs):
    """The message says how."""
    nothing = pd.DataFrame({"trial_id": [], "layer": []}).astype({"trial_id": str})
    with pytest.raises(UnsuitableRunsError, match=r"add `measure: \[signal\]`"):
        gradient_by_layer(nothing, runs)


def test_each_outcome_has_its_curves(store, runs):
    """A panel with a line a run, and no more than can be seen."""
    figure = loss_curves_by_outcome(read_curves(store), runs)
    panels = [axes for axes in figure.axes if "runs" in axes.get_title()]
    for panel in panels:
        outcome = panel.get_title().split(":")[0]
        count = (runs["outcome"] == outcome).sum()
        assert len(panel.collections[0].get_paths()) == min(count, MOST_CURVES)
    assert len(panels) == runs["outcome"].nunique()


def test_a_curve_is_in_units_of_the_best_constant(store, runs):
    """The first point of the first line is a run's initial loss over its baseline."""
    one = runs[runs["outcome"] == "slow"].head(1)
    figure = loss_curves_by_outcome(read_curves(store), one)
    x, y = figure.axes[0].collections[0].get_paths()[0].vertices[0]
    assert x == 0
    assert y == pytest.approx((one["initial_loss"] / one["baseline_loss"]).item())


@pytest.mark.parametrize("trained_level", [0.1, 0.03])
def test_loss_curves_have_the_constants_line_and_the_trained_level(store, runs, trained_level):
    """At 1 and at the runs' own level, on a log axis."""
    judged = runs.assign(trained_level=trained_level)
    figure = loss_curves_by_outcome(read_curves(store), judged)
    for panel in (axes for axes in figure.axes if "runs" in axes.get_title()):
        levels = {
            line.get_label(): set(line.get_ydata())
            for line in panel.lines
            if line.get_marker() != "^"
        }
        assert levels == {"best constant predictor": {1}, "counts as trained": {trained_level}}
        assert panel.get_yscale() == "log"


def test_a_curves_color_is_its_learning_rate(store, runs):
    """Whatever the order in which the runs are drawn."""
    slow = runs[runs["outcome"] == "slow"]
    figure = loss_curves_by_outcome(read_curves(store), slow)
    lines = figure.axes[0].collections[0]
    assert len(lines.get_paths()) == min(len(slow), MOST_CURVES)
    ends = slow["final_loss"] / slow["baseline_loss"]
    for path, rate in zip(lines.get_paths(), lines.get_array(), strict=True):
        same = np.isclose(ends, path.vertices[-1, 1], rtol=1e-9)
        assert set(slow.loc[same, "learning_rate"]) == {rate}


def test_shares_add_up_along_every_axis(runs):
    """Bars from 0 to 1 for each value of each axis."""
    figure = outcome_shares_by_axis(runs)
    panels = [axes for axes in figure.axes if axes.get_xlabel()]
    names = [axes.get_xlabel() for axes in panels]
    assert names == ["depth", "activation", "init scale", "learning rate"]
    for panel, count in zip(panels, (2, 2, 4, 6), strict=True):
        heights = np.zeros(count)
        for bar in panel.patches:
            heights[round(bar.get_x() + 0.5)] += bar.get_height()
        np.testing.assert_allclose(heights, 1)


def test_a_shares_bar_is_stacked_in_its_regions_color(runs):
    """Each region's share of the runs of a value, from the one below it upwards."""
    panel = next(axes for axes in outcome_shares_by_axis(runs).axes if axes.get_xlabel() == "depth")
    found = pd.Series(region_by_run(runs["outcome"], runs["cause"]), index=runs.index)
    for place, (_, regions) in enumerate(found.groupby(runs["depth"])):
        bars = [bar for bar in panel.patches if round(bar.get_x() + 0.5) == place]
        shares = {to_hex(bar.get_facecolor()): bar.get_height() for bar in bars}
        expected = {REGIONS[i].color: s for i, s in regions.value_counts(normalize=True).items()}
        assert {color: share for color, share in shares.items() if share} == pytest.approx(expected)
        tops = np.cumsum([bar.get_height() for bar in bars])
        np.testing.assert_allclose([bar.get_y() for bar in bars], [0, *tops[:-1]], atol=1e-12)


def test_a_single_setting_has_no_shares(make_runs):
    """There is no axis to show."""
    with pytest.raises(UnsuitableRunsError, match="no setting varies"):
        outcome_shares_by_axis(make_runs(outcome=["slow"], learning_rate=[0.1]))


def test_agreement_is_the_most_frequent_outcomes_share(make_runs):
    """Two of three seeds agree in one cell, all in the other."""
    runs = make_runs(
        outcome=["slow", "slow", "trained", "slow", "slow", "slow"],
        learning_rate=[0.1, 0.1, 0.1, 1.0, 1.0, 1.0],
        seed=[0, 1, 2, 0, 1, 2],
    )
    table = label_agreement(runs)
    assert list(table["agreement"]) == pytest.approx([2 / 3, 1])
    assert list(table["seeds"]) == [3, 3]


def test_the_agreement_map_has_each_cells_share_at_its_setting(make_runs):
    """Learning rate to the right, init scale upwards; a cell of one seed is left open."""
    runs = pd.concat(
        make_runs(init_scale=scale, learning_rate=rate, seed=range(len(outcomes)), outcome=outcomes)
        for scale, rate, outcomes in (
            (0.5, 0.1, ["slow"] * 3),
            (0.5, 1.0, ["slow", "slow", "trained"]),
            (0.5, 10.0, ["slow", "stalled", "trained"]),
            (2.0, 0.1, ["slow", "trained"]),
            (2.0, 1.0, ["trained"]),
            (2.0, 10.0, ["diverged", "diverged"]),
        )
    )
    panel = label_agreement_map(runs).axes[0]
    (mesh,) = (child for child in panel.get_children() if isinstance(child, QuadMesh))
    shares = mesh.get_array()
    np.testing.assert_allclose(shares.filled(-1), [[1, 2 / 3, 1 / 3], [1 / 2, -1, 1]])
    corners = mesh.get_coordinates()
    for place, (scale, rate) in enumerate([(0.5, 0.1), (2.0, 1.0)]):
        (left, bottom), (right, top) = corners[place, place], corners[place + 1, place + 1]
        assert left < rate < right
        assert bottom < scale < top
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_agreement_needs_seeds(make_runs):
    """One run a cell agrees with nothing; the message says what to sweep."""
    with pytest.raises(UnsuitableRunsError, match="seed:"):
        label_agreement_map(make_runs(outcome=["slow"], learning_rate=[0.1]))
