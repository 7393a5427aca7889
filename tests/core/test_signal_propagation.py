"""Signals of each layer: against plain NumPy, against exact norms far outside float64."""

import mpmath
import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.hidden_widths import EQUAL
from core.initializers import INITIALIZERS
from core.losses import LOSSES
from core.measuring.gradient_ratios import (
    log10_gradient_per_error,
    log10_gradient_ratio,
    log10_hidden_gradient_ratio,
)
from core.measuring.signal_propagation import chi_measured, signal_propagation
from core.network import forward, layer_widths
from core.theory.mean_field import mean_field

from .hessians import HIDDEN
from .networks import gradients_of, initial_stack


def make_problem(activation, loss="cross_entropy", dataset="digits", examples=16, **hidden):
    task = make_task(load_dataset(dataset, examples), examples, "standardized", "standardized")
    return Problem(task.inputs, task.targets, activation, loss, baseline_loss(task, loss), **hidden)


def make_params(
    depth, scales, width=24, bias=0.1, initializer="gaussian", features=64, outputs=10, own=EQUAL
):
    widths = layer_widths(features, width, outputs, depth, own)
    return initial_stack(initializer, widths, range(len(scales)), scales, bias)


def plain(params, problem):
    """The same measurements of one network, written out layer by layer."""
    phi = ACTIVATIONS[problem.activation]
    a, hs, activations = problem.inputs[:-1], [], []
    for p in params:
        activations.append(a)
        hs.append(p[:, :-1] @ a + p[:, -1:])
        a = phi.value(hs[-1].copy())
    residual = hs[-1][None].copy()
    LOSSES[problem.loss](residual, problem.targets)
    delta, examples = residual[0], a.shape[1]
    backward = ("delta_norm", "gradient_norm", "bias_gradient_norm", "example_gradient_norm")
    found = {f"log10_{name}": [] for name in backward}
    for layer in range(len(params) - 1, -1, -1):
        found["log10_delta_norm"].insert(0, np.log10(np.sqrt((delta**2).sum() / examples)))
        each = [np.outer(d, x) for d, x in zip(delta.T, activations[layer].T, strict=True)]
        norms = [np.linalg.norm(gradient) for gradient in each]
        found["log10_gradient_norm"].insert(0, np.log10(np.linalg.norm(np.mean(each, axis=0))))
        bias = np.linalg.norm(delta.mean(axis=1))
        found["log10_bias_gradient_norm"].insert(0, np.log10(bias))
        rms = np.sqrt(np.mean(np.square(norms)))
        found["log10_example_gradient_norm"].insert(0, np.log10(rms))
        if layer:
            slope = phi.derivative(hs[layer - 1].copy())
            delta = params[layer][:, :-1].T @ delta * slope
    found["log10_mean_square_h"] = [np.log10((h**2).mean()) for h in hs]
    found["mean_slope"] = [np.abs(phi.derivative(h.copy())).mean() for h in hs[:-1]] + [np.nan]
    return found


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_other_hidden_layers_are_measured_as_the_plain_definition_has_them(activation, hidden):
    """core.network's gradients and sizes, where nothing overflows."""
    params, problem = make_params(6, [0.8, 1.7]), make_problem(activation, "mse", **hidden)
    signals = signal_propagation(params, problem)
    for network in range(2):
        own = [p[network] for p in params]
        gradients = gradients_of(own, problem)
        hs, given = forward(own, problem.inputs[:-1], problem.hidden)
        expected = {
            "log10_gradient_norm": [np.log10(np.linalg.norm(g[:, :-1])) for g in gradients],
            "log10_bias_gradient_norm": [np.log10(np.linalg.norm(g[:, -1])) for g in gradients],
            "log10_mean_square_h": [np.log10((h**2).mean()) for h in hs],
            "log10_mean_square_a": [*(np.log10((a**2).mean()) for a in given[1:]), np.nan],
        }
        for name, values in expected.items():
            measured = getattr(signals, name)[network]
            np.testing.assert_allclose(measured, values, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_layer_is_measured_as_plain_numpy_would(activation, loss):
    """Where nothing overflows, mantissas and exponents change rounding only."""
    params = make_params(6, [0.8, 1.7], own="24-7-13-13-20")
    problem = make_problem(activation, loss)
    signals = signal_propagation(params, problem)
    for network in range(2):
        for name, expected in plain([p[network] for p in params], problem).items():
            measured = getattr(signals, name)[network]
            np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "gelu"])
