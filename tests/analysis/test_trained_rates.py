"""Where networks trained most reliably, on runs made by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.advising.trained_rates import CURES, most_reliable
from analysis.tables.shares import share_interval
from core.trials import DEFAULTS

RATES = [0.01, 0.1, 1.0, 10.0, 100.0]


def runs_of(shares, scale=1.0, seeds=10):
    """A start's runs: at each of RATES so many tenths of the seeds trained."""
    return pd.DataFrame(
        [
            {
                "initializer": "gaussian",
                "init_scale": scale,
                "bias_scale": 0.0,
                **{name: DEFAULTS[name] for name in CURES},
                "learning_rate": rate,
                "trained": seed < share * seeds,
            }
            for rate, share in zip(RATES, shares, strict=True)
            for seed in range(seeds)
        ]
    )


@pytest.mark.parametrize(
    ("shares", "rate", "lowest", "highest"),
    [
        ([0, 1, 1, 1, 0], 1.0, 0.1, 10.0),  # the middle
        ([0, 0.9, 1, 0.3, 0], 1.0, 0.1, 1.0),  # the best share
        ([0.1, 0, 1, 0, 0], 1.0, 1.0, 1.0),  # a lucky seed widens nothing
        ([1, 0, 1, 1, 0], 1.0, 1.0, 10.0),  # the widest stretch; of equals the lower rate
        ([0, 0, 0.1, 0, 0], 1.0, 1.0, 1.0),
    ],
)
def test_the_best_share_nearest_the_middle_is_chosen(shares, rate, lowest, highest):
    """Of the rates that trained about as often as the best."""
    found = most_reliable(runs_of(shares), 1.0)
    assert (found.learning_rate, found.lowest, found.highest) == (rate, lowest, highest)
    assert found.runs == 10
    assert found.trained == round(10 * shares[RATES.index(rate)])


def test_nothing_trained_is_an_answer():
    """None, not the rate that failed least."""
    assert most_reliable(runs_of([0, 0, 0, 0, 0]), 1.0) is None


def test_the_most_reliable_start_wins_then_theorys_then_the_widest():
    """Many seeds count more than one that was lucky."""
    reliable, lucky = runs_of([0, 1, 1, 0, 0], 2.0), runs_of([0, 1, 1, 1, 0], 1.0, seeds=1)
    assert most_reliable(pd.concat([reliable, lucky]), 1.0).start["init_scale"] == 2.0
    wide, theorys = runs_of([0, 1, 1, 1, 0], 3.0), runs_of([0, 0, 1, 0, 0], 1.1)
    assert most_reliable(pd.concat([wide, theorys]), 1.0).start["init_scale"] == 1.1
    wide, equal = runs_of([0, 1, 1, 1, 0]), runs_of([0, 1, 0, 0, 0]).assign(bias_scale=0.1)
    assert most_reliable(pd.concat([equal, wide]), 1.0).start["bias_scale"] == 0.0


def test_the_fewest_changes_win_among_equals():
    """Adam is named where it trained more often, not where plain descent did as well."""
    plain, adam = runs_of([0, 1, 1, 0, 0]), runs_of([0, 1, 1, 1, 0]).assign(optimizer="adam")
    assert most_reliable(pd.concat([adam, plain]), 1.0).start["optimizer"] == "gd"
    worse = runs_of([0, 0.5, 0.5, 0, 0])
    found = most_reliable(pd.concat([worse, adam]), 1.0)
    assert (found.start["optimizer"], found.runs) == ("adam", 10)
    both = adam.assign(clip_norm=1.0)
    assert most_reliable(pd.concat([both, adam]), 1.0).start["clip_norm"] == 0.0


@pytest.mark.parametrize(("hits", "runs"), [(0, 1), (1, 1), (30, 32), (1, 100), (50, 100)])
def test_the_interval_solves_wilsons_equation(hits, runs):
    """At its ends the measured share is as many deviations away as 95% of a normal variable."""
    for end in share_interval(hits, runs):
        if 0 < end < 1:
            distance = abs(hits / runs - end) / np.sqrt(end * (1 - end) / runs)
            assert distance == pytest.approx(norm.ppf(0.975))
    low, high = share_interval(hits, runs)
    assert 0 <= low <= hits / runs <= high <= 1
