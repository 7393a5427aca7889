"""Runs judged again from their rows: the same rules as the trainer's."""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import JudgedBy
from analysis.tables.threshold_shifts import SHIFTS, Shift, judged_again, moved_shares
from core.outcomes import THRESHOLDS

OURS = JudgedBy({None: THRESHOLDS})


def test_the_recorded_thresholds_give_the_recorded_outcomes_and_causes(runs):
    """The columns hold all that the rules ask for, and the rules are one and the same."""
    again = judged_again(runs, OURS)
    pd.testing.assert_series_equal(again["outcome"], runs["outcome"], check_dtype=False)
    assert again["cause"].fillna("").tolist() == runs["cause"].fillna("").tolist()
    assert runs["outcome"].nunique() >= 4


def test_a_run_of_before_single_examples_were_measured_keeps_its_cause(runs):
    """Its row cannot tell a signal that vanished from gradients that cancel."""
    later = [
        "final_log10_signal_ratio",
        "final_log10_signal_per_error",
        "final_gradient_alignment",
        "lowest_loss",
        "lowest_step",
    ]
    stalled = runs[runs["outcome"] == "stalled"]
    for older in (stalled.drop(columns=later), stalled.assign(**dict.fromkeys(later))):
        again = judged_again(older.assign(cause="dead"), OURS)
        assert len(again)
        assert set(again["cause"]) == {"dead"}


def test_a_laxer_bound_trains_more(runs):
    """Moving the trained level to 1 relabels just those whose tail lies between."""
    again = Shift("trained_level", 10.0).judged(runs, OURS)
    between = runs["outcome"].isin(["slow", "stalled", "oscillating"]) & (
        runs["tail_loss"] <= runs["baseline_loss"]
    )
    assert between.any()
    assert (again.loc[between, "outcome"] == "trained").all()
    assert (again.loc[~between, "outcome"] == runs.loc[~between, "outcome"]).all()


def test_an_oscillation_is_recounted_from_the_stored_rises(runs):
    """With a share of all steps none oscillates; with a tenth of it those whose rare rise shows."""
    none = Shift("oscillating_share", 10.0).judged(runs, OURS)
    assert not (none["outcome"] == "oscillating").any()
    more = Shift("oscillating_share", 0.1).judged(runs, OURS)["outcome"] == "oscillating"
    assert (more | (runs["outcome"] != "oscillating")).all()


def test_every_moved_threshold_has_its_shares(runs):
    """Two rows a threshold, a share between none and all."""
    table = moved_shares(runs, OURS)
    assert len(table) == len(SHIFTS)
    assert table[["outcome_changed", "cause_changed"]].stack().between(0, 1).all()
    trained = table[(table["threshold"] == "trained_level") & (table["moved"] == "x 10")]
    assert trained["outcome_changed"].item() > 0


@pytest.mark.parametrize(
    ("shift", "moved"),
    [
        (Shift("rise", 0.1), "0.0001"),
        (Shift("diverged_at_once", 10.0), "1e+07"),
        (Shift("diverged_at_end", 0.1), "1.01"),
        (Shift("presumed_excess", 10.0), "2"),
        (Shift("oscillating_share", 0.1), "0.01"),
        (Shift("oscillating_share", 10.0), "1"),
        (Shift("trained_level", 0.1), "x 0.1"),
    ],
)
def test_a_shift_says_what_the_threshold_becomes(shift, moved, runs):
    """A tenth or ten times, of 1.1 the margin, of a share no more than all."""
    assert shift in SHIFTS
    assert shift.words(runs, OURS) == moved


def test_each_run_is_judged_by_its_own_thresholds(runs):
    """A shift moves them from where each stands, and says so."""
    strict = replace(THRESHOLDS, stalled_change=1e-2)
    both = JudgedBy({"old": THRESHOLDS, "new": strict})
    mixed = runs.assign(thresholds=["old", "new"] * (len(runs) // 2))
    again = judged_again(mixed, both)
    expected = runs["outcome"].where(
        mixed["thresholds"] == "old", judged_again(runs, JudgedBy({}, presumed=strict))["outcome"]
    )
    assert again["outcome"].tolist() == expected.tolist()
    assert (again["outcome"] != runs["outcome"]).any()
    shift = Shift("stalled_change", 0.1)
    assert shift.words(mixed, both) == "0.0001 and 0.001"
    tenth = judged_again(mixed, both.moved("stalled_change", lambda value: value / 10))
    assert shift.judged(mixed, both)["outcome"].tolist() == tenth["outcome"].tolist()


@pytest.mark.parametrize("threshold", dict.fromkeys(shift.threshold for shift in SHIFTS))
def test_a_threshold_is_moved_both_ways(threshold):
    """A row of the figure has its two sides."""
    assert [shift.times for shift in SHIFTS if shift.threshold == threshold] == [0.1, 10.0]


def test_runs_that_ended_once_decided_are_refused(runs):
    """Their losses end where today's rules were sure; another rule might not have been."""
    with pytest.raises(UnsuitableRunsError, match=rf"{len(runs):,} runs have stop = decided"):
        moved_shares(runs.assign(stop="decided"), OURS)
