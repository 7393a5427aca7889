"""Normalized networks at their start: the growth of gradients that was derived or measured."""

import numpy as np
import pytest

from core.datasets import Task
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.hidden_layers import NORMALIZATIONS, normalized
from core.measuring.held_out import held_out_errors
from core.measuring.signal_propagation import chi_measured, interior_growths, signal_propagation
from core.theory.wide_signals import wide_signals

from .networks import initial_stack, loss_of

SEEDS = 3


def started(rng, width, depth, examples, activation, scale, **hidden):
    """The signals of a few networks at their start, under an error that they do not decide."""
    params = initial_stack("gaussian", (width,) * (depth + 1), range(SEEDS), [scale] * SEEDS, 0.0)
    inputs = np.vstack([rng.standard_normal((width, examples)), np.ones(examples)])
    targets = 1e6 * rng.standard_normal((width, examples))
    problem = Problem(inputs, targets, activation, "mse", 1.0, **hidden)
    return signal_propagation(params, problem)


@pytest.mark.parametrize("scale", [0.3, 3.0])
@pytest.mark.parametrize(
    ("activation", "examples", "growth"),
    [("linear", 8, 6 / 5), ("linear", 16, 14 / 13), ("relu", 256, np.pi / (np.pi - 1))],
)
def test_batch_normalization_explodes_gradients(activation, examples, growth, scale, rng):
    """(B - 2) / (B - 3) a layer if linear, pi / (pi - 1) for ReLU: arXiv:1902.08129, within 2%."""
    signals = started(rng, 400, 24, examples, activation, scale, normalization="batch")
    assert chi_measured(signals)[0].mean() == pytest.approx(growth, rel=0.02)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    ("activation", "exponent"), [("linear", -1), ("tanh", -1.178), ("relu", 0), ("gelu", 0)]
)
def test_layer_normalization_in_branches_ends_exponential_growth(activation, exponent, scale, rng):
    """|dLoss/da_l|^2 follows a power of the layer at every init scale; no residual, no such law.

    Of an odd phi the mean square grows by E phi^2 a layer, so the power is
    -E phi'(z)^2 / E phi(z)^2; of one with a mean it grows faster, and gradients stay.
    """
    hidden = {"factor": 1.0, "normalization": "layer"}
    signals = started(rng, 64, 200, 4, activation, scale, **hidden)
    squared = (2 * signals.log10_delta_norm + signals.log10_mean_square_h).mean(axis=0)
    layers = np.arange(20, 181)
    fitted = np.polyfit(np.log10(layers), squared[layers - 1], 1)[0]
    assert fitted == pytest.approx(exponent, abs=0.3)
    growth_a_layer = np.log(10) * (squared[150] - squared[190]) / 40
    assert abs(growth_a_layer) < 0.02
    if activation == "tanh":
        plain = chi_measured(started(rng, 64, 40, 4, activation, scale))[0].mean()
        assert abs(np.log(plain)) > (0.02 if scale == 1 else 0.5)


@pytest.mark.parametrize("weight_variance", [0.1, 2.0])
@pytest.mark.parametrize("factor", [None, 1.0])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layer_normalization_has_the_theorys_growth(activation, factor, weight_variance, rng):
    """chi within 3%, and the size of h before it is normalized, at width 300."""
    scale, depth, hidden = weight_variance**0.5, 20, {"factor": factor, "normalization": "layer"}
    inputs_square = 1.0
    theory = wide_signals(
        activation, weight_variance, 0.0, weight_variance * inputs_square, depth, factor, "layer"
    )
    assert (theory is None) == (factor is not None and not ACTIVATIONS[activation].odd)
    if theory is None:
        return
    signals = started(rng, 300, depth, 8, activation, scale, **hidden)
    chi = interior_growths(theory.growth, factor).mean()
    assert chi_measured(signals, factor)[0].mean() == pytest.approx(chi, rel=0.03)
    measured = signals.log10_mean_square_h.mean(axis=0)[:-1]
    np.testing.assert_allclose(np.log10(theory.variance[:-1]), measured, rtol=0, atol=0.1)


def test_there_is_no_theory_of_batch_normalization():
    """Nothing is said rather than something wrong."""
    assert wide_signals("linear", 1.0, 0.0, 1.0, 10, None, "batch") is None


@pytest.mark.parametrize("axis", [-1, -2])
def test_what_is_normalized_has_mean_0_and_variance_1(axis, rng):
    """But for EPSILON, which decides where the variance is below it."""
    h = 3 + 2 * rng.standard_normal((40, 50))
    u = normalized(h, axis).values
    np.testing.assert_allclose(u.mean(axis=axis), 0, atol=1e-14)
    np.testing.assert_allclose(u.var(axis=axis), 1, rtol=1e-4)
    small = normalized(1e-6 * h, axis).values
    np.testing.assert_allclose(small.std(axis=axis), 1e-6 * h.std(axis=axis) / 1e-5**0.5, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_signals_far_outside_floats_are_normalized(normalization, scale, rng):
    """A scale above changes u not at all and gradients by its inverse; one below shrinks u."""
    depth, width, examples = 9, 16, 6
    inputs = np.vstack([rng.standard_normal((width, examples)), np.ones(examples)])
    problem = Problem(
        inputs, np.eye(width)[:, :examples], "linear", "mse", 1.0, normalization=normalization
    )

    def signals(factor):
        params = initial_stack("gaussian", (width,) * (depth + 1), [0], [1.0], 0.0)
        params[4] = params[4] * factor
        return signal_propagation(params, problem)

    found, usual = signals(scale), signals(1e6 if scale > 1 else 1e-6)
    shift = 2 * np.log10(scale / (1e6 if scale > 1 else 1e-6))
    h = found.log10_mean_square_h - usual.log10_mean_square_h
    assert h[0, 4] == pytest.approx(shift, rel=1e-9)
    assert np.isfinite(found.log10_gradient_norm).all()
    if scale > 1:
        np.testing.assert_allclose(h[0, 5:], 0, atol=1e-8)
        delta = found.log10_delta_norm - usual.log10_delta_norm
        np.testing.assert_allclose(delta[0, 4], -shift / 2, rtol=1e-6)
    else:
        np.testing.assert_allclose(h[0, 5], shift, rtol=1e-6)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_held_out_examples_are_normalized_by_the_training_examples(normalization, rng):
    """Those themselves have the loss of the training, and each other one its own, alone or not."""
    params = [p[0] for p in initial_stack("gaussian", (4, 6, 6, 3), [0], [1.0], 0.1)]
    inputs, targets = np.vstack([rng.standard_normal((4, 9)), np.ones(9)]), np.ones((3, 9))
    problem = Problem(inputs, targets, "tanh", "mse", 1.0, normalization=normalization)
    same = held_out_errors(params, problem, Task(inputs, targets, None))["test_loss"]
    assert same == pytest.approx(float(loss_of(params, problem)[0]), rel=1e-12)
    others = 2 * inputs[:, :3]
    alone = [
        held_out_errors(params, problem, Task(others[:, [n]], targets[:, [n]], None))["test_loss"]
        for n in range(3)
    ]
    together = held_out_errors(params, problem, Task(others, targets[:, :3], None))["test_loss"]
    assert together == pytest.approx(np.mean(alone), rel=1e-12)
