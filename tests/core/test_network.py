"""The passes: gradients against central differences, exact products for linear networks."""

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.initializers import INITIALIZERS, initial_params
from core.losses import LOSSES
from core.network import Passes, layer_widths

from .gradients import central_differences, relative_error

WIDTHS = layer_widths(features=5, width=7, outputs=3, depth=4)


def make_params(initializer="gaussian", networks=2, widths=WIDTHS):
    seeds = np.arange(networks, dtype=np.uint64)
    return initial_params(
        initializer, widths, seeds, np.full(networks, 1.3), np.full(networks, 0.4)
    )


def make_data(rng, widths=WIDTHS, examples=6):
    inputs = np.concatenate([rng.standard_normal((widths[0], examples)), np.ones((1, examples))])
    return inputs, np.eye(widths[-1])[rng.integers(widths[-1], size=examples)].T


def loss_of(params, inputs, targets, activation, loss):
    outputs = Passes(params, inputs, ACTIVATIONS[activation]).forward()
    return LOSSES[loss](outputs, targets)


def gradients_of(params, inputs, targets, activation, loss):
    passes = Passes(params, inputs, ACTIVATIONS[activation])
    residuals = passes.forward()
    LOSSES[loss](residuals, targets)
    return passes.backward(residuals / inputs.shape[1])


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_backward_pass_is_the_derivative_of_the_forward_pass(
    activation, loss, initializer, rng
):
    """Every activation, loss and initializer agrees with central differences in float64."""
    params = make_params(initializer)
    problem = (*make_data(rng), activation, loss)
    expected = central_differences(lambda p: loss_of(p, *problem), params)
    assert relative_error(gradients_of(params, *problem), expected) < 1e-6


@pytest.mark.parametrize("layer", range(4))
def test_the_check_catches_an_error_of_a_twentieth_of_a_percent(layer, rng):
    """The comparison above would fail on a gradient that is wrong by 0.05% in one layer."""
    params = make_params()
    problem = (*make_data(rng), "tanh", "cross_entropy")
    expected = central_differences(lambda p: loss_of(p, *problem), params)
    wrong = [g.copy() for g in gradients_of(params, *problem)]
    wrong[layer] *= 1.0005
    assert relative_error(wrong, expected) > 4e-4


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_scaled_identity_multiplies_the_signal_by_k_in_every_linear_layer(scale, rng):
    """|h_L| / |x| = k^L to rounding for L up to 50 (1.5^20 = 3325.2567, 0.5^20 = 9.5367e-7)."""
    for depth in (1, 2, 20, 50):
        widths = (8,) * (depth + 1)
        params = initial_params(
            "scaled_identity", widths, np.zeros(1, np.uint64), np.array([scale]), np.zeros(1)
        )
        inputs, _ = make_data(rng, widths)
        outputs = Passes(params, inputs, ACTIVATIONS["linear"]).forward()
        ratio = np.linalg.norm(outputs[0], axis=0) / np.linalg.norm(inputs[:-1], axis=0)
        np.testing.assert_allclose(ratio, scale**depth, rtol=1e-13)


def test_linear_scaled_identity_has_the_same_gradient_norm_in_every_layer(rng):
    """|dW_l| does not depend on l: what the forward pass grows the backward pass has not."""
    widths = (8,) * 11
    params = initial_params(
        "scaled_identity", widths, np.zeros(1, np.uint64), np.array([1.5]), np.zeros(1)
    )
    problem = (*make_data(rng, widths), "linear", "mse")
    norms = [np.linalg.norm(g[0, :, :-1]) for g in gradients_of(params, *problem)]
    np.testing.assert_allclose(norms, norms[0], rtol=1e-12)


def test_the_last_layer_is_linear(rng):
    """A network of depth 1 is a linear map with a bias, whatever its activation."""
    params = make_params(widths=(5, 3))
    inputs, _ = make_data(rng, (5, 3))
    outputs = Passes(params, inputs, ACTIVATIONS["sigmoid"]).forward()
    np.testing.assert_allclose(outputs, params[0] @ inputs, rtol=1e-14)
