"""Figures by name: each shows what its table holds, and refuses what it cannot show."""

import numpy as np
import pandas as pd
import pytest

from analysis.figures.catapult import catapult_by_rate
from analysis.figures.chi import chi_by_init_scale
from analysis.figures.edge_of_stability import edge_of_stability_by_step
from analysis.figures.thresholds import map_by_threshold
from analysis.figures.trainable_depth import trainable_depth_map
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import JudgedBy
from analysis.tables.threshold_shifts import SHIFTS


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_chi_has_a_panel_an_activation_with_its_points_on_log_axes(runs):
    """Two activations, four init scales each."""
    figure = chi_by_init_scale(runs[runs["depth"] == 12])
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [panel.get_title() for panel in panels] == list(runs["activation"].unique())
    for panel in panels:
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
        points = panel.containers[0].lines[0]
        np.testing.assert_allclose(points.get_xdata().astype(float), np.unique(runs["init_scale"]))
    assert "theory, infinite width" in labels(figure)


def test_activations_without_chi_have_no_panel_and_other_axes_are_refused(runs):
    """A store of several experiments is drawn as far as one figure can show it."""
    deep = runs[runs["depth"] == 12]
    known = deep["chi_measured"].where(deep["activation"] == "relu")
    figure = chi_by_init_scale(deep.assign(chi_measured=known))
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == ["relu"]
    with pytest.raises(UnsuitableRunsError, match="no chi was measured"):
        chi_by_init_scale(deep.assign(chi_measured=np.nan))
    with pytest.raises(UnsuitableRunsError, match="depth varies"):
        chi_by_init_scale(runs)


def test_the_depth_map_shows_the_loss_left_by_the_best_learning_rate(make_runs):
    """A cell is the least tail loss over the baseline; the fit stands in the legend."""
    scales = [1.0, 1.1, 1.2, 1.3]
    runs = pd.concat(
        make_runs(
            init_scale=scale,
            bias_scale=0.05**0.5,
            depth=[4, 4, 100, 100],
            learning_rate=[0.1, 0.2] * 2,
            tail_loss=[0.1, 0.02, 1.0, np.nan],
            baseline_loss=2.0,
            outcome=["slow", "trained", "stalled", "overflow"],
        )
        for scale in scales
    )
    figure = trainable_depth_map(runs)
    mesh = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(mesh, [[0.01] * 4, [0.5] * 4])
    assert any(r"\xi$: the mean" in label for label in labels(figure))


def test_the_catapult_figure_counts_in_units_of_the_curvature(runs):
    """Its points are eta x lambda_max of the runs that survived."""
    figure = catapult_by_rate(runs)
    kept = runs[~runs["outcome"].isin(["diverged", "overflow"]) & (runs["activation"] == "tanh")]
    expected = (kept["learning_rate"] * kept["sharpness"]).dropna()
    drawn = figure.axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(np.sort(drawn), np.sort(expected))


def test_what_was_not_measured_is_asked_for(runs, store):
    """A sweep without curvature gets the line to add to its file."""
    with pytest.raises(UnsuitableRunsError, match="sharpness_curve"):
        edge_of_stability_by_step(pd.read_parquet(store / "curves"), runs)
    with pytest.raises(UnsuitableRunsError, match=r"measure: \[sharpness\]"):
        catapult_by_rate(runs.assign(sharpness=np.nan))


def test_the_edge_of_stability_has_a_line_a_learning_rate(make_runs):
    """The sharpness ratio above, the loss below on a log axis."""
    runs = make_runs(trial_id=["a", "b"], learning_rate=[0.1, 0.2], steps=10)
    curves = pd.DataFrame(
        {"trial_id": list("aabb"), "step": [0, 10] * 2, "loss": 1.0, "sharpness": 4.0}
    )
    figure = edge_of_stability_by_step(curves, runs)
    above, below = figure.axes
    assert [line.get_ydata()[0] for line in above.lines[:2]] == pytest.approx([0.2, 0.4])
    assert below.get_yscale() == "log"


def test_the_threshold_figure_has_a_row_a_threshold_of_one_panel(runs):
    """As it is in the middle, a tenth and tenfold beside it."""
    figure = map_by_threshold(runs, JudgedBy({}), "relu", 12)
    thresholds = {shift.threshold for shift in SHIFTS}
    assert len(figure.axes) == 3 * len(thresholds)
    assert sum("as it is" in axes.get_title() for axes in figure.axes) == len(thresholds)
    with pytest.raises(UnsuitableRunsError, match="'gelu' and depth 12"):
        map_by_threshold(runs, JudgedBy({}), "gelu", 12)
