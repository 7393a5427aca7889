"""chi of real networks against infinite-width theory, at the size where 2% is promised.

N = 300, L = 30, 5 seeds; the shipped sweep `chi` holds the whole table. Settings whose
variance is still on its way to q* after a quarter of the layers are no test of chi at q*.
"""

import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.measuring.signal_propagation import chi_measured, signal_propagation
from core.network import layer_widths
from core.theory.mean_field import critical_weight_variance, mean_field

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


@pytest.mark.parametrize(("activation", "weight_variance"), list(settings()))
def test_chi_measured_is_chi_of_the_theory_within_2_percent(activation, weight_variance):
    """The mean over five seeds, digits as inputs, on both sides of criticality."""
    task = make_task(load_dataset("digits", EXAMPLES), EXAMPLES, "standardized", "standardized")
    loss = baseline_loss(task, "cross_entropy")
    problem = Problem(task.inputs, task.targets, activation, "cross_entropy", loss)
    widths = layer_widths(task.feature_count, WIDTH, task.outputs, DEPTH)
    scales = [weight_variance**0.5] * SEEDS
    params = initial_stack("gaussian", widths, range(SEEDS), scales, BIAS_VARIANCE**0.5)
    signals = signal_propagation(params, problem)
    measured = chi_measured(signals)[0].mean()
    theory = mean_field(activation, weight_variance, BIAS_VARIANCE).chi
    assert measured == pytest.approx(theory, rel=0.02)


def test_every_activation_with_a_critical_fixed_point_is_tested_on_both_sides():
    """Sigmoid, tanh and erf settle on both; the others grow without bound in the chaotic one."""
    ids = {setting.id for setting in settings()}
    assert {f"{name}-{side}" for name in ("sigmoid", "tanh", "erf") for side in SIDES} <= ids
    assert {f"{name}-ordered" for name in ACTIVATIONS} <= ids
