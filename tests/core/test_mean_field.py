"""Infinite-width fixed points, depth scales and critical lines, against their sources.

"Project table" is the project's table of mean-field checks: numbers computed independently of
this code, in float64, from the equations of Schoenholz et al. (2017), arXiv:1611.01232.
"""

import numpy as np
import pytest

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import (
    gradient_growth,
    mean_square,
    mean_squared_slope,
    next_correlation,
    next_variance,
    variance_by_layer,
    variance_slope,
)
from core.theory.mean_field import (
    MeanField,
    critical_weight_variance,
    fixed_point_chi,
    mean_field,
)

CRITICAL_WITH_BIAS = ["sigmoid", "tanh", "erf", "elu", "selu", "gelu", "silu"]
SETTINGS = [(name, v) for name in ACTIVATIONS for v in (0.4, 1.2, 1.9)]


@pytest.mark.parametrize(
    ("bias_variance", "critical", "q_star"),
    [
        (0.05, 1.760955, 0.570048),
        (0.1, 1.986073, 0.805799),
        (0.3, 2.505127, 1.461169),
    ],
)
def test_critical_line_of_tanh(bias_variance, critical, q_star):
    """Source: project table."""
    weight_variance = critical_weight_variance("tanh", bias_variance)
    assert weight_variance == pytest.approx(critical, abs=5e-7)
    theory = mean_field("tanh", weight_variance, bias_variance)
    assert theory.q_star == pytest.approx(q_star, abs=5e-7)
    assert theory.c_star == 1
    assert theory.xi_gradient is None
    assert theory.xi_correlation is None
    assert theory.xi_variance == pytest.approx(
        -1 / np.log(variance_slope(q_star, "tanh", critical))
    )


@pytest.mark.parametrize(
    ("weight_variance", "chi", "xi_correlation"),
    [(1.0, 0.75903, 3.63), (1.5, 0.93864, 15.79), (2.0, 1.04767, 25.21), (4.0, 1.34240, 6.98)],
)
def test_chi_and_correlation_depth_of_tanh(weight_variance, chi, xi_correlation):
    """At sigma_b^2 = 0.05. Source: project table."""
    theory = mean_field("tanh", weight_variance, 0.05)
    assert theory.chi == pytest.approx(chi, abs=5e-6)
    assert theory.xi_gradient == pytest.approx(-1 / np.log(theory.chi))
    assert theory.xi_correlation == pytest.approx(xi_correlation, abs=5e-3)
    assert (theory.c_star == 1) == (chi < 1)


def test_sigmoid_without_bias():
    """chi, q* and the rms activation at sigma_w^2 = 1. Source: project table."""
    theory = mean_field("sigmoid", 1.0, 0.0)
    assert theory.chi == pytest.approx(0.055721, abs=5e-7)
    assert theory.q_star == pytest.approx(0.264687, abs=5e-7)
    assert np.sqrt(mean_square("sigmoid", theory.q_star)) == pytest.approx(0.5145, abs=5e-5)


def test_sigmoid_is_critical_only_at_103_01():
    """Source: project table. 200 Gauss-Hermite nodes give 103.45 and a second, false root."""
    critical = critical_weight_variance("sigmoid", 0.0)
    assert critical == pytest.approx(103.01, abs=5e-3)
    for factor in np.logspace(-2, 2, 41):
        chi = mean_field("sigmoid", critical * factor, 0.0).chi
        assert np.sign(np.round(chi - 1, 6)) == np.sign(np.round(np.log(factor), 6))


def test_critical_line_of_erf_follows_from_its_closed_forms():
    """At q: sigma_w^2 = (pi/4) sqrt(1+4q) and sigma_b^2 = q - sigma_w^2 (2/pi) asin(2q/(1+2q)).

    Source: Williams (1997), "Computing with infinite networks", for E erf^2.
    """
    for q in (0.1, 1.0, 10.0):
        weight_variance = np.pi / 4 * np.sqrt(1 + 4 * q)
        bias_variance = q - weight_variance * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
        critical = critical_weight_variance("erf", bias_variance)
        assert critical == pytest.approx(weight_variance, rel=1e-9)
    assert critical_weight_variance("erf", 0.0) == pytest.approx(np.pi / 4, rel=1e-12)


