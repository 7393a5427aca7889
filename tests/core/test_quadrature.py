"""Gaussian means against closed forms and against mpmath."""

import mpmath
import numpy as np
import pytest
from scipy import special

from core.functions.activations import ACTIVATIONS
from core.theory.quadrature import correlated_mean, gaussian_mean

VARIANCES = np.array([1e-6, 0.5, 30.0, 1e6])
CORRELATIONS = [-0.9, -0.3, 0.0, 0.3, 0.9, 0.999, 0.999999, 1.0]
ERF, RELU, SELU = ACTIVATIONS["erf"], ACTIVATIONS["relu"], ACTIVATIONS["selu"]

# phi and phi' written anew, in mpmath's arithmetic.
EXACT = {
    "tanh": (mpmath.tanh, lambda h: mpmath.sech(h) ** 2),
    "sigmoid": (lambda h: 1 / (1 + mpmath.exp(-h)), lambda h: mpmath.sech(h / 2) ** 2 / 4),
    "softplus": (lambda h: mpmath.log1p(mpmath.exp(h)), lambda h: 1 / (1 + mpmath.exp(-h))),
    "elu": (
        lambda h: h if h > 0 else mpmath.expm1(h),
        lambda h: mpmath.mpf(1) if h > 0 else mpmath.exp(h),
    ),
    "silu": (
        lambda h: h / (1 + mpmath.exp(-h)),
        lambda h: (1 + h / (1 + mpmath.exp(h))) / (1 + mpmath.exp(-h)),
    ),
}


def exact_mean_square(f, variance):
    """E f(u)^2 by mpmath, on intervals that follow both scales of the integrand."""
    deviation = mpmath.sqrt(variance)
    ends = {e / deviation for e in (1, 3, 8, 25)} | {mpmath.mpf(e) for e in (2, 5, 11)}
    ends = sorted(e for e in ends if e <= 11)
    with mpmath.workdps(18):
        return mpmath.quad(
            lambda z: f(deviation * z) ** 2 * mpmath.npdf(z), [-e for e in ends[::-1]] + [0, *ends]
        )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_more_panels_change_no_mean(name):
    """Kinks, straight_from and a scale of 1 or of h: an activation is all that panels assume."""
    phi = ACTIVATIONS[name]
    shape = phi.kinks, phi.straight_from
    sizes = np.geomspace(1e-3, 1e5, 80)
    for f in (phi.value, phi.derivative):
        means = gaussian_mean(lambda h, f=f: f(h) ** 2, VARIANCES, *shape)
        finer = gaussian_mean(
            lambda h, f=f: f(h) ** 2, VARIANCES, [*-sizes, *sizes, *phi.kinks], phi.straight_from
        )
        np.testing.assert_allclose(means, finer, rtol=1e-12)
        for q, correlation in ((0.5, -0.9), (0.5, 0.9), (1e6, 0.5)):
            means = correlated_mean(f, q, correlation, *shape)
            finer = correlated_mean(
                f, q, correlation, [*-sizes[::4], *sizes[::4], *phi.kinks], phi.straight_from
            )
            assert means == pytest.approx(finer, rel=1e-9, abs=1e-25)


@pytest.mark.parametrize("name", EXACT)
def test_means_of_squares_agree_with_mpmath_at_every_variance(name):
    """Saturated, kinked or nearly linear: a relative error below 1e-12."""
    phi = ACTIVATIONS[name]
    for f, exact in zip((phi.value, phi.derivative), EXACT[name], strict=True):
        means = gaussian_mean(lambda h, f=f: f(h) ** 2, VARIANCES, phi.kinks)
        np.testing.assert_allclose(
            means, [float(exact_mean_square(exact, v)) for v in VARIANCES], rtol=1e-12
        )


