"""chi measured on real networks beside the theory's."""

import pytest

from analysis.chi import chi_against_theory
from core.mean_field import mean_field


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
    """chi and q* are mean_field's at the squares of init scale and bias scale."""
    for row in chi_against_theory(runs).to_dict("records"):
        theory = mean_field(row["activation"], row["init_scale"] ** 2, row["bias_scale"] ** 2)
        assert row["chi_theory"] == theory.chi
        assert row["q_star"] == pytest.approx(theory.q_star, nan_ok=True) or theory.q_star is None
        assert row["relative_deviation"] == pytest.approx(row["chi_measured"] / theory.chi - 1)