@pytest.mark.parametrize("bias_variance", [0.0, 0.1])
def test_homogeneous_activations_are_critical_at_one_weight_variance(bias_variance):
    """1, 2 and 2 / (1 + a^2). Source: He et al. (2015), arXiv:1502.01852."""
    assert critical_weight_variance("linear", bias_variance) == pytest.approx(1, rel=1e-12)
    assert critical_weight_variance("relu", bias_variance) == pytest.approx(2, rel=1e-12)
    assert critical_weight_variance("leaky_relu", bias_variance) == pytest.approx(
        2 / (1 + 0.01**2), rel=1e-12
    )


def test_gelu_and_silu_become_critical_where_the_book_says():
    """Where chi and dq'/dq are 1 at once; with less bias no critical point is led to.

    Source: Roberts, Yaida and Hanin (2022), "The Principles of Deep Learning Theory",
    chapter 5, half-stable universality class, as public implementations quote it: GELU
    (C_b, C_W) = (0.17292239, 1.98305826), SiLU C_W = 1.98800468. The q are this code's.
    """
    settings = {
        "gelu": (3.56155281, 0.17292239, 1.98305826),
        "silu": (14.3201736, None, 1.98800468),
    }
    for name, (q, bias_variance, weight_variance) in settings.items():
        assert gradient_growth(q, name, weight_variance) == pytest.approx(1, abs=1e-8)
        assert variance_slope(q, name, weight_variance) == pytest.approx(1, abs=1e-8)
        bias_at_q = q - weight_variance * float(mean_square(name, q))
        if bias_variance is not None:
            assert bias_at_q == pytest.approx(bias_variance, abs=5e-8)
        assert critical_weight_variance(name, bias_at_q - 1e-4) is None
        assert critical_weight_variance(name, bias_at_q + 1e-4) == pytest.approx(
            weight_variance, abs=1e-4
        )


def test_selu_keeps_unit_variance():
    """q* = 1 at (1, 0), approached by the factor 0.782648 a layer.

    Source: Klambauer et al. (2017), arXiv:1706.02515, the Jacobian at the fixed point (0, 1).
    """
    theory = mean_field("selu", 1.0, 0.0)
    assert theory.q_star == pytest.approx(1, abs=1e-9)
    assert np.exp(-1 / theory.xi_variance) == pytest.approx(0.782648, abs=5e-7)


@pytest.mark.parametrize("name", CRITICAL_WITH_BIAS)
def test_gradients_vanish_below_the_critical_line_and_explode_above(name):
    """On the line chi is 1, and it crosses 1 upward there."""
    critical = critical_weight_variance(name, 0.7)
    chis = [mean_field(name, critical * factor, 0.7).chi for factor in (0.99, 1.0, 1.01)]
    assert chis[0] < 1 < chis[2]
    assert chis[1] == pytest.approx(1, abs=1e-9)


def test_softplus_has_no_critical_line():
    """Its slope is below 1, so chi < sigma_w^2 / 2 < 1 wherever the variance has a limit."""
    assert critical_weight_variance("softplus", 0.3) is None
    assert mean_field("softplus", 1.99, 0.3).chi < 1
    assert mean_field("softplus", 2.01, 0.3).q_star is None


@pytest.mark.parametrize(("name", "weight_variance"), SETTINGS)
@pytest.mark.parametrize("bias_variance", [0.0, 0.2])
def test_q_star_is_where_inputs_of_unit_mean_square_are_led(name, weight_variance, bias_variance):
    """A fixed point that 400 layers approach, or None where they pass every bound."""
    theory = mean_field(name, weight_variance, bias_variance)
    setting = (name, weight_variance, bias_variance)
    variances = variance_by_layer(*setting, weight_variance + bias_variance, 400)
    if theory.q_star is None:
        assert variances[-1] > variances[-2] > variances[0]
        return
    assert next_variance(theory.q_star, *setting) == pytest.approx(theory.q_star, rel=1e-9)
    assert variances[-1] == pytest.approx(theory.q_star, rel=1e-3, abs=1e-8)


def test_xi_variance_is_the_rate_at_which_layers_approach_q_star():
    """Departures from q* shrink by e every xi_variance layers."""
    theory = mean_field("tanh", 1.5, 0.05)
    variances = variance_by_layer("tanh", 1.5, 0.05, theory.q_star * 1.001, 6)
    departures = np.abs(variances - theory.q_star)
    assert departures[5] / departures[0] == pytest.approx(np.exp(-5 / theory.xi_variance), rel=2e-3)


