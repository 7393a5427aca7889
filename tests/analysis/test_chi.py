"""chi measured on real networks beside the theory's."""

import pytest

from analysis.tables.chi import chi_against_theory
from core.theory.mean_field import mean_field


def test_seeds_are_averaged_and_learning_rates_counted_once(runs):
    """Six learning rates share a start: a group has as many seeds as the sweep."""
    table = chi_against_theory(runs)
    assert set(table["seeds"]) == {2}
    one = runs[(runs["activation"] == "tanh") & (runs["depth"] == 12)]
    scale = one["init_scale"].min()
    starts = one[one["init_scale"] == scale].groupby("seed")["chi_measured"].first()
    row = table[(table["activation"] == "tanh") & (table["depth"] == 12)].iloc[0]
    assert row["chi_measured"] == pytest.approx(starts.mean())
    assert row["standard_error"] == pytest.approx(starts.sem())


def test_the_theory_is_that_of_the_setting(runs):
    """chi and q* are mean_field's at the squares of init and bias scale, from the run's inputs."""
    for row in chi_against_theory(runs).to_dict("records"):
        setting = (row["activation"], row["init_scale"] ** 2, row["bias_scale"] ** 2)
        theory = mean_field(*setting, row["input_mean_square"])
        assert row["chi_theory"] == theory.chi
        assert row["q_star"] == pytest.approx(theory.q_star, nan_ok=True) or theory.q_star is None
        assert row["relative_deviation"] == pytest.approx(row["chi_measured"] / theory.chi - 1)


def test_inputs_of_another_size_end_at_another_q_star(runs):
    """GELU at 2.2 forgets raw spirals, q* = 0, and has no q* for standardized ones."""
    gelu = {"activation": "gelu", "init_scale": 2.2**0.5, "dataset": "spirals", "chi_theory": 0.55}
    spirals = runs.iloc[:1].assign(**gelu)
    assert chi_against_theory(spirals.assign(features="raw"))["q_star"].tolist() == [0]
    assert chi_against_theory(spirals)["q_star"].isna().all()
