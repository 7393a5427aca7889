"""The rules that call a run, on losses made to meet or just miss each of them."""

import numpy as np
import pytest

from core.outcomes import (
    EndSignals,
    divergence_cause,
    fractal_converged,
    init_phase,
    is_decided,
    stall_cause,
    summarize,
    tail_length,
)
from core.outcomes import outcome as outcome_of
from core.trials import DEFAULTS

BASELINE = 2.0


def outcome(losses, trained_level=DEFAULTS["trained_level"]):
    return outcome_of(summarize(np.asarray(losses, float), BASELINE), trained_level)


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


def test_the_level_of_trained_is_the_trials_own():
    """The same losses, held against half of the best constant predictor's."""
    ended = np.r_[np.full(81, 3.0), np.full(20, 0.9999)]
    assert outcome(ended, trained_level=0.5) == "trained"
    assert outcome(ended, trained_level=0.4999) != "trained"


def test_rounding_noise_is_no_oscillation():
    """Rises below 1e-3 of the loss are not counted, one in ten above it is not enough."""
    noise = 2.5 + 1e-4 * (-1.0) ** np.arange(101)
    assert outcome(noise) == "stalled"
    rare = falling(1.0)
    rare[[60, 70, 80]] *= 1.05
    assert outcome(rare) == "slow"


def test_an_overflow_names_its_step_and_the_divergence_before_it():
    """diverged_step is the first from which the loss stayed above the bound."""
    run = summarize(np.array([3.0, 5.0, 2.0, 4.0, 9.0, np.nan]), BASELINE)
    assert (outcome_of(run, 0.1), run.overflow_step, run.diverged_step) == ("overflow", 5, 3)
    assert (run.peak, run.tail) == (9.0, None)


def test_a_start_that_is_not_finite_is_an_overflow_at_step_0():
    """An infinite initial loss decides the run before any step."""
    for start in (np.inf, np.nan):
        run = summarize(np.array([start]), BASELINE)
        assert (outcome_of(run, 0.1), run.overflow_step, run.peak) == ("overflow", 0, None)


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


def stall(hidden_ratio=-2.0, per_error=-2.0, active=1.0, slope=0.5, loss=2.5, initial=3.0):
    run = summarize(np.r_[initial, np.full(100, loss)], BASELINE)
    return stall_cause(EndSignals(hidden_ratio, per_error, active, slope), run)


def test_a_stall_has_the_first_cause_that_fits():
    """Dead before vanishing before saturated; a healthy network had a low learning rate."""
    assert stall(hidden_ratio=-np.inf, active=0.0, slope=0.0) == "dead"
    assert stall(hidden_ratio=-7.0) == "vanishing"
    assert stall(slope=5e-4) == "saturated"
    assert stall() == "low_learning_rate"
    assert stall(None, None, None, None) == "low_learning_rate"


def test_a_stall_at_the_best_constant_is_a_plateau():
    """Come within 1% of its loss; one that began there has a low rate, if gradients arrive."""
    assert stall(loss=BASELINE) == stall(loss=1.0099 * BASELINE) == "plateau"
    assert stall(loss=1.0101 * BASELINE) == "low_learning_rate"
    near = 1.005 * BASELINE
    assert stall(loss=near, initial=1.009 * BASELINE) == "low_learning_rate"
    assert stall(loss=near, initial=1.011 * BASELINE) == "plateau"
    assert stall(hidden_ratio=-7.0, loss=BASELINE) == "vanishing"


def test_gradients_that_vanish_alike_in_every_layer_vanish():
    """Linear layers of 0.5 I: each gradient is 0.5^(L-1) of a healthy one, their ratio 1."""
    assert stall(hidden_ratio=0.0, per_error=-9.0) == "vanishing"


def cause(initial=3.0, rate=0.1, per_error=0.0, critical=None):
    run = summarize(np.array([initial, 10 * initial, np.inf]), BASELINE)
    return divergence_cause(run, rate, per_error, critical)


def test_a_divergence_is_the_init_scales_where_the_start_explodes():
    """By the loss or by the first layer's gradient, whatever the learning rate."""
    assert cause(initial=2001.0, rate=1e-9, critical=1.0) == "init_scale"
    assert cause(initial=np.inf) == "init_scale"
    assert cause(per_error=3.1) == "init_scale"
    assert cause(per_error=None) == "init_scale"


def test_a_divergence_from_a_moderate_start_is_the_learning_rates():
    """Above 2 / lambda_max by the start's curvature; below it the curvature has risen since."""
    assert cause(initial=1999.0) == "learning_rate"
    assert cause(rate=0.1, critical=0.09) == "learning_rate"
    assert cause(rate=0.1, critical=0.11) == "sharpening"


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_the_late_rise_is_what_more_than_a_share_of_the_steps_exceed(share):
    """It replaces counting: more than the share rise by over r just where it exceeds r."""
    losses = np.exp(0.01 * np.random.default_rng(5).standard_normal(401)).cumprod()
    run = summarize(losses, BASELINE)
    late = np.diff(losses[200:]) / losses[200:-1]
    found = run.late_rise if share == 0.1 else run.rare_rise
    assert (late > found).mean() <= share
    assert (late >= found).mean() > share