@pytest.mark.parametrize("name", ["tanh", "erf", "selu", "elu"])
def test_c_star_and_xi_correlation_describe_the_iterated_correlation_map(name):
    """In the chaotic phase: a fixed point below 1, approached as fast as said."""
    weight_variance = 1.2 * critical_weight_variance(name, 0.05)
    theory = mean_field(name, weight_variance, 0.05)
    assert theory.chi > 1 > theory.c_star > 0
    c = theory.c_star + 1e-4
    for _ in range(3):
        c = next_correlation(c, theory.q_star, name, weight_variance, 0.05)
    expected = 1e-4 * np.exp(-3 / theory.xi_correlation)
    assert c - theory.c_star == pytest.approx(expected, rel=2e-3)


def test_chaotic_odd_networks_without_bias_make_inputs_orthogonal():
    """c* = 0 there: Poole et al. (2016), section 3."""
    assert mean_field("tanh", 2.0, 0.0).c_star == 0
    assert mean_field("erf", 3.0, 0.0).c_star == 0


def test_the_correlation_depth_diverges_alike_on_both_sides_of_criticality():
    """xi_correlation |chi - 1| -> 1: Schoenholz et al. (2017), section 3."""
    critical = critical_weight_variance("tanh", 0.05)
    for offset in (-1e-3, -1e-4, 1e-4, 1e-3):
        theory = mean_field("tanh", critical * (1 + offset), 0.05)
        assert theory.xi_correlation * abs(theory.chi - 1) == pytest.approx(1, abs=3e-3)


def test_linear_and_relu_below_criticality():
    """chi = dq'/dq, q* = sigma_b^2 / (1 - chi), one depth scale for all."""
    for name, weight_variance, chi in (("linear", 0.8, 0.8), ("relu", 1.6, 0.8)):
        theory = mean_field(name, weight_variance, 0.1)
        scale = pytest.approx(-1 / np.log(chi))
        assert theory.q_star == pytest.approx(0.5)
        assert theory.chi == pytest.approx(chi)
        assert theory.c_star == 1
        assert (theory.xi_gradient, theory.xi_correlation, theory.xi_variance) == (scale,) * 3


@pytest.mark.parametrize("bias_variance", [0.0, 0.1])
def test_homogeneous_activations_have_chi_without_a_finite_variance(bias_variance):
    """At and above criticality no q* is singled out, and chi is still its constant."""
    for name, weight_variance, chi in (
        ("linear", 1.5, 1.5),
        ("relu", 3.0, 1.5),
        ("relu", 2.0, 1.0),
    ):
        theory = mean_field(name, weight_variance, bias_variance)
        assert theory.chi == pytest.approx(chi)
        assert theory.xi_gradient == (None if chi == 1 else pytest.approx(-1 / np.log(chi)))
        assert (theory.q_star, theory.c_star) == (None, None)
        assert (theory.xi_correlation, theory.xi_variance) == (None, None)


def test_he_initialization_is_critical_in_spite_of_rounding():
    """sqrt(2)^2 is not 2 in float64, and means criticality all the same."""
    weight_variance = (2.0**0.5) ** 2
    assert weight_variance != 2
    assert mean_field("relu", weight_variance, 0.0).xi_gradient is None


def test_tanh_at_one_and_no_bias_decays_by_a_power_law():
    """q* = 0 and chi = 1, so no depth scale is finite: Schoenholz et al. (2017), section 3."""
    assert mean_field("tanh", 1.0, 0.0) == MeanField(0.0, pytest.approx(1), None, None, None, None)
    variances = variance_by_layer("tanh", 1.0, 0.0, 1.0, 400)
    assert variances[399] / variances[199] == pytest.approx(0.5, abs=0.02)


def test_signals_die_out_in_an_ordered_network_without_bias():
    """q* = 0 and chi = sigma_w^2 phi'(0)^2; two dead signals have no correlation."""
    theory = mean_field("tanh", 0.6, 0.0)
    assert (theory.q_star, theory.c_star, theory.xi_correlation) == (0, None, None)
    assert theory.chi == pytest.approx(0.6)
    assert theory.xi_gradient == pytest.approx(-1 / np.log(0.6))
    assert theory.xi_variance == pytest.approx(-1 / np.log(0.6))


