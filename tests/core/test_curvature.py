"""Curvature: both ends of the spectrum against dense Hessians and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from core.datasets import load_dataset, make_task
from core.gradient_descent import Problem
from core.losses import LOSSES
from core.measuring import curvature
from core.measuring.curvature import (
    LARGEST_DENSE,
    TOLERANCE,
    extreme_curvature,
    extreme_eigenvalues,
    largest_curvature,
)
from core.measuring.hessian import Hessian
from core.network import layer_widths

from .hessians import HIDDEN, dense_hessian, make_network, make_problem
from .networks import gradients_of


def assert_ends_are(found, smallest, largest):
    """Within the tolerances promised: relative to the end of larger magnitude."""
    bound = 3 * TOLERANCE * max(abs(smallest), abs(largest))
    assert found[0] == pytest.approx(smallest, rel=0, abs=bound)
    assert found[1] == pytest.approx(largest, rel=0, abs=bound)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("activation", "widths", "init_scale"),
    [
        ("tanh", (5, 7, 7, 3), 1.3),
        ("relu", (5, 7, 7, 3), 1.3),
        ("linear", (5, 7, 3), 0.3),
        ("sigmoid", (5, *[6] * 7, 3), 0.5),
        ("tanh", (5, *[6] * 7, 3), 0.05),
        ("tanh", (5, *[6] * 7, 3), 4.0),
        ("tanh", (2, 4, 3), 1.0),
        ("softplus", (1, 1, 2), 1.0),
    ],
)
def test_the_ends_are_those_of_the_dense_hessian(activation, widths, init_scale, loss, rng):
    """Shallow and deep, vanishing and exploding, searched by Lanczos or formed."""
    params = make_network(widths, init_scale)
    problem = make_problem(rng, activation, loss, widths)
    values = np.linalg.eigvalsh(dense_hessian(params, problem))
    assert_ends_are(extreme_curvature(params, problem), values[0], values[-1])


@pytest.mark.parametrize("biases", [True, False])
def test_the_ends_under_a_preconditioner_are_those_of_the_dense_quotient(biases, rng):
    """Of P^-1 H, over twelve decades of P; without biases their part of P has no place."""
    params, problem = make_network(), make_problem(rng, biases=biases)
    preconditioner = [10 ** rng.uniform(-6, 6, p.shape) for p in params]
    flat = np.concatenate([(p if biases else p[:, :-1]).ravel() for p in preconditioner])
    values = np.linalg.eigvals(dense_hessian(params, problem) / flat[:, None]).real
    found = largest_curvature(params, problem, preconditioner)
    assert found == pytest.approx(values.max(), rel=1e-5)


def test_the_largest_curvature_is_the_upper_end(rng):
    """To the last bit, also where the lower end is larger in magnitude."""
    plain, lower_dominates = make_problem(rng), set()
    for seed in range(3):
        problem = replace(plain, targets=30 * plain.targets)
        smallest, largest = extreme_curvature(make_network(seed=seed), problem)
        lower_dominates.add(-smallest > largest)
        assert largest_curvature(make_network(seed=seed), problem) == largest
    assert lower_dominates == {True, False}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_ends_of_other_networks_are_those_of_their_own_hessian(hidden, rng):
    """Formed column by column from central differences of the gradient."""
    widths = (5, 6, 6, 6, 3)
    params, problem = make_network(widths), make_problem(rng, "tanh", "mse", widths, **hidden)
    flat, step = np.concatenate([p.ravel() for p in params]), 1e-5

    def gradient(flat):
        parts = np.split(flat, np.cumsum([p.size for p in params])[:-1])
        shaped = [part.reshape(p.shape) for part, p in zip(parts, params, strict=True)]
        return np.concatenate([g.ravel() for g in gradients_of(shaped, problem)])

    moves = step * np.eye(len(flat))
    matrix = np.stack([(gradient(flat + m) - gradient(flat - m)) / (2 * step) for m in moves])
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    assert_ends_are(extreme_curvature(params, problem), values[0], values[-1])


def test_a_vanishing_network_has_negative_curvature(rng):
    """Depth 8 sigmoid: indefinite, the negative end far smaller than the positive one."""
    widths = (5, *[6] * 7, 3)
    params, problem = make_network(widths, 0.5), make_problem(rng, "sigmoid", "mse", widths)
    smallest, largest = extreme_curvature(params, problem)
    assert -0.2 * largest < smallest < -1e-3 * largest


def test_linear_regression_has_the_curvature_of_its_inputs():
    """Depth 1, MSE: X X^T / m, once an output; digits' constant pixels make it singular."""
    task = make_task(load_dataset("digits", 128), 128, "standardized", "standardized")
    problem = Problem(task.inputs, task.targets, "tanh", "mse", 1.0)
    values = np.linalg.eigvalsh(task.inputs @ task.inputs.T / 128)
    found = extreme_curvature(make_network(layer_widths(64, 32, 10, 1)), problem)
    assert_ends_are(found, 0.0, values[-1])


