"""Hessian products: against central differences of gradients, and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.losses import LOSSES
from core.measuring.complex_steps import ComplexSteps
from core.measuring.hessian import Hessian

from .gradients import relative_error
from .hessians import HIDDEN, dense_hessian, make_network, make_problem
from .networks import gradients_of

DIFFERENCE_BOUND = 1e-6


def by_layer(flat, params):
    parts = np.split(flat, np.cumsum([p.size for p in params])[:-1])
    return [part.reshape(p.shape) for part, p in zip(parts, params, strict=True)]


def differences_of_gradients(params, problem, direction, step=1e-5):
    """The central difference of the gradient along a direction: one array per layer."""
    moves = by_layer(step * direction, params)
    above = gradients_of([p + m for p, m in zip(params, moves, strict=True)], problem)
    below = gradients_of([p - m for p, m in zip(params, moves, strict=True)], problem)
    return [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]


def products(params, problem, direction):
    return by_layer(Hessian(params, problem).matvec(direction), params)


def weights_only(matrix, params):
    """The block of a dense Hessian that belongs to the weights: biases do not move."""
    kept = np.concatenate([np.arange(p.size) % p.shape[1] < p.shape[1] - 1 for p in params])
    return matrix[np.ix_(kept, kept)]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_products_are_the_derivative_of_the_gradient(activation, loss, rng):
    """Every activation and loss agrees with central differences of the gradients."""
    params, problem = make_network(), make_problem(rng, activation, loss)
    direction = rng.standard_normal(sum(p.size for p in params))
    expected = differences_of_gradients(params, problem, direction)
    assert relative_error(products(params, problem, direction), expected) < DIFFERENCE_BOUND


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_products_are_complex_steps_through_the_plain_network(activation, loss, rng):
    """Im gradient(params + i step V) / step, to rounding: phi(h + i d) = phi(h) + i phi'(h) d."""
    params, problem = make_network(), make_problem(rng, activation, loss)
    direction = rng.standard_normal(sum(p.size for p in params))
    expected = by_layer(ComplexSteps(params, problem).matvec(direction), params)
    assert relative_error(products(params, problem, direction), expected) < 1e-13


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_complex_steps_are_the_derivative_of_the_gradient(activation, loss, hidden, rng):
    """Also where the network is not plain."""
    widths = (5, 7, 7, 7, 3)
    params, problem = make_network(widths), make_problem(rng, activation, loss, widths, **hidden)
    direction = rng.standard_normal(sum(p.size for p in params))
    expected = differences_of_gradients(params, problem, direction)
    found = by_layer(ComplexSteps(params, problem).matvec(direction), params)
    assert relative_error(found, expected) < DIFFERENCE_BOUND


@pytest.mark.parametrize("layer", range(3))
def test_the_check_catches_an_error_of_a_twentieth_of_a_percent(layer, rng):
    """The comparison above would fail on a product that is wrong by 0.05% in one layer."""
    params, problem = make_network(), make_problem(rng, "tanh", "cross_entropy")
    direction = rng.standard_normal(sum(p.size for p in params))
    wrong = products(params, problem, direction)
    wrong[layer] *= 1.0005
    expected = differences_of_gradients(params, problem, direction)
    assert relative_error(wrong, expected) > 100 * DIFFERENCE_BOUND


def test_the_check_catches_a_second_derivative_wrong_by_a_twentieth_of_a_percent(rng, monkeypatch):
    """phi'' enters one of several terms; the comparison still sees it."""
    params, problem = make_network(), make_problem(rng)
    direction = rng.standard_normal(sum(p.size for p in params))
    expected = differences_of_gradients(params, problem, direction)
    right = ACTIVATIONS["tanh"].second_derivative
    monkeypatch.setitem(vars(ACTIVATIONS["tanh"]), "second_derivative", lambda h: 1.0005 * right(h))
    assert relative_error(products(params, problem, direction), expected) > 10 * DIFFERENCE_BOUND


@pytest.mark.parametrize("loss", LOSSES)
def test_the_hessian_is_symmetric(loss, rng):
    """H e_i . e_j = H e_j . e_i to rounding, as Lanczos' method needs."""
    matrix = dense_hessian(make_network(), make_problem(rng, "gelu", loss))
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-14 * np.abs(matrix).max())


@pytest.mark.parametrize("depth", [2, 3, 10])
@pytest.mark.parametrize("y", [0.5, 1.0, 3.0])
def test_depth_alone_sharpens_the_balanced_minimum(depth, y):
    """1/2 (prod w - y)^2 where every w = y^(1/L): lambda_max = L y^(2 - 2/L)."""
    params = [np.array([[y ** (1 / depth), 0.0]]) for _ in range(depth)]
    problem = Problem(np.array([[1.0], [0.0]]), np.array([[y]]), "linear", "mse", 1.0)
    values = np.linalg.eigvalsh(weights_only(dense_hessian(params, problem), params))
    assert values[-1] == pytest.approx(depth * y ** (2 - 2 / depth), rel=1e-12)


def test_two_linear_layers_have_the_curvature_of_the_catapult(rng):
    """One sample, f = y: lambda = (|u|^2 + |v|^2) / n: Lewkowycz et al. (2020), arXiv:2003.02218.

    Their f = v.u / sqrt(n) is ours with both layers over n^(1/4), lambda times sqrt(n).
    """
    n = 20
    u, v = rng.standard_normal((2, n))
    params = [np.zeros((n, 2)), np.zeros((1, n + 1))]
    params[0][:, 0], params[1][0, :-1] = u / n**0.25, v / n**0.25
    target = np.array([[v @ u / np.sqrt(n)]])
    problem = Problem(np.array([[1.0], [0.0]]), target, "linear", "mse", 1.0)
    values = np.linalg.eigvalsh(weights_only(dense_hessian(params, problem), params))
    assert values[-1] == pytest.approx((u @ u + v @ v) / n * np.sqrt(n), rel=1e-12)


def test_without_biases_the_hessian_is_that_of_the_weights(rng):
    """The rows and columns of the weights in the Hessian of all parameters."""
    problem, params = make_problem(rng, loss="cross_entropy"), make_network()
    whole, part = (dense_hessian(params, replace(problem, biases=b)) for b in (True, False))
    of_weights = np.concatenate([np.arange(p.size) % p.shape[1] < p.shape[1] - 1 for p in params])
    np.testing.assert_allclose(part, whole[np.ix_(of_weights, of_weights)], atol=1e-12)
