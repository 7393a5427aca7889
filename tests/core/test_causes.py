"""Why a run stalled or diverged: each cause and its neighbors, on signals made to just meet it."""

import numpy as np
import pytest

from core.causes import EndSignals, divergence_cause, stall_cause
from core.outcomes import summarize

BASELINE = 2.0


def stall(loss=2.5, initial=3.0, depth=3, **signals):
    """The cause of a stall of a healthy network, but for the signals that are given."""
    healthy = {
        "log10_signal_ratio": -2.0,
        "log10_signal_per_error": -2.0,
        "gradient_alignment": 0.3,
        "active_fraction": 1.0,
        "mean_slope": 0.5,
    }
    run = summarize(np.r_[initial, np.full(100, loss)], BASELINE)
    return stall_cause(EndSignals(**(healthy | signals)), run, depth)


def test_a_stall_has_the_first_cause_that_fits():
    """Dead before vanishing before saturated; a healthy network had a low learning rate."""
    assert stall(log10_signal_ratio=-np.inf, active_fraction=0.0, mean_slope=0.0) == "dead"
    assert stall(log10_signal_ratio=-6.1) == "vanishing"
    assert stall(log10_signal_ratio=-5.9) == "low_learning_rate"
    assert stall(mean_slope=9e-4) == "saturated"
    assert stall() == "low_learning_rate"


def test_what_was_not_measured_is_no_cause():
    """Nothing is concluded from a number that does not exist."""
    run = summarize(np.r_[3.0, np.full(100, 2.5)], BASELINE)
    assert stall_cause(EndSignals(), run, 3) == "low_learning_rate"


def test_gradients_that_cancel_at_the_best_constant_are_a_plateau():
    """Within 1% of its loss; at a low rate a run passes by, and a lost signal comes first."""
    assert stall(loss=BASELINE, gradient_alignment=1e-9) == "plateau"
    assert stall(loss=1.0099 * BASELINE, gradient_alignment=0.029) == "plateau"
    assert stall(loss=1.0101 * BASELINE, gradient_alignment=0.029) == "converged"
    assert stall(loss=BASELINE, gradient_alignment=0.031) == "low_learning_rate"
    assert stall(log10_signal_ratio=-7.0, loss=BASELINE, gradient_alignment=1e-9) == "vanishing"


def test_gradients_that_cancel_have_converged_and_do_not_vanish():
    """Below a thirtieth of one example's, with signals of ordinary size; not at the constant."""
    assert stall(gradient_alignment=0.029) == "converged"
    assert stall(gradient_alignment=0.031) == "low_learning_rate"
    assert stall(gradient_alignment=1e-9, log10_gradient_ratio=-9.0) == "converged"
    assert stall(gradient_alignment=1e-9, log10_signal_per_error=-7.0) == "vanishing"
    assert stall(gradient_alignment=1e-9, loss=BASELINE) == "plateau"


def test_a_single_layer_neither_vanishes_nor_has_a_plateau():
    """Its signal has no way to be lost on, and its loss is convex."""
    assert stall(depth=1, log10_signal_per_error=-9.0, gradient_alignment=1e-9) == "converged"
    assert stall(depth=1, loss=BASELINE, gradient_alignment=1e-9) == "converged"
    assert stall(depth=1, loss=BASELINE) == "low_learning_rate"


def test_gradients_that_vanish_alike_in_every_layer_vanish():
    """Linear layers of 0.5 I: each gradient is 0.5^(L-1) of a healthy one, their ratio 1."""
    assert stall(log10_signal_ratio=0.0, log10_signal_per_error=-9.0) == "vanishing"


def cause(initial=3.0, rate=0.1, per_error=0.0, critical=None, before=(), depth=3, baseline=2.0):
    run = summarize(np.array([initial, *before, 10 * initial, np.inf]), baseline)
    return divergence_cause(run, rate, per_error, critical, depth)


def test_a_divergence_is_the_init_scales_where_the_start_explodes():
    """By the loss or by the first layer's gradient, whatever the learning rate."""
    assert cause(initial=2001.0, rate=1e-9, critical=1.0) == "init_scale"
    assert cause(initial=np.inf) == cause(initial=np.inf, baseline=0.0) == "init_scale"
    assert cause(per_error=3.1) == "init_scale"
    assert cause(per_error=None) == "init_scale"
    assert cause(baseline=0.0) == "learning_rate"


def test_a_divergence_from_a_moderate_start_is_the_learning_rates():
    """Above 2 / lambda_max by the start's curvature; below it the curvature has risen since."""
    assert cause(initial=1999.0) == "learning_rate"
    assert cause(rate=0.1, critical=0.09) == "learning_rate"
    assert cause(rate=0.1, critical=0.11) == "sharpening"


@pytest.mark.parametrize(("ratio", "longest"), [(1.01, 348), (1.5, 9), (5.0, 3)])
def test_a_run_that_fell_for_too_long_was_not_ended_by_its_starts_curvature(ratio, longest):
    """(2r - 1)^2 a step: beyond a millionfold no start would have let the loss fall."""

    def fell(steps):
        losses = np.linspace(2.9, 1.0, steps)
        return cause(rate=ratio * 0.1, critical=0.1, before=losses)

    assert 2 * longest * np.log(2 * ratio - 1) <= np.log(1e6)
    assert fell(longest) == "learning_rate"
    assert fell(longest + 1) == "sharpening"


def test_without_a_curvature_the_rate_is_taken_for_a_tenth_above_the_critical_one():
    """1.2^2 a step: 37 steps of falling could be, 38 could not; a single layer is not judged."""
    assert cause(before=np.linspace(2.9, 1.0, 37)) == "learning_rate"
    assert cause(before=np.linspace(2.9, 1.0, 38)) == "sharpening"
    assert cause(before=np.linspace(3.1, 4.0, 99)) == "learning_rate"
    assert cause(before=np.linspace(2.9, 1.0, 99), depth=1) == "learning_rate"
