"""What losses come to, on losses made to show each number."""

import numpy as np
import pytest

from core.measuring.loss_summaries import summarize, tail_length

BASELINE = 2.0


def falling(last, steps=100):
    return np.geomspace(3.0, last, steps + 1)


def test_an_overflow_names_its_step_and_the_divergence_before_it():
    """diverged_step is the first from which the loss stayed above the bound."""
    run = summarize(np.array([3.0, 5.0, 2.0, 4.0, 9.0, np.nan]), BASELINE)
    assert (run["overflow_step"], run["diverged_step"], run["peak_loss"]) == (5, 3, 9.0)
    assert np.isnan([run["tail_loss"], run["late_change"], run["late_rise"]]).all()


def test_a_start_that_is_not_finite_overflowed_at_step_0():
    """No finite loss is the largest, the smallest or the first of them."""
    for start in (np.inf, np.nan):
        run = summarize(np.array([start]), BASELINE)
        assert run["overflow_step"] == 0
        assert np.isnan([run["peak_loss"], run["lowest_loss"], run["lowest_step"]]).all()


def test_parameters_that_overflowed_behind_a_finite_loss_end_it():
    """The losses before stay what they were; where the run ended is no number."""
    run = summarize(falling(1.0), BASELINE, overflowed=True)
    assert run["overflow_step"] == 100
    assert np.isnan([run["final_loss"], run["tail_loss"]]).all()
    assert run["peak_loss"] == 3.0
    assert np.isnan(summarize(falling(1.0), BASELINE)["overflow_step"])


def test_no_step_is_no_change():
    """Nor is one step without a step before it a rise."""
    run = summarize(np.array([3.0]), BASELINE)
    assert np.isnan([run["late_change"], run["late_rise"]]).all()
    assert run["steps_run"] == 0


def test_the_lowest_loss_has_its_first_step():
    """Of the finite ones; it says how long a run fell before it diverged."""
    run = summarize(np.array([3.0, 2.0, 1.0, 1.0, 4.0, np.inf]), BASELINE)
    assert (run["lowest_loss"], run["lowest_step"], run["steps_run"]) == (1.0, 2, 5)


@pytest.mark.parametrize(
    ("steps", "length"), [(0, 1), (4, 1), (10, 2), (99, 19), (100, 20), (500, 20)]
)
def test_the_tail_is_20_losses_or_the_last_fifth(steps, length):
    """Short runs have a short tail, never an empty one."""
    assert tail_length(steps) == length


def test_fractal_convergence_compares_the_tail_with_the_start():
    """Sohl-Dickstein (2024): the mean of the last 20 losses over the first is below 1."""
    for losses, converged in (
        (falling(2.9), True),
        (np.linspace(3, 3.01, 101), False),
        (np.array([3.0, np.inf]), False),
    ):
        assert summarize(losses, BASELINE)["fractal_converged"] == converged


@pytest.mark.parametrize(("column", "share"), [("late_rise", 0.1), ("rare_rise", 0.01)])
def test_the_late_rise_is_what_more_than_a_share_of_the_steps_exceed(column, share):
    """It replaces counting: more than the share rise by over r just where it exceeds r."""
    losses = np.exp(0.01 * np.random.default_rng(5).standard_normal(401)).cumprod()
    found = summarize(losses, BASELINE)[column]
    late = np.diff(losses[200:]) / losses[200:-1]
    assert (late > found).mean() <= share
    assert (late >= found).mean() > share