def test_a_zero_network_bends_both_ways_alike(rng):
    """All-zero tanh, depth 2: +- the largest singular value of Y X^T / m, each `width` times."""
    widths = (5, 9, 3)
    problem = make_problem(rng, "tanh", "mse", widths)
    problem = replace(problem, targets=10 * problem.targets)
    largest = np.linalg.norm(problem.targets @ problem.inputs.T / 6, ord=2)
    found = extreme_curvature([np.zeros_like(p) for p in make_network(widths)], problem)
    assert largest > 1  # Beyond the curvature of the output biases.
    assert_ends_are(found, -largest, largest)


def test_a_dead_network_has_the_curvature_of_its_output_biases(rng):
    """All-zero ReLU: only the output biases move the outputs, each with curvature 1."""
    params = [np.zeros_like(p) for p in make_network()]
    assert_ends_are(extreme_curvature(params, make_problem(rng, "relu", "mse")), 0.0, 1.0)


def test_a_flat_loss_has_a_curvature_of_0(rng):
    """Softmax of logits 1e4 apart is flat to the last digit: both ends are 0."""
    params, problem = make_network((5, 3)), make_problem(rng, "tanh", "cross_entropy", (5, 3))
    found = extreme_curvature([1e6 * p for p in params], problem)
    assert found == (0.0, 0.0)


@pytest.mark.parametrize("init_scale", [1e200, 1e300, np.inf, np.nan])
def test_an_exploded_network_has_no_curvature(init_scale, rng):
    """Neither end is a number, and nobody is warned: that is a result."""
    params = [init_scale * p for p in make_network()]
    found = extreme_curvature(params, make_problem(rng, "relu", "mse"))
    assert np.isnan(found).all()


@pytest.mark.parametrize("exponent", [-900, -664, 664, 1020])
@pytest.mark.parametrize("widths", [(5, 3), (40, 3)])
def test_powers_of_two_scale_the_curvature_exactly(widths, exponent, rng, monkeypatch):
    """The Hessian of linear regression times 2^k: every digit stays, from 1e-270 to 1e308."""
    problem, params = make_problem(rng, "linear", "mse", widths), make_network(widths)
    plain = extreme_curvature(params, problem)

    class ScaledHessian(Hessian):
        def matvec(self, direction):
            return np.ldexp(super().matvec(direction), exponent)

    monkeypatch.setattr("core.measuring.curvature.Hessian", ScaledHessian)
    found = extreme_curvature(params, problem)
    assert found == tuple(np.ldexp(plain, exponent))


def test_the_curvature_has_the_same_bits_in_any_company(rng):
    """Neither the place in a stack nor what was measured before changes a digit."""
    problem = make_problem(rng)
    networks = [make_network(init_scale=s) for s in (0.0, 0.3, 1.0, 5.0)]
    stack = [np.stack(layers) for layers in zip(*networks, strict=True)]
    alone = [extreme_curvature(network, problem) for network in networks]
    stacked = [extreme_curvature([p[place] for p in stack], problem) for place in (3, 2, 1, 0)]
    assert stacked[::-1] == alone


@pytest.mark.parametrize(
    "values",
    [
        np.repeat([-1.0, 0.0, 1.0], 40),
        np.r_[-1.0, np.linspace(-0.9, 0.9, 100), 1.0],
        np.r_[np.full(99, -1e-18), 1.0],
        np.r_[np.full(99, 1e-18), -1.0],
        np.r_[0.3, np.full(99, 0.3 + 1e-17), 0.3],
        np.linspace(1.0, 2.0, LARGEST_DENSE),
        np.linspace(1.0, 2.0, LARGEST_DENSE + 1),
    ],
    ids=["multiple", "tie", "rank_one", "negative", "all_equal", "dense", "search"],
)
def test_degenerate_spectra_keep_their_ends(values, rng):
    """Multiple or tied ends, Krylov spaces that end early, one eigenvalue alone."""
    basis, _ = np.linalg.qr(rng.standard_normal((len(values), len(values))))
    matrix = basis * values @ basis.T
    found = extreme_eigenvalues(lambda v: matrix @ v, len(values))
    np.testing.assert_allclose(found, [values.min(), values.max()], rtol=0, atol=6e-5)


def test_an_end_that_is_not_found_is_nan(monkeypatch):
    """Where the search gives up, no number is made up; the end already found is kept."""
    monkeypatch.setattr(curvature, "MOST_RESTARTS", 1)
    values = np.r_[np.linspace(0, 0.01, 2000), 1.0]
    smallest, largest = extreme_eigenvalues(lambda v: values * v, len(values))
    assert np.isnan(smallest)
    assert largest == pytest.approx(1.0, rel=1e-5)


def test_a_product_that_overflows_ends_the_search():
    """An operator that fails on the way leaves no ends, formed or searched."""
    for size in (LARGEST_DENSE, 100):
        found = extreme_eigenvalues(lambda v: np.where(v > 0.2, np.inf, v), size)
        assert np.isnan(found).all()
