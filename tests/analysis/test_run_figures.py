"""The figures of layers, loss curves, shares and agreement: what they draw is in the tables."""

import io

import numpy as np
import pandas as pd
import pytest

from analysis.figures.gradient_by_layer import gradient_by_layer
from analysis.figures.label_agreement import label_agreement_map
from analysis.figures.loss_curves import MOST_CURVES, loss_curves_by_outcome
from analysis.figures.named import FIGURES
from analysis.figures.outcome_shares import outcome_shares_by_axis
from analysis.reading.stores import UnsuitableRunsError, read_curves, read_layers
from analysis.tables.label_agreement import label_agreement
from analysis.tables.layer_profiles import gradients_by_layer

MINE = ("outcome_shares", "loss_curves", "gradient_by_layer", "label_agreement")


@pytest.mark.parametrize("name", MINE)
def test_a_figure_is_drawn_by_its_name(store, name):
    """With a title that tells the settings, and without a warning."""
    figure = FIGURES[name](store, None)
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


def test_agreement_needs_seeds(make_runs):
    """One run a cell agrees with nothing; the message says what to sweep."""
    with pytest.raises(UnsuitableRunsError, match="seed:"):
        label_agreement_map(make_runs(outcome=["slow"], learning_rate=[0.1]))
