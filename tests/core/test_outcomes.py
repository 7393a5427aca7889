"""The rules that call a run, on losses made to meet or just miss each of them."""

import numpy as np
import pytest

from core.outcomes import fractal_converged, init_phase, is_decided, judge, stall_cause, tail_length

BASELINE = 2.0


def outcome(losses):
    return judge(np.asarray(losses, float), BASELINE).outcome


def falling(last, steps=100):
    return np.geomspace(3.0, last, steps + 1)


def test_each_outcome_has_a_run_that_it_describes():
    """One plain example each."""
    wobble = 1.5 + 0.5 * (-1.0) ** np.arange(101)
    assert outcome([3.0, 1e3, np.inf]) == "overflow"
    assert outcome([3.0, 3.1e6]) == "diverged"
    assert outcome(np.linspace(3, 3.5, 101)) == "diverged"
    assert outcome(falling(0.01)) == "trained"
    assert outcome(wobble) == "oscillating"
    assert outcome(np.full(101, 2.5)) == "stalled"
    assert outcome(falling(1.0)) == "slow"


def test_a_bounded_loss_that_ended_worse_than_it_began_diverged():
    """It need not reach a million times the start: 1.1 times in the tail's mean is enough."""
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 3.31)]) == "diverged"
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 3.29)]) != "diverged"


def test_trained_means_a_tenth_of_the_baseline():
    """The mean of the last 20 losses is held against 0.1 x the best constant predictor's."""
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 0.1999)]) == "trained"
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 0.2001)]) != "trained"


def test_rounding_noise_is_no_oscillation():
    """Rises below 1e-3 of the loss are not counted, one in ten above it is not enough."""
    noise = 2.5 + 1e-4 * (-1.0) ** np.arange(101)
    assert outcome(noise) == "stalled"
    rare = falling(1.0)
    rare[[60, 70, 80]] *= 1.05
    assert outcome(rare) == "slow"


def test_an_overflow_names_its_step_and_the_divergence_before_it():
    """diverged_step is the first from which the loss stayed above the bound."""
    verdict = judge(np.array([3.0, 5.0, 2.0, 4.0, 9.0, np.nan]), BASELINE)
    assert (verdict.outcome, verdict.overflow_step, verdict.diverged_step) == ("overflow", 5, 3)
    assert verdict.tail_loss is None


def test_a_start_that_is_not_finite_is_an_overflow_at_step_0():
    """An infinite initial loss decides the run before any step."""
    for start in (np.inf, np.nan):
        verdict = judge(np.array([start]), BASELINE)
        assert (verdict.outcome, verdict.overflow_step) == ("overflow", 0)


def test_no_number_is_too_large_to_be_judged():
    """Losses near the largest float overflow no sum."""
    assert outcome(np.full(101, 1.7e308)) == "stalled"


def test_a_run_without_steps_stalled():
    """An untrained baseline has a verdict too."""
    assert outcome([3.0]) == "stalled"


def test_decided_is_overflow_or_a_million_times_the_start():
    """A decided network may leave its stack: no later loss could change its outcome."""
    losses = np.array([np.nan, np.inf, 3.1e6, 2.9e6, 0.0])
    decided = is_decided(losses, np.full(5, 3.0))
    assert decided.tolist() == [True, True, True, False, False]
    assert is_decided(np.array([np.inf]), np.array([np.inf])).all()


@pytest.mark.parametrize(
    ("steps", "length"), [(0, 1), (4, 1), (10, 2), (99, 19), (100, 20), (500, 20)]
)
def test_the_tail_is_20_losses_or_the_last_fifth(steps, length):
    """Short runs have a short tail, never an empty one."""
    assert tail_length(steps) == length


def test_fractal_convergence_compares_the_tail_with_the_start():
    """Sohl-Dickstein (2024): the mean of the last 20 losses over the first is below 1."""
    assert fractal_converged(falling(2.9))
    assert not fractal_converged(np.linspace(3, 3.01, 101))
    assert not fractal_converged(np.array([3.0, np.inf]))


@pytest.mark.parametrize(
    ("chi", "depth", "phase"),
    [
        (0.055, 4, "vanishing"),
        (1.0, 1000, "critical"),
        (1.5, 32, "exploding"),
        (0.0, 3, "vanishing"),
    ],
)
def test_the_phase_at_initialization_is_l_ln_chi(chi, depth, phase):
    """Beyond +-6 gradients change by more than e^3 in norm from end to end."""
    assert init_phase(chi, depth) == phase
    assert init_phase(None, depth) is None


def test_a_stall_has_the_first_cause_that_fits():
    """Dead before vanishing before saturated; a healthy network had a low learning rate."""
    assert stall_cause(-np.inf, 0.0, 0.0) == "dead"
    assert stall_cause(-7.0, 0.5, 0.5) == "vanishing"
    assert stall_cause(-2.0, 1.0, 5e-4) == "saturated"
    assert stall_cause(-2.0, 1.0, 0.5) == "low_learning_rate"
