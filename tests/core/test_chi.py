"""chi of real networks against infinite-width theory, at the size where 2% is promised.

N = 300, L = 30, 5 seeds; the shipped sweep `chi` holds the whole table. Settings whose
variance is still on its way to q* after a quarter of the layers are no test of chi at q*.
"""

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.measuring.signal_propagation import chi_measured, interior_growths, signal_propagation
from core.theory.layer_maps import mean_square
from core.theory.mean_field import critical_weight_variance, mean_field
from core.theory.wide_signals import wide_signals

from .networks import initial_stack

DEPTH, WIDTH, SEEDS, EXAMPLES = 30, 300, 5, 16
BIAS_VARIANCE = 0.64
SIDES = {"ordered": 0.5, "chaotic": 2.0}


def settings():
    """Both sides of each critical line, as far as there is a finite q* on them."""
    for activation in ACTIVATIONS:
        critical = critical_weight_variance(activation, BIAS_VARIANCE) or 1.0
        for side, factor in SIDES.items():
            theory = mean_field(activation, factor * critical, BIAS_VARIANCE)
            if theory.q_star is not None and theory.xi_variance < DEPTH / 8:
                yield pytest.param(activation, factor * critical, id=f"{activation}-{side}")


def started(activation, weight_variance, factor=None, hidden=(WIDTH,) * (DEPTH - 1)):
    """The signals of five networks at their start, with digits as inputs, and the task."""
    task = make_task(load_dataset("digits", EXAMPLES), EXAMPLES, "standardized", "standardized")
    loss = baseline_loss(task, "cross_entropy")
    problem = Problem(task.inputs, task.targets, activation, "cross_entropy", loss, factor)
    widths = task.feature_count, *hidden, task.outputs
    scales = [weight_variance**0.5] * SEEDS
    params = initial_stack("gaussian", widths, range(SEEDS), scales, BIAS_VARIANCE**0.5)
    return signal_propagation(params, problem), task


@pytest.mark.parametrize(("activation", "weight_variance"), list(settings()))
def test_chi_measured_is_chi_of_the_theory_within_2_percent(activation, weight_variance):
    """The mean over five seeds, digits as inputs, on both sides of criticality."""
    signals, _ = started(activation, weight_variance)
    measured = chi_measured(signals)[0].mean()
    theory = mean_field(activation, weight_variance, BIAS_VARIANCE).chi
    assert measured == pytest.approx(theory, rel=0.02)


def test_chi_of_layers_that_differ_is_that_of_equal_ones():
    """A layer's weights have the variance sigma_w^2 / fan_in, so that its width drops out."""
    hidden = [(450, 300, 200)[layer % 3] for layer in range(DEPTH - 1)]
    signals, _ = started("relu", 0.8, hidden=hidden)
    theory = mean_field("relu", 0.8, BIAS_VARIANCE).chi
    assert chi_measured(signals)[0].mean() == pytest.approx(theory, rel=0.02)


@pytest.mark.parametrize("factor", [1.0, 0.5, DEPTH**-0.5])
@pytest.mark.parametrize("weight_variance", [0.5, 1.5])
@pytest.mark.parametrize("activation", [name for name, phi in ACTIVATIONS.items() if phi.odd])
def test_chi_beside_residual_connections_is_the_theorys_within_2_percent(
    activation, weight_variance, factor
):
    """And so is each hidden layer's size, within a tenth of a decade; it has no fixed point."""
    signals, task = started(activation, weight_variance, factor)
    first_q = weight_variance * task.input_mean_square + BIAS_VARIANCE
    settings = activation, weight_variance, BIAS_VARIANCE
    theory = wide_signals(*settings, first_q, DEPTH, factor)
    chi = interior_growths(theory.growth, factor).mean()
    assert chi_measured(signals, factor)[0].mean() == pytest.approx(chi, rel=0.02)
    measured = signals.log10_mean_square_h.mean(axis=0)[:-1]
    np.testing.assert_allclose(np.log10(theory.variance[:-1]), measured, rtol=0, atol=0.1)


@pytest.mark.parametrize("activation", [name for name, phi in ACTIVATIONS.items() if not phi.odd])
def test_there_is_no_theory_of_branches_with_a_mean(activation):
    """Deep gradients build up on it: nothing is said rather than something wrong."""
    assert wide_signals(activation, 1.0, 0.0, 1.0, DEPTH, 1.0) is None
    assert wide_signals(activation, 1.0, 0.0, 1.0, DEPTH) is not None


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_branches_of_next_to_no_factor_hand_on_the_first_layer(depth):
    """Each variance but the first is sigma_w^2 p_1 + sigma_b^2; gradients stay as they are."""
    found = wide_signals("tanh", 1.5, 0.2, 0.8, depth, 1e-9)
    p = float(mean_square("tanh", 0.8))
    np.testing.assert_allclose(found.variance, [0.8, *[1.5 * p + 0.2] * (depth - 1)], rtol=1e-12)
    np.testing.assert_allclose(found.growth[1:-1], 1, rtol=1e-12)
    assert len(found.mean_square) == len(found.growth) == depth - 1


def test_every_activation_with_a_critical_fixed_point_is_tested_on_both_sides():
    """Sigmoid, tanh and erf settle on both; the others grow without bound in the chaotic one."""
    ids = {setting.id for setting in settings()}
    assert {f"{name}-{side}" for name in ("sigmoid", "tanh", "erf") for side in SIDES} <= ids
    assert {f"{name}-ordered" for name in ACTIVATIONS} <= ids