def test_a_network_is_measured_alike_in_any_company(activation, initializer):
    """Neighbors that explode or vanish change no bit."""
    scales = [0.01, 1.0, 300.0, 2.0]
    params = make_params(9, scales, initializer=initializer)
    together = signal_propagation(params, make_problem(activation))
    for network in range(len(scales)):
        alone = signal_propagation([p[[network]] for p in params], make_problem(activation))
        for name, column in vars(together).items():
            np.testing.assert_array_equal(column[network], getattr(alone, name)[0], err_msg=name)


@pytest.mark.parametrize(("k", "depth"), [(3.0, 1000), (0.2, 1000), (1.5, 20), (0.5, 20)])
def test_linear_multiples_of_the_identity_are_exact_to_depth_1000(k, depth):
    """|h_l| = k^l |x| and, target 0, every |dW_l| = k^(2L - 1) |x x^T| / m: 3^1000 = 10^477."""
    inputs = np.concatenate([np.random.default_rng(0).standard_normal((6, 5)), np.ones((1, 5))])
    problem = Problem(inputs, np.zeros((6, 5)), "linear", "mse", 1.0)
    params = make_params(depth, [k], 6, 0.0, "scaled_identity", features=6, outputs=6)
    signals, layers = signal_propagation(params, problem), np.arange(1, depth + 1)
    x = inputs[:-1]
    squares = np.log10((x**2).mean()) + 2 * layers * np.log10(k)
    np.testing.assert_allclose(signals.log10_mean_square_h[0], squares, rtol=1e-12, atol=1e-11)
    gradient = (2 * depth - 1) * np.log10(k) + np.log10(np.linalg.norm(x @ x.T) / 5)
    np.testing.assert_allclose(signals.log10_gradient_norm[0], gradient, rtol=1e-12, atol=1e-11)
    assert log10_gradient_ratio(signals) == pytest.approx(0, abs=1e-10)
    chi, error = chi_measured(signals)
    assert (chi, error) == (pytest.approx(k**2), pytest.approx(0, abs=1e-12 * k**2))


def exact_log10_gradient_norms(params, problem, derivative, value):
    """log10 |dW_l| of one network by mpmath, whose exponents have no end."""
    a, hs, activations = mpmath.matrix(problem.inputs[:-1].tolist()), [], []
    for p in params:
        activations.append(a)
        hs.append(mpmath.matrix(p[:, :-1].tolist()) * a)
        a = hs[-1].apply(value)
    delta = hs[-1] - mpmath.matrix(problem.targets.tolist())
    norms = []
    for layer in range(len(params) - 1, -1, -1):
        gradient = delta * activations[layer].T
        norms.insert(0, float(mpmath.log10(mpmath.mnorm(gradient, "f") / a.cols)))
        if layer:
            delta = mpmath.matrix(params[layer][:, :-1].tolist()).T * delta
            slopes = hs[layer - 1].apply(derivative)
            for place in np.ndindex(delta.rows, delta.cols):
                delta[place] *= slopes[place]
    return norms


