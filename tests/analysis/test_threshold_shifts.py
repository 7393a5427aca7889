"""Runs judged again from their rows: the same rules as the trainer's."""

import pandas as pd
import pytest

from analysis.tables import UnsuitableRunsError
from analysis.threshold_shifts import SHIFTS, judged_again, moved_shares
from core.outcomes import THRESHOLDS


def test_the_recorded_thresholds_give_the_recorded_outcomes_and_causes(runs):
    """The columns hold all that the rules ask for, and the rules are one and the same."""
    again = judged_again(runs, THRESHOLDS)
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
        again = judged_again(older.assign(cause="dead"), THRESHOLDS)
        assert len(again)
        assert set(again["cause"]) == {"dead"}


def test_a_laxer_bound_trains_more(runs):
    """Moving the trained level to 1 relabels just those whose tail lies between."""
    again = judged_again(runs, THRESHOLDS, of_level=10.0)
    between = runs["outcome"].isin(["slow", "stalled", "oscillating"]) & (
        runs["tail_loss"] <= runs["baseline_loss"]
    )
    assert between.any()
    assert (again.loc[between, "outcome"] == "trained").all()
    assert (again.loc[~between, "outcome"] == runs.loc[~between, "outcome"]).all()


def test_an_oscillation_is_recounted_from_the_stored_rises(runs):
    """With a share of all steps none oscillates; with a tenth of it those whose rare rise shows."""
    none = judged_again(runs, THRESHOLDS, late_rise=None)
    assert not (none["outcome"] == "oscillating").any()
    more = judged_again(runs, THRESHOLDS, late_rise="rare_rise")["outcome"] == "oscillating"
    assert (more | (runs["outcome"] != "oscillating")).all()


def test_every_moved_threshold_has_its_shares(runs):
    """Two rows a threshold, a share between none and all."""
    table = moved_shares(runs)
    assert len(table) == len(SHIFTS)
    assert table[["outcome_changed", "cause_changed"]].stack().between(0, 1).all()
    trained = table[(table["threshold"] == "trained_level") & (table["moved"] == "x 10")]
    assert trained["outcome_changed"].item() > 0


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: f"{shift.threshold}-{shift.moved}")
def test_a_shift_moves_one_threshold_alone(shift):
    """Every other rule stays as recorded."""
    moved = {
        name for name, value in vars(shift.rules).items() if value != getattr(THRESHOLDS, name)
    }
    assert moved <= {shift.threshold}
    others = (shift.late_rise != "late_rise", shift.of_level != 1)
    assert len(moved) + sum(others) == 1


def test_runs_that_ended_once_decided_are_refused(runs):
    """Their losses end where today's rules were sure; another rule might not have been."""
    with pytest.raises(UnsuitableRunsError, match=rf"{len(runs):,} runs have stop = decided"):
        moved_shares(runs.assign(stop="decided"))