def test_means_of_erf_have_their_closed_form():
    """E erf^2 = (2/pi) asin(2q/(1+2q)), E erf'^2 = (4/pi)/sqrt(1+4q).

    Source: Williams (1997), "Computing with infinite networks", for the first; the second
    is a Gaussian integral.
    """
    q = VARIANCES
    np.testing.assert_allclose(
        gaussian_mean(lambda h: ERF.value(h) ** 2, q),
        2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        gaussian_mean(lambda h: ERF.derivative(h) ** 2, q),
        4 / np.pi / np.sqrt(1 + 4 * q),
        rtol=1e-12,
    )


def test_gauss_hermite_would_miss_a_saturated_slope():
    """The reason for panels: 200 Gauss-Hermite nodes are off by percents at q = 1e3."""
    z, weights = special.roots_hermitenorm(200)
    hermite = np.sum(weights * ERF.derivative(np.sqrt(1e3) * z) ** 2) / np.sqrt(2 * np.pi)
    exact = 4 / np.pi / np.sqrt(1 + 4e3)
    assert abs(hermite / exact - 1) > 0.01
    panels = gaussian_mean(lambda h: ERF.derivative(h) ** 2, 1e3)
    assert float(panels) == pytest.approx(exact, rel=1e-12)


def test_a_mean_at_no_variance_is_its_limit_from_above():
    """At q = 0 a slope with a jump is the mean of both sides; a value is phi(0)."""
    slope = gaussian_mean(lambda h: SELU.derivative(h) ** 2, 0.0, SELU.kinks)
    left, right = SELU.derivative(np.array([-1e-12, 1e-12]))
    assert float(slope) == pytest.approx((left**2 + right**2) / 2, rel=1e-9)
    assert gaussian_mean(lambda h: np.tanh(h) ** 2, 0.0) == 0


def test_a_kink_away_from_zero_ends_a_panel():
    """E [u > k] is the normal tail, to rounding, when k is given as a kink."""
    mean = gaussian_mean(lambda h: (h > 0.7).astype(float), 2.0, kinks=(0.7,))
    assert float(mean) == pytest.approx(special.ndtr(-0.7 / np.sqrt(2)), rel=1e-13)


@pytest.mark.parametrize("q", [1e-6, 0.5, 30.0, 1e6])
def test_correlated_means_of_erf_have_their_closed_form(q):
    """E erf(u1) erf(u2) = (2/pi) asin(2qc/(1+2q)), and its derivative by qc.

    Source: Williams (1997), "Computing with infinite networks".
    """
    for c in CORRELATIONS:
        values = correlated_mean(ERF.value, q, c)
        assert values == pytest.approx(
            2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)), rel=1e-9, abs=1e-25
        )
        slopes = correlated_mean(ERF.derivative, q, c)
        determinant = (1 + 2 * q * (1 - c)) * (1 + 2 * q * (1 + c))
        assert slopes == pytest.approx(4 / np.pi / np.sqrt(determinant), rel=1e-9)


@pytest.mark.parametrize("q", [1e-6, 0.5, 1e6])
def test_correlated_means_of_relu_are_the_arc_cosine_kernels(q):
    """Of order 1 for the value, of order 0 for the slope, up to c = 1.

    Source: Cho and Saul (2009), "Kernel methods for deep learning", eqs. 3 to 6.
    """
    for c in CORRELATIONS:
        angle = np.arccos(c)
        values = correlated_mean(RELU.value, q, c, RELU.kinks)
        order_1 = (np.sin(angle) + (np.pi - angle) * c) / (2 * np.pi)
        assert values == pytest.approx(q * order_1, rel=1e-9)
        slopes = correlated_mean(RELU.derivative, q, c, RELU.kinks)
        assert slopes == pytest.approx((np.pi - angle) / (2 * np.pi), rel=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_perfectly_correlated_inputs_are_one_input(name):
    """E f(u1) f(u2) at c = 1 is E f^2, by a different set of panels."""
    phi = ACTIVATIONS[name]
    for q in (1e-4, 2.0, 1e5):
        shape = phi.kinks, phi.straight_from
        one = gaussian_mean(lambda h: phi.derivative(h) ** 2, q, *shape)
        two = correlated_mean(phi.derivative, q, 1.0, *shape)
        assert two == pytest.approx(float(one), rel=1e-10)
