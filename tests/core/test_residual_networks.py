"""Residual networks at their start: expectations that are exact at every width.

Marion et al. (2022), arXiv:2206.06929, have two matrices in a branch, f V relu(W h). Here a branch
has one, f phi(W a): of linear ones with sigma_w^2 = 1/2 the second moment is theirs.
"""

import numpy as np
import pytest

from core.gradient_descent import Problem
from core.hidden_layers import branch_factor, residual_text
from core.measuring.signal_propagation import signal_propagation
from core.network import backward, forward, slopes

from .networks import initial_stack

SEEDS, EXAMPLES = 50, 3
HALF = 0.5**0.5  # the init scale of sigma_w^2 = 1/2


def started(rng, branches, width, factor, activation="linear"):
    """What each hidden layer hands on, and dLoss/da of the first and of the last one."""
    widths = (width,) * (branches + 3)
    params = initial_stack("gaussian", widths, range(SEEDS), [HALF] * SEEDS, 0.0)
    inputs = np.vstack([rng.standard_normal((width, EXAMPLES)), np.ones(EXAMPLES)])
    problem = Problem(inputs, np.zeros((width, EXAMPLES)), activation, "mse", 1.0, factor)
    hs, given = forward(params, inputs[:-1], problem.hidden)
    error = np.broadcast_to(rng.standard_normal((width, EXAMPLES)), hs[-1].shape)
    deltas = backward(params, error, slopes(hs, problem.hidden))
    return given[1:], (deltas[0], deltas[-2] / factor)


def assert_expected(ratios, expected):
    """The mean over seeds, (seeds,), lies within three standard errors."""
    error = ratios.std(ddof=1) / len(ratios) ** 0.5
    assert abs(ratios.mean() - expected) < 3 * error
    assert error < 0.2 * expected


def moved(end, start):
    """|end - start|^2 over |start|^2 of each network, the mean over examples."""
    squares = np.square(end - start).sum(axis=1) / np.square(start).sum(axis=1)
    return squares.mean(axis=1)


@pytest.mark.parametrize("width", [5, 24])
@pytest.mark.parametrize(
    ("branches", "power", "expected"),
    [(1000, 0.5, 0.6485), (1000, 1.0, 5.00e-4), (4, 0.0, 1.5**4 - 1)],
)
def test_linear_branches_add_up_to_marions_closed_form(branches, power, expected, width, rng):
    """E|a_L - a_1|^2 / |a_1|^2 = (1 + L^(-2b) / 2)^L - 1 at every width, and gradients alike."""
    exact = (1 + branches ** (-2 * power) / 2) ** branches - 1
    assert exact == pytest.approx(expected, rel=1e-3)
    hidden, (first, last) = started(rng, branches, width, branches**-power)
    assert_expected(moved(hidden[-1], hidden[0]), exact)
    assert_expected(moved(first, last), exact)


@pytest.mark.parametrize("width", [12, 24])
def test_a_relu_branch_has_half_the_second_moment_of_a_linear_one(width, rng):
    """E|a_l - a_(l-1)|^2 / |a_(l-1)|^2 = f^2 sigma_w^2 / 2 in each layer, at every width."""
    factor = 0.8
    hidden, _ = started(rng, 12, width, factor, "relu")
    ratios = [moved(*pair) for pair in zip(hidden[1:], hidden[:-1], strict=True)]
    assert_expected(np.mean(ratios, axis=0), factor**2 * HALF**2 / 2)


def test_a_signal_far_outside_floats_is_followed(rng):
    """1 + f^2 sigma_w^2 a layer, to 10^600; scaled identity makes it exact: (1 + f k)^L."""
    depth, width, factor, k = 400, 6, 0.7, 45.0
    params = initial_stack("scaled_identity", (width,) * (depth + 1), [0], [k], 0.0)
    inputs = np.vstack([rng.standard_normal((width, 4)), np.ones(4)])
    problem = Problem(inputs, np.zeros((width, 4)), "linear", "mse", 1.0, factor)
    signals, layers = signal_propagation(params, problem), np.arange(1, depth)
    size = np.log10(np.square(inputs[:-1]).mean()) + 2 * np.log10(k)
    expected = size + 2 * (layers - 1) * np.log10(1 + factor * k)
    assert expected[-1] > 600
    np.testing.assert_allclose(signals.log10_mean_square_a[0, :-1], expected, rtol=1e-12)
    growth = -np.diff(signals.log10_delta_norm[0])[1:-1]
    np.testing.assert_allclose(growth, np.log10(1 + factor * k), rtol=1e-10)


def test_a_unit_beside_a_residual_connection_is_never_dead(rng):
    """It passes the gradient on, though its branch does not."""
    params = initial_stack("gaussian", (4, 4, 4, 4), [0], [1.0], 0.0)
    params[1][:, :, -1] = -1e6
    inputs = np.vstack([rng.standard_normal((4, 8)), np.ones(8)])
    for factor, dead in ((None, 1.0), (1.0, 0.0)):
        problem = Problem(inputs, np.ones((4, 8)), "relu", "mse", 1.0, factor)
        signals = signal_propagation(params, problem)
        assert signals.dead_fraction[0, 1] == dead
        assert np.isneginf(signals.log10_delta_norm[0, 0]) == (factor is None)


@pytest.mark.parametrize(
    ("written", "text"),
    [(1, "1"), (1.0, "1"), ("0.50", "0.5"), (1 / 3, "0.333333333333"), ("none", "none")],
)
def test_a_factor_has_one_text(written, text):
    """So that equal factors have equal ids."""
    assert residual_text(written) == text


@pytest.mark.parametrize("written", [0, -1, "inverse", None, 1e6, float("nan"), [1], 10**400])
def test_what_is_no_factor_is_refused(written):
    """With what must hold, or that there is no such name."""
    with pytest.raises(ValueError, match=r"no such value|must be a name, or a number from"):
        residual_text(written)


def test_factors_by_name_follow_from_the_depth():
    """1 / sqrt(L) and 1 / L, L being the setting `depth`."""
    assert branch_factor("none", 16) is None
    assert branch_factor("0.5", 16) == 0.5
    assert branch_factor("inverse_sqrt_depth", 16) == 0.25
    assert branch_factor("inverse_depth", 16) == 1 / 16