@pytest.mark.parametrize("name", ["elu", "selu", "gelu", "silu", "softplus"])
def test_chi_of_a_diverging_variance_is_its_limit(name):
    """Far from 0 these are lines: chi tends to half of sigma_w^2 phi'(inf)^2."""
    theory = mean_field(name, 3.0, 0.1)
    slope = ACTIVATIONS[name].derivative(np.array([50.0]))[0]
    assert theory.q_star is None
    assert theory.chi == pytest.approx(1.5 * slope**2, rel=1e-9)
    deep = variance_by_layer(name, 3.0, 0.1, 1.0, 100)[-1]
    assert 3.0 * mean_squared_slope(name, deep) == pytest.approx(theory.chi, rel=1e-6)


def test_gelu_forgets_small_inputs_where_it_amplifies_unit_ones():
    """Two limits at (3, 0): q* and chi are those that the inputs given are led to."""
    assert variance_by_layer("gelu", 3.0, 0.0, 0.05, 100)[-1] < 1e-6
    assert variance_by_layer("gelu", 3.0, 0.0, 3.0, 100)[-1] > 1e6
    assert mean_field("gelu", 3.0, 0.0).q_star is None
    assert mean_field("gelu", 3.0, 0.0).chi == pytest.approx(1.5)
    assert mean_field("gelu", 3.0, 0.0, 0.05 / 3).q_star == 0
    assert mean_field("gelu", 3.0, 0.0, 0.05 / 3).chi == pytest.approx(0.75)


@pytest.mark.parametrize("bias_variance", [0.0, 0.1])
def test_softplus_at_two_has_no_fixed_point(bias_variance):
    """Its variance grows ever slower and without bound; its chi rises to 1.

    Plain iteration of 20,000 layers ends at q = 1,486 without a bias and at 3,142 with one of
    0.1, rising by 0.0497 and 0.134 a layer.
    """
    theory = mean_field("softplus", 2.0, bias_variance)
    assert (theory.q_star, theory.chi) == (None, pytest.approx(1))


def test_chi_at_raw_spirals_and_its_kin():
    """GELU at sigma_w^2 = 2.2 from inputs of mean square 0.27: they die out, chi = 2.2 / 4."""
    assert fixed_point_chi("gelu", 2.2, 0.0, 0.27) == pytest.approx(0.55)
    assert fixed_point_chi("gelu", 2.2, 0.0) == pytest.approx(1.1)


def test_gelu_with_biases_has_the_critical_line_that_its_advice_names():
    """sigma_w^2 = 1.9707 at sigma_b^2 = 0.2. Source: the referee's independent computation."""
    assert critical_weight_variance("gelu", 0.2) == pytest.approx(1.9707, abs=5e-5)


def test_no_weights_leave_the_biases():
    """sigma_w = 0: q* = sigma_b^2 and everything else is forgotten in no layer at all."""
    expected = MeanField(pytest.approx(0.3), 0.0, 1.0, 0.0, 0.0, 0.0)
    assert mean_field("tanh", 0.0, 0.3) == expected
    assert mean_field("relu", 0.0, 0.3) == expected


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_weights_and_no_biases_leave_nothing(name):
    """sigma_w = 0 is where a linear regression starts: nothing warns, all gradients are 0."""
    theory = mean_field(name, 0.0, 0.0)
    assert (theory.q_star, theory.chi, theory.c_star) == (0, 0, None)
    assert (theory.xi_gradient, theory.xi_variance) == (0, 0)


def test_wrong_arguments_are_named():
    """The error says which argument, its value and what is allowed."""
    with pytest.raises(
        ValueError, match=r"activation 'tahn' is unknown; did you mean 'tanh'\? It is"
    ):
        mean_field("tahn", 1.0, 0.0)
    with pytest.raises(ValueError, match=r"weight_variance must lie between 0 and 1e\+10, got -1"):
        mean_field("tanh", -1.0, 0.0)
    with pytest.raises(ValueError, match=r"activation 'snake' is unknown; choose from linear, "):
        mean_field("snake", 1.0, 0.0)
    with pytest.raises(ValueError, match=r"input_mean_square must be 0 or above, got -1"):
        mean_field("tanh", 1.0, 0.0, -1.0)
    with pytest.raises(ValueError, match=r"bias_variance must lie between .* got nan"):
        critical_weight_variance("tanh", float("nan"))
