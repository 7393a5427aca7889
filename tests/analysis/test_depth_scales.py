"""Trainable depth: brackets by hand, multiples of the theory's depth scale."""

import numpy as np
import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.depth_scales import SETTINGS, fitted_multiple, trainable_depth
from core.theory.mean_field import mean_field


@pytest.fixture
def depth_runs(make_runs):
    """Runs of one init scale: for each depth whether any learning rate trained."""

    def make(trained, **columns):
        outcomes = ["trained" if t else "slow" for t in trained.values()]
        return make_runs(depth=list(trained), outcome=outcomes, bias_scale=0.05**0.5, **columns)

    return make


def test_the_trainable_depth_lies_between_the_last_trained_and_the_next(depth_runs):
    """Their geometric mean, over the theory's xi_correlation."""
    table = trainable_depth(depth_runs({4: True, 8: True, 16: False}, init_scale=1.0))
    row = table.iloc[0]
    assert (row["trained_depth"], row["untrained_depth"]) == (8, 16)
    assert row["trainable_depth"] == pytest.approx(128**0.5)
    xi = mean_field("tanh", 1.0, 0.05).xi_correlation
    assert row["multiple"] == pytest.approx(128**0.5 / xi)


def test_a_deeper_depth_that_trains_again_counts(depth_runs):
    """The largest trained depth is taken, whatever failed above it."""
    row = trainable_depth(depth_runs({4: True, 8: False, 16: True, 32: False})).iloc[0]
    assert (row["trained_depth"], row["untrained_depth"]) == (16, 32)


@pytest.mark.parametrize("trained", [{4: False, 8: False}, {4: True, 8: True}])
def test_an_end_that_was_not_seen_is_missing(depth_runs, trained):
    """Nothing trained, or everything: no depth and no multiple."""
    row = trainable_depth(depth_runs(trained)).iloc[0]
    assert np.isnan(row["trainable_depth"])
    assert np.isnan(row["multiple"])


def test_a_depth_scale_beyond_the_deepest_run_gives_no_multiple(depth_runs):
    """Near criticality xi is longer than any depth that was tried."""
    runs = depth_runs({4: True, 8: False}, init_scale=1.32)
    assert mean_field("tanh", 1.32**2, 0.05).xi_correlation > 8
    assert np.isnan(trainable_depth(runs)["multiple"].iloc[0])


def test_another_axis_has_its_own_rows_and_is_never_mixed_up(depth_runs):
    """Widths are grouped by; groups without them are refused."""
    runs = depth_runs({4: True, 8: False}, width=[8, 16])
    assert trainable_depth(runs)["width"].tolist() == [8, 16]
    with pytest.raises(UnsuitableRunsError, match=r"width varies .*--where width=8"):
        trainable_depth(runs, SETTINGS)


def test_each_row_has_its_own_sigma_w_and_theory(depth_runs):
    """Beside one deviation for all widths, of which xi is not known; whatever the order."""
    settings = {"init_scale": 1.0, "width": 16}
    of_std, of_share = (
        depth_runs({4: True, 8: False}, initializer=name, **settings)
        for name in ("weight_std", "gaussian")
    )
    for runs in ([of_std, of_share], [of_share, of_std]):
        table = trainable_depth(pd.concat(runs, ignore_index=True)).set_index("initializer")
        assert table["weight_variance"].to_dict() == {"gaussian": 1.0, "weight_std": 16.0}
        assert table["xi_correlation"].notna().to_dict() == {"gaussian": True, "weight_std": False}


def test_the_fit_is_the_geometric_mean_with_its_standard_error():
    """As scipy would: exp of the mean and of the standard error of the logarithms."""
    table = trainable_depth_of([3.0, 6.0, 12.0, np.nan])
    fit = fitted_multiple(table)
    assert (fit.value, fit.points) == (pytest.approx(6.0), 3)
    assert fit.error == pytest.approx(np.exp(np.log(2) / 3**0.5))
    assert fitted_multiple(trainable_depth_of([3.0, np.nan])) is None


def trainable_depth_of(multiples):
    return pd.DataFrame({"multiple": multiples})


def test_weights_of_zero_give_no_multiple(depth_runs):
    """There xi_correlation is 0: with a bias, all inputs become alike in one layer."""
    runs = pd.concat(depth_runs({4: True, 8: False}, init_scale=scale) for scale in (0.0, 1.0, 1.1))
    table = trainable_depth(runs)
    assert table["xi_correlation"].iloc[0] == 0
    assert np.isnan(table["multiple"].iloc[0])
    assert fitted_multiple(table).points == 2
