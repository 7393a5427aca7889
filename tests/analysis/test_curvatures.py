"""Learning rates in units of the curvature, by hand and on a real sweep."""

import numpy as np
import pandas as pd
import pytest

from analysis.tables.curvatures import (
    edge_of_stability,
    largest_stable_rates,
    optimizer_edges,
    sharpness_over_time,
)


def test_the_largest_stable_rate_lies_below_all_that_diverged(make_runs):
    """c = eta x lambda_max; a run that survives beyond the first divergence does not count."""
    runs = make_runs(
        learning_rate=[0.1, 0.3, 0.35, 0.5, 0.9],
        sharpness=10.0,
        initial_loss=1.0,
        peak_loss=[1.0, 2.0, 9.0, 1e6, 50.0],
        outcome=["slow", "trained", "slow", "diverged", "stalled"],
    )
    row = largest_stable_rates(runs).iloc[0]
    assert row["sharpness"] == 10
    assert row["c_catapult"] == pytest.approx(3.0)
    assert row["c_stable"] == pytest.approx(3.5)
    assert row["c_diverged"] == pytest.approx(5.0)


def test_without_a_divergence_the_largest_rate_is_stable(make_runs):
    """And the bracket has no upper end; runs without a sharpness are left out."""
    runs = make_runs(
        learning_rate=[0.1, 0.3, 0.5],
        sharpness=[10.0, 10.0, np.nan],
        initial_loss=1.0,
        peak_loss=1.0,
        outcome="slow",
    )
    row = largest_stable_rates(runs).iloc[0]
    assert row["c_stable"] == pytest.approx(3.0)
    assert np.isnan(row["c_diverged"])
    assert np.isnan(row["c_catapult"])


def test_real_runs_are_stable_below_the_quadratic_bound(runs):
    """At depth 2 no network of the small sweep diverged below c = 2."""
    table = largest_stable_rates(runs[runs["depth"] == 2])
    assert not (table["c_diverged"] < 2).any()


def test_sharpness_is_told_in_units_of_two_over_the_rate(make_runs):
    """The late ratio is the median over the logged steps of the second half."""
    runs = make_runs(trial_id=["a"], learning_rate=0.5, steps=100)
    curves = pd.DataFrame(
        {
            "trial_id": "a",
            "step": [0, 10, 50, 80, 100],
            "loss": 1.0,
            "sharpness": [1.0, 8.0, 3.6, 4.0, np.nan],
        }
    )
    over_time = sharpness_over_time(curves, runs)
    assert over_time["sharpness_ratio"].tolist() == [0.25, 2.0, 0.9, 1.0]
    row = edge_of_stability(curves, runs).iloc[0]
    assert (row["initial_ratio"], row["largest_ratio"]) == (0.25, 2.0)
    assert row["late_ratio"] == pytest.approx(0.95)


def test_each_optimizer_has_its_own_edge(make_runs):
    """A row each, of the runs that ended at their own rate without diverging."""
    runs = make_runs(
        optimizer=["gd", "momentum", "nesterov", "adam", "adam", "gd", "gd", "gd"],
        schedule=["constant"] * 3 + ["warmup"] * 2 + ["cosine"] + ["constant"] * 2,
        warmup_steps=400,
        steps_run=[100, 100, 100, 400, 399, 400, 400, 400],
        momentum=0.9,
        outcome=["trained"] * 6 + ["diverged", "trained"],
        learning_rate=0.5,
        final_preconditioned_sharpness=[4.0, 7.6, 19 / 7, 38.0, 1.0, 4.0, 4.0, np.nan],
    )
    table = optimizer_edges(runs, ["optimizer"]).set_index("optimizer")
    expected = {"gd": 1.0, "momentum": 1.0, "nesterov": 1.0, "adam": 0.5}
    assert table["edge_ratio"].to_dict() == pytest.approx(expected)
    assert table.loc["adam", "edge"] == pytest.approx(76)


def test_a_decay_leaves_less_room_and_clipping_no_known_edge(make_runs):
    """Stable below 2 / (lambda + decay); of what adam or clipping makes of it, nothing is known."""
    runs = make_runs(
        optimizer=["gd", "gd", "gd", "gd", "adam", "adam"],
        weight_decay=[0.0, 1.0, 3.0, 5.0, 1.0, 0.0],
        clip_norm=[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        schedule="constant",
        warmup_steps=10,
        steps_run=20,
        momentum=0.9,
        outcome="trained",
        learning_rate=0.5,
        final_preconditioned_sharpness=3.0,
    )
    table = optimizer_edges(runs, ["optimizer", "weight_decay", "clip_norm"])
    np.testing.assert_allclose(
        table.sort_values(["optimizer", "weight_decay"])["edge_ratio"],
        [np.nan, np.nan, 0.75, 1.0, 3.0, np.nan],
    )