@pytest.mark.parametrize(
    ("activation", "scale", "value", "derivative"),
    [
        ("sigmoid", 1.0, lambda h: 1 / (1 + mpmath.exp(-h)), lambda h: mpmath.sech(h / 2) ** 2 / 4),
        ("linear", 3.0, lambda h: h, lambda h: mpmath.mpf(1)),
        ("tanh", 0.3, mpmath.tanh, lambda h: mpmath.sech(h) ** 2),
    ],
)
def test_gradients_a_thousand_layers_deep_agree_with_mpmath(activation, scale, value, derivative):
    """sigma_w = 1 sigmoid, 3 linear, 0.3 tanh: norms far outside float64, to 9 digits."""
    rng = np.random.default_rng(1)
    inputs = np.concatenate([rng.standard_normal((3, 2)), np.ones((1, 2))])
    problem = Problem(inputs, rng.standard_normal((2, 2)), activation, "mse", 1.0)
    params = make_params(1000, [scale], 3, 0.0, features=3, outputs=2)
    measured = signal_propagation(params, problem).log10_gradient_norm[0]
    with mpmath.workdps(30):
        exact = exact_log10_gradient_norms([p[0] for p in params], problem, derivative, value)
    np.testing.assert_allclose(measured, exact, rtol=1e-9)
    assert abs(measured).max() > 308  # No float64 would have held it.


@pytest.mark.parametrize(("depth", "scale"), [(1000, 0.25), (1000, 5.0), (3, 0.0)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_number_is_finite_or_a_norm_of_zero(activation, depth, scale):
    """No NaN and no overflow where a plain pass would have met both."""
    params = make_params(depth, [scale], width=8, bias=0.0)
    signals = signal_propagation(params, make_problem(activation, examples=4))
    for name in ("log10_mean_square_h", "log10_delta_norm", "log10_gradient_norm"):
        numbers = getattr(signals, name)
        assert not np.isnan(numbers).any(), name
        assert not (numbers == np.inf).any(), name


def test_a_dead_network_has_no_chi():
    """ReLUs below zero for every example pass nothing back."""
    params = make_params(6, [1.0], bias=0.0)
    params[2][:, :, :-1] = 0
    params[2][:, :, -1] = -1.0
    signals = signal_propagation(params, make_problem("relu"))
    assert signals.dead_fraction[0, 2] == 1
    assert np.isnan(chi_measured(signals)).all()
    assert log10_gradient_per_error(signals) == -np.inf


def test_without_a_hidden_layer_there_is_no_chi():
    """And the first layer's gradient is the last one's."""
    signals = signal_propagation(make_params(1, [1.0]), make_problem("tanh"))
    assert np.isnan(chi_measured(signals)).all()
    assert log10_gradient_ratio(signals) == log10_hidden_gradient_ratio(signals) == 0


def test_a_saturated_tanh_is_told_from_a_fresh_one():
    """Units with a slope below a tenth of phi'(0) are counted where phi saturates only."""
    problem = make_problem("tanh")
    fresh, saturated = signal_propagation(make_params(4, [0.5, 200.0]), problem).saturated_fraction
    assert fresh[1] < 0.01
    assert saturated[1] > 0.95
    assert np.isnan(
        signal_propagation(make_params(4, [1.0]), make_problem("relu")).saturated_fraction
    ).all()


def test_correlated_inputs_converge_in_the_ordered_phase():
    """c -> 1 for tanh at sigma_w^2 = 1, sigma_b^2 = 0.05; not at 4: Poole et al. (2016)."""
    params = make_params(20, [1.0, 2.0], width=200, bias=0.05**0.5)
    correlation = signal_propagation(params, make_problem("tanh")).correlation
    assert correlation[0, -1] > 0.98
    assert correlation[1, -1] < 0.6


@pytest.mark.parametrize("scale", [1.0, 1.6, 2.2])
def test_chi_of_a_wide_tanh_network_is_that_of_the_theory(scale):
    """N = 300, L = 20: within 3% and 4 standard errors, in both phases."""
    params = make_params(20, [scale], width=300, bias=0.05**0.5)
    chi, error = chi_measured(signal_propagation(params, make_problem("tanh")))
    theory = mean_field("tanh", scale**2, 0.05).chi
    assert chi == pytest.approx(theory, rel=0.03)
    assert abs(chi - theory) < 4 * error
