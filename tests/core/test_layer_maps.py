"""One infinitely wide layer: closed forms, and slopes against finite differences."""

import numpy as np
import pytest

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import (
    correlation_slope,
    gradient_growth,
    mean_square,
    next_correlation,
    next_variance,
    variance_by_layer,
    variance_slope,
)
from core.theory.quadrature import gaussian_mean

SMOOTH = [name for name, phi in ACTIVATIONS.items() if not phi.kinks]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_variance_map_rises_with_the_variance(name):
    """core.theory.mean_field counts on it: iterates then move one way."""
    assert all(variance_slope(q, name, 1.0) > 0 for q in np.logspace(-12, 8, 41))


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("q", [0.01, 1.3, 200.0])
def test_the_variance_slope_is_the_finite_difference_of_the_variance_map(name, q):
    """With the kinks' share of phi'', which a formula with phi'' would drop."""
    above, below = next_variance(np.array([q * 1.0001, q * 0.9999]), name, 1.7, 0.1)
    assert variance_slope(q, name, 1.7) == pytest.approx((above - below) / (2e-4 * q), rel=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_variance_slope_of_a_smooth_activation_is_schoenholz_formula(name):
    """dq'/dq = chi + sigma_w^2 E[phi'' phi]: Schoenholz et al. (2017), section 3."""
    phi, q = ACTIVATIONS[name], 1.3
    bend = gaussian_mean(lambda h: phi.second_derivative(h) * phi.value(h), q)
    expected = gradient_growth(q, name, 1.7) + 1.7 * bend
    assert variance_slope(q, name, 1.7) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("c", [-0.5, 0.2, 0.95])
def test_the_correlation_slope_is_the_finite_difference_of_the_correlation_map(name, c):
    """At one q: q' dc'/dc = q chi_c, for kinked activations too."""
    q, step = 1.3, 1e-4
    above = next_correlation(c + step, q, name, 1.7, 0.1)
    below = next_correlation(c - step, q, name, 1.7, 0.1)
    measured = (above - below) / (2 * step) * float(next_variance(q, name, 1.7, 0.1)) / q
    assert correlation_slope(c, q, name, 1.7) == pytest.approx(measured, rel=1e-5)


def test_equal_inputs_stay_equal():
    """c = 1 is a fixed point of the correlation map: Poole et al. (2016), section 3."""
    for name in ACTIVATIONS:
        assert next_correlation(1.0, 0.8, name, 1.7, 0.1) == pytest.approx(1, rel=1e-12)


def test_chi_of_relu_is_half_the_weight_variance_at_every_variance():
    """He et al. (2015), arXiv:1502.01852; leaky ReLU (1 + a^2) / 2 with a = 0.01."""
    q = np.logspace(-6, 6, 7)
    np.testing.assert_allclose(gradient_growth(q, "relu", 3.0), 1.5, rtol=1e-13)
    np.testing.assert_allclose(gradient_growth(q, "leaky_relu", 3.0), 1.5 * 1.0001, rtol=1e-13)
    np.testing.assert_allclose(gradient_growth(q, "linear", 3.0), 3.0, rtol=1e-13)


def test_maps_keep_the_shape_of_the_variances():
    """A grid of variances in, a grid out, each as it would be alone."""
    q = np.linspace(0.1, 3, 6).reshape(2, 3)
    variances = next_variance(q, "tanh", 1.5, 0.05)
    assert variances.shape == (2, 3)
    assert variances[1, 2] == pytest.approx(float(next_variance(q[1, 2], "tanh", 1.5, 0.05)))


def test_variance_by_layer_of_a_linear_network_is_geometric():
    """Layer l has sigma_w^(2l) times the first variance."""
    np.testing.assert_allclose(
        variance_by_layer("linear", 1.5, 0.0, 2.0, 20), 2.0 * 1.5 ** np.arange(20), rtol=1e-12
    )


def test_variance_by_layer_survives_overflow_and_underflow():
    """A thousand layers of 4 or of 1/4 each end in inf or 0, with no warning and no NaN."""
    assert variance_by_layer("relu", 8.0, 0.0, 1.0, 1000)[-1] == np.inf
    assert variance_by_layer("relu", 0.5, 0.0, 1.0, 1000)[-1] == 0


def test_a_dead_signal_stays_dead():
    """At q = 0 without bias the next variance is exactly sigma_w^2 phi(0)^2."""
    assert next_variance(0.0, "tanh", 1.5, 0.0) == 0
    assert mean_square("sigmoid", 0.0) == pytest.approx(0.25)
