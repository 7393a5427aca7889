"""Shares of outcomes and boundary learning rates, held against plain loops."""

import numpy as np
import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.boundaries import (
    blew_up,
    boundary_learning_rates,
    outcome_shares,
)
from core.outcomes import DIVERGED

CELL = ["activation", "depth", "init_scale"]


@pytest.mark.parametrize("by", [["depth"], ["activation", "depth"]])
def test_shares_are_what_pandas_counts(runs, by):
    """A row for each group and outcome; an outcome that a group never had has share 0."""
    shares = outcome_shares(runs, by)
    assert len(shares) == len(runs[by].drop_duplicates()) * runs["outcome"].nunique()
    assert (shares["runs"] == 0).any()
    for _, row in shares.iterrows():
        group = runs[(runs[by] == row[by]).all(axis=1)]
        assert row["runs"] == (group["outcome"] == row["outcome"]).sum()
        assert row["share"] == (group["outcome"] == row["outcome"]).mean()


@pytest.mark.parametrize(
    ("outcomes", "stable", "diverged", "reentrant"),
    [
        (["stalled", "slow", "trained", "diverged"], 0.1, 1.0, False),
        (["trained", "overflow", "diverged", "overflow"], 0.001, 0.01, False),
        (["trained", "diverged", "trained", "overflow"], 0.001, 0.01, True),
        (["diverged", "diverged", "slow", "diverged"], None, 0.001, True),
        (["diverged", "overflow", "overflow", "overflow"], None, 0.001, False),
        (["stalled", "slow", "oscillating", "trained"], 1.0, None, False),
    ],
)
def test_the_bracket_is_the_first_crossing(make_runs, outcomes, stable, diverged, reentrant):
    """Between the last rate before any divergence and the first with one, wherever it returns."""
    runs = make_runs(learning_rate=[0.001, 0.01, 0.1, 1.0], outcome=outcomes)
    (found,) = boundary_learning_rates(runs.sample(frac=1, random_state=1)).itertuples()
    ends = [found.stable_learning_rate, found.diverged_learning_rate]
    assert [None if np.isnan(end) else end for end in ends] == [stable, diverged]
    assert found.reentrant is reentrant
    if None in (stable, diverged):
        assert np.isnan(found.boundary_learning_rate)
    else:
        assert found.boundary_learning_rate == pytest.approx((stable * diverged) ** 0.5)


def test_seeds_are_pooled_towards_caution(make_runs):
    """One seed that diverges is enough; by seed, each has a bracket of its own."""
    runs = make_runs(
        seed=[0, 0, 0, 1, 1, 1],
        learning_rate=[0.1, 1.0, 10.0] * 2,
        outcome=["slow", "slow", "diverged", "slow", "diverged", "diverged"],
    )
    pooled = boundary_learning_rates(runs)
    assert pooled["diverged_learning_rate"].tolist() == [1.0]
    assert not pooled["reentrant"].any()
    by_seed = boundary_learning_rates(runs, [*CELL, "seed"])
    assert by_seed["diverged_learning_rate"].tolist() == [10.0, 1.0]


def test_a_network_that_a_peak_killed_was_not_stable(make_runs):
    """Its loss fell back to a constant's, but the steps were too long; a catapult trains."""
    runs = make_runs(
        learning_rate=[0.1, 0.2, 0.5, 1.0],
        outcome=["stalled", "trained", "stalled", "diverged"],
        cause=["plateau", None, "dead", "learning_rate"],
        initial_loss=2.0,
        baseline_loss=1.0,
        peak_loss=[2.1, 50.0, 5675.0, 3.0],
    )
    assert blew_up(runs).tolist() == [False, False, True, True]
    (bracket,) = boundary_learning_rates(runs).itertuples()
    assert (bracket.stable_learning_rate, bracket.diverged_learning_rate) == (0.2, 0.5)
    known = runs.drop(columns="peak_loss")
    assert blew_up(known).tolist() == [False, False, False, True]


def first_crossing(group):
    """The bracket's two ends by a plain loop over the learning rates."""
    stable = np.nan
    for rate in sorted(group["learning_rate"].unique()):
        here = group[group["learning_rate"] == rate]
        start = np.maximum(here["initial_loss"], here["baseline_loss"])
        killed = (here["outcome"] == "stalled") & (here["peak_loss"] > 1.1 * start)
        if (here["outcome"].isin(DIVERGED) | killed).any():
            return stable, rate
        stable = rate
    return stable, np.nan


def test_brackets_of_a_real_sweep_are_those_of_a_plain_loop(runs):
    """Every activation, depth and init scale, in one row each."""
    found = boundary_learning_rates(runs).set_index(CELL)
    loops = {cell: first_crossing(group) for cell, group in runs.groupby(CELL)}
    expected = pd.DataFrame(loops, index=["stable_learning_rate", "diverged_learning_rate"]).T
    pd.testing.assert_frame_equal(
        found[expected.columns], expected.rename_axis(CELL), check_exact=True
    )
    assert found["boundary_learning_rate"].notna().any()


def test_an_axis_outside_the_groups_is_refused(make_runs):
    """A bracket over two widths at once would belong to neither."""
    runs = make_runs(width=[8, 16], learning_rate=[0.1, 1.0], outcome=["slow", "diverged"])
    with pytest.raises(UnsuitableRunsError, match=r"width varies .*--where width=8"):
        boundary_learning_rates(runs, CELL)
    assert boundary_learning_rates(runs)["width"].tolist() == [8, 16]
    brackets = boundary_learning_rates(runs, [*CELL, "width"])
    assert brackets["stable_learning_rate"].isna().tolist() == [False, True]
