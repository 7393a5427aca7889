"""Gradient descent: stacks change no bit, decided networks leave, closed forms hold."""

from dataclasses import replace

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.datasets import baseline_loss, load_dataset, make_task
from core.gradient_descent import Problem, descend, logged_steps
from core.initializers import initial_params
from core.losses import LOSSES

WIDTHS = (16, 12, 12, 1)


def make_problem(activation="tanh", loss="mse", dataset="gaussian", examples=24):
    task = make_task(load_dataset(dataset, examples), examples, "standardized")
    return Problem(task.inputs, task.targets, activation, loss, baseline_loss(task, loss))


def start(networks, init_scales, dtype="float64", widths=WIDTHS):
    seeds = np.arange(networks, dtype=np.uint64)
    params = initial_params("gaussian", widths, seeds, init_scales, np.full(networks, 0.1))
    return [p.astype(dtype) for p in params]


def start_wide(networks, dtype):
    return start(networks, np.ones(networks), dtype, widths=(16, 64, 128, 64, 1))


def plain_descent(params, learning_rate, steps, problem):
    """The losses of one network, weights and biases apart: no buffers, folding or stacks."""
    weights, biases = [p[0, :, :-1] for p in params], [p[0, :, -1:] for p in params]
    activation, examples, losses = ACTIVATIONS[problem.activation], problem.inputs.shape[1], []
    for _ in range(steps + 1):
        h, a = [], [problem.inputs[:-1]]
        for w, b in zip(weights, biases, strict=True):
            h.append(w @ a[-1] + b)
            a.append(activation.value(h[-1]))
        residuals = h[-1][None]
        losses.append(float(LOSSES[problem.loss](residuals, problem.targets)[0]))
        delta = residuals[0] / examples
        for layer in reversed(range(len(weights))):
            below = weights[layer].T @ delta
            weights[layer] = weights[layer] - learning_rate * delta @ a[layer].T
            biases[layer] = biases[layer] - learning_rate * delta.sum(axis=1, keepdims=True)
            if layer:
                delta = below * activation.derivative(h[layer - 1])
    return losses


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_descent_follows_the_plain_algorithm(activation, loss):
    """In-place buffers, folded biases and learning rates change rounding only."""
    problem, widths = make_problem(activation, loss, "wine"), (13, 12, 12, 3)
    found = descend(start(1, np.ones(1), widths=widths), np.array([0.05]), 30, problem)
    expected = plain_descent(start(1, np.ones(1), widths=widths), 0.05, 30, problem)
    np.testing.assert_allclose(found.losses[:, 0], expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_descent_with_products_cut_into_blocks_follows_the_plain_algorithm(dtype):
    """Wide layers and many examples, where matrices are multiplied block by block."""
    problem, params = make_problem("tanh", dataset="gaussian", examples=256), start_wide(1, "f8")
    found = descend([p.astype(dtype) for p in params], np.array([0.05]), 10, problem)
    expected = plain_descent(params, 0.05, 10, problem)
    np.testing.assert_allclose(
        found.losses[:, 0], expected, rtol=1e-10 if dtype == "float64" else 1e-5
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("networks", [2, 5])
def test_stacks_change_no_bit_of_products_cut_into_blocks(networks, dtype):
    """Wide networks, one of which diverges and leaves its place to another."""
    problem, rates = make_problem("tanh", examples=256), np.array([1e5, 0.1, 0.2, 1e-3, 0.05])
    together = descend(start_wide(networks, dtype), rates[:networks], 6, problem)
    assert 0 not in together.survivors
    for network in range(networks):
        params = [p[[network]] for p in start_wide(networks, dtype)]
        alone = descend(params, rates[[network]], 6, problem)
        np.testing.assert_array_equal(together.losses[:, network], alone.losses[:, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_a_network_trains_in_a_stack_as_it_would_alone(activation, dtype):
    """500 networks, some of them diverging, overflowing or vanishing: no bit differs."""
    problem, networks, steps = make_problem(activation), 500, 25
    init_scales = np.geomspace(0.01, 20, networks)
    rates = np.geomspace(1e-3, 300, networks)[np.random.default_rng(0).permutation(networks)]
    params = start(networks, init_scales, dtype)
    together = descend([p.copy() for p in params], rates, steps, problem)
    assert together.survivors.size < networks  # Some were decided on the way.
    for network in range(0, networks, 11):
        alone = descend([p[[network]] for p in params], rates[[network]], steps, problem)
        np.testing.assert_array_equal(together.losses[:, network], alone.losses[:, 0])
        np.testing.assert_array_equal(
            together.gradient_norms[:, network], alone.gradient_norms[:, 0]
        )
        assert together.steps_run[network] == alone.steps_run[0]


def test_survivors_end_with_their_own_parameters():
    """Networks that move when others leave the stack are still known by their number."""
    problem, rates = make_problem(), np.array([1e4, 0.1, 1e4, 0.01, 0.02])
    together = descend(start(5, np.full(5, 2.0)), rates, 20, problem)
    assert sorted(together.survivors) == [1, 3, 4]
    for position, network in enumerate(together.survivors):
        params = [p[[network]] for p in start(5, np.full(5, 2.0))]
        alone = descend(params, rates[[network]], 20, problem)
        for layer, other in zip(together.params, alone.params, strict=True):
            np.testing.assert_array_equal(layer[position], other[0])


@pytest.mark.parametrize(("factor", "falls"), [(1.99, True), (2.01, False)])
def test_linear_regression_trains_below_two_over_the_largest_eigenvalue(factor, falls):
    """Quadratic loss: stable exactly below 2 / lambda_max, lambda_max from numpy's eigvalsh."""
    problem = make_problem("linear")
    hessian = problem.inputs @ problem.inputs.T / problem.inputs.shape[1]
    rate = factor / np.linalg.eigvalsh(hessian)[-1]
    losses = descend(start(1, np.ones(1), widths=(16, 1)), np.array([rate]), 3000, problem).losses
    assert (losses[-1, 0] < losses[0, 0]) is np.bool_(falls)
    if falls:
        least = np.linalg.lstsq(problem.inputs.T, problem.targets[0], rcond=None)[0]
        residual = problem.inputs.T @ least - problem.targets[0]
        assert losses[-1, 0] == pytest.approx((residual @ residual) / 48, rel=1e-6)


def test_the_catapult_follows_its_recursion():
    """Two linear layers, one sample, target 0: Lewkowycz et al. (2020), arXiv:2003.02218.

    With f the output and lambda = (|u|^2 + |v|^2) / n, a step of size eta gives
    f' = (1 - eta lambda + eta^2 f^2 / n) f and lambda' = lambda + eta f^2 / n (eta lambda - 4).
    """
    n, steps = 20, 20
    rng = np.random.default_rng(3)
    v, u = rng.standard_normal((2, n))
    # Their f = v.u / sqrt(n) on x = 1 is our network with both layers over n^(1/4), whose
    # learning rate is theirs over sqrt(n); the row of ones is 0, so the first bias is still.
    for eta_lambda in (0.5, 3.0):
        f, lam = v @ u / np.sqrt(n), (v @ v + u @ u) / n
        eta = eta_lambda / lam
        params = [np.zeros((1, n, 2)), np.zeros((1, 1, n + 1))]
        params[0][0, :, 0], params[1][0, 0, :-1] = u / n**0.25, v / n**0.25
        problem = Problem(np.array([[1.0], [0.0]]), np.zeros((1, 1)), "linear", "mse", 1.0)
        expected = [f * f / 2]
        for _ in range(steps):
            f, lam = (
                (1 - eta * lam + eta**2 * f**2 / n) * f,
                lam + eta * f**2 / n * (eta * lam - 4),
            )
            expected.append(f * f / 2)
        found = _without_last_bias(params, eta / np.sqrt(n), steps, problem)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-20)


def _without_last_bias(params, rate, steps, problem):
    """The losses of descent by single steps, the output bias put back to 0 after each."""
    losses = []
    for _ in range(steps):
        step = descend(params, np.array([rate]), 1, problem)
        losses.append(step.losses[0, 0])
        params[1][:, :, -1] = 0
    return [*losses, descend(params, np.array([rate]), 0, problem).losses[0, 0]]


def test_no_steps_measure_the_start():
    """Steps 0 is an untrained baseline: its loss and gradient norm, its parameters kept."""
    before = start(3, np.ones(3))
    found = descend([p.copy() for p in before], np.full(3, 0.1), 0, make_problem())
    assert found.losses.shape == (1, 3)
    assert np.isfinite(found.gradient_norms).all()
    for layer, kept in zip(found.params, before, strict=True):
        np.testing.assert_array_equal(layer, kept)


def test_logged_gradient_norms_do_not_depend_on_the_learning_rate():
    """At step 0 they are the gradient's own norm, though delta carries the rate."""
    rates = np.array([1e-4, 0.3, 7.0])
    params = [np.repeat(p, 3, axis=0) for p in start(1, np.ones(1))]
    norms = descend(params, rates, 3, make_problem()).gradient_norms
    np.testing.assert_allclose(norms[0], norms[0, 0], rtol=1e-12)


@pytest.mark.parametrize("rate", [1e-12, 1e-3])
@pytest.mark.parametrize("init_scale", [1e-5, 1.0, 1e4])
def test_gradient_norms_do_not_underflow_where_their_squares_do(init_scale, rate):
    """float32 norms agree with float64 ones, though steps and gradients may be tiny or huge."""
    rates, problem = np.array([rate, 0.1]), make_problem("linear")
    narrow, wide = (
        descend(start(2, np.array([init_scale, 1.0]), dtype), rates, 0, problem).gradient_norms
        for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(narrow, wide, rtol=1e-4)


def test_logged_steps_are_log_spaced_with_both_ends():
    """At most 26 points, 0 and the last step always among them."""
    for steps in (0, 1, 5, 100, 10_000):
        logged = logged_steps(steps)
        assert logged[0] == 0
        assert logged[-1] == steps
        assert len(logged) <= 26
        assert (np.diff(logged) > 0).all()


def test_a_network_whose_start_overflows_is_decided_at_step_0():
    """An infinite first loss costs no step and harms no neighbor."""
    problem = replace(make_problem("relu"), loss="mse")
    found = descend(start(2, np.array([1e200, 1.0])), np.full(2, 1e-3), 10, problem)
    assert found.steps_run.tolist() == [0, 10]
    assert np.isfinite(found.losses[:, 1]).all()
