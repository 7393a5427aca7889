"""The rules that call a run, on losses made to meet or just miss each of them."""

import numpy as np
import pytest

from core.outcomes import fractal_converged, init_phase, summarize, tail_length
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


def test_a_run_without_steps_is_untrained():
    """Whatever its loss; a start that overflowed is told first. No step is no change."""
    assert outcome([3.0]) == outcome([1e-9]) == "untrained"
    assert outcome([np.inf]) == "overflow"
    assert summarize(np.array([3.0]), BASELINE).late_change is None


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_fewer_than_five_steps_have_a_last_step_to_judge(steps):
    """2.537 -> 0.588 in 4 steps is no stall; a loss that stays is one."""
    assert outcome(np.linspace(2.537, 0.588, steps + 1)) == "slow"
    assert outcome(np.full(steps + 1, 2.5)) == "stalled"


def test_a_constant_target_is_trained_once_its_loss_has_fallen_tenfold():
    """The best constant makes no error there, so the start is what the loss is held against."""

    def held(last):
        return outcome_of(summarize(falling(last), 0.0), 0.1)

    assert (held(1e-3), held(0.35)) == ("trained", "slow")


def test_the_lowest_loss_has_its_first_step():
    """Of the finite ones; it says how long a run fell before it diverged."""
    run = summarize(np.array([3.0, 2.0, 1.0, 1.0, 4.0, np.inf]), BASELINE)
    assert (run.lowest, run.lowest_step, run.steps) == (1.0, 2, 5)
    assert summarize(np.array([np.nan]), BASELINE).lowest_step is None


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


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_the_late_rise_is_what_more_than_a_share_of_the_steps_exceed(share):
    """It replaces counting: more than the share rise by over r just where it exceeds r."""
    losses = np.exp(0.01 * np.random.default_rng(5).standard_normal(401)).cumprod()
    run = summarize(losses, BASELINE)
    late = np.diff(losses[200:]) / losses[200:-1]
    found = run.late_rise if share == 0.1 else run.rare_rise
    assert (late > found).mean() <= share
    assert (late >= found).mean() > share
