"""The plain network: gradients against central differences, exact linear networks."""

import numpy as np
import pytest

from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.hidden_layers import HiddenLayers
from core.initializers import INITIALIZERS, initial_params
from core.losses import LOSSES
from core.network import forward, layer_widths

from .gradients import central_differences, relative_error
from .hessians import HIDDEN
from .networks import gradients_of, loss_of

WIDTHS = layer_widths(feature_count=5, width=7, outputs=3, depth=4)


def make_params(initializer="gaussian", widths=WIDTHS, scale=1.3, bias=0.4):
    return initial_params(initializer, widths, 0, scale, bias)


def make_problem(rng, activation, loss, widths=WIDTHS, examples=6, **hidden):
    inputs = np.concatenate([rng.standard_normal((widths[0], examples)), np.ones((1, examples))])
    targets = np.eye(widths[-1])[rng.integers(widths[-1], size=examples)].T
    return Problem(inputs, targets, activation, loss, 1.0, **hidden)


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_backward_pass_is_the_derivative_of_the_forward_pass(
    activation, loss, initializer, rng
):
    """Every activation, loss and initializer agrees with central differences in float64."""
    params, problem = make_params(initializer), make_problem(rng, activation, loss)
    expected = central_differences(lambda p: loss_of(p, problem), params)
    assert relative_error(gradients_of(params, problem), expected) < 1e-6


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_so_it_is_with_other_hidden_layers(activation, loss, hidden, rng):
    """With residual connections, normalized, and both."""
    params, problem = make_params(), make_problem(rng, activation, loss, **hidden)
    expected = central_differences(lambda p: loss_of(p, problem), params)
    assert relative_error(gradients_of(params, problem), expected) < 1e-6


@pytest.mark.parametrize("layer", range(4))
def test_the_check_catches_an_error_of_a_twentieth_of_a_percent(layer, rng):
    """The comparison above would fail on a gradient that is wrong by 0.05% in one layer."""
    params, problem = make_params(), make_problem(rng, "tanh", "cross_entropy")
    expected = central_differences(lambda p: loss_of(p, problem), params)
    wrong = gradients_of(params, problem)
    wrong[layer] = wrong[layer] * 1.0005
    assert relative_error(wrong, expected) > 4e-4


def test_a_stack_of_networks_is_computed_as_each_alone(rng):
    """Leading axes are networks: every operation works on the last two."""
    problem = make_problem(rng, "tanh", "mse")
    networks = [make_params(scale=scale) for scale in (0.5, 1.0, 2.0)]
    stack = [np.stack(layer) for layer in zip(*networks, strict=True)]
    together = forward(stack, problem.inputs[:-1], HiddenLayers(ACTIVATIONS["tanh"]))[0]
    for place, network in enumerate(networks):
        alone = forward(network, problem.inputs[:-1], HiddenLayers(ACTIVATIONS["tanh"]))[0]
        for h, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(h[place], other, rtol=1e-13)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_scaled_identity_multiplies_the_signal_by_k_in_every_linear_layer(scale, rng):
    """|h_L| / |x| = k^L to rounding for L up to 50 (1.5^20 = 3325.2567, 0.5^20 = 9.5367e-7)."""
    for depth in (1, 2, 20, 50):
        widths = (8,) * (depth + 1)
        params = make_params("scaled_identity", widths, scale, bias=0.0)
        inputs = rng.standard_normal((8, 6))
        outputs = forward(params, inputs, HiddenLayers(ACTIVATIONS["linear"]))[0][-1]
        ratio = np.linalg.norm(outputs, axis=0) / np.linalg.norm(inputs, axis=0)
        np.testing.assert_allclose(ratio, scale**depth, rtol=1e-13)


def test_linear_scaled_identity_has_the_same_gradient_norm_in_every_layer(rng):
    """|dW_l| does not depend on l: what the forward pass grows the backward pass has not."""
    widths = (8,) * 11
    params = make_params("scaled_identity", widths, 1.5, bias=0.0)
    problem = make_problem(rng, "linear", "mse", widths)
    norms = [np.linalg.norm(g[:, :-1]) for g in gradients_of(params, problem)]
    np.testing.assert_allclose(norms, norms[0], rtol=1e-12)


def test_the_last_layer_is_linear(rng):
    """A network of depth 1 is a linear map with a bias, whatever its activation."""
    (p,) = params = make_params(widths=(5, 3))
    problem = make_problem(rng, "sigmoid", "mse", (5, 3))
    outputs = forward(params, problem.inputs[:-1], HiddenLayers(ACTIVATIONS["sigmoid"]))[0][-1]
    np.testing.assert_allclose(outputs, p @ problem.inputs, rtol=1e-14)
