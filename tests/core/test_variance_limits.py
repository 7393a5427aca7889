"""Where the variance of deep layers ends, against plain iteration of the map."""

from itertools import pairwise

import numpy as np
import pytest

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import gradient_growth, mean_square, next_variance
from core.theory.variance_limits import (
    VARIANCES,
    variance_limit,
    variance_limits,
)

WEIGHT_VARIANCES = (0.0, 0.1, 0.9, 1.0, 1.7, 1.95, 1.99, 2.0, 2.01, 2.2, 3.0, 110.0)
BIAS_VARIANCES = (0.0, 0.05, 0.2, 0.6, 30.0)
INPUTS = (0.0, 1e-6, 0.25, 1.0, 30.0)
LAYERS = 200


def iterated(setting, input_mean_square):
    """The variances of up to LAYERS layers, fewer where they settle or pass 1e100."""
    _, weight_variance, bias_variance = setting
    variances = [weight_variance * input_mean_square + bias_variance]
    while len(variances) < LAYERS and variances[-1] < 1e100:
        variances.append(float(next_variance(variances[-1], *setting)))
        if abs(variances[-1] - variances[-2]) <= 1e-13 * variances[-2]:
            break
    return variances


@pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if not phi.homogeneous])
@pytest.mark.parametrize("weight_variance", WEIGHT_VARIANCES)
def test_the_limit_is_where_plain_iteration_goes(name, weight_variance):
    """Where 200 layers settle, there; where they pass 1e100, None; else it is still ahead."""
    for bias_variance in BIAS_VARIANCES:
        setting = (name, weight_variance, bias_variance)
        for inputs in INPUTS:
            limit = variance_limit(*setting, inputs)
            *_, before, last = iterated(setting, inputs)
            if last >= 1e100:
                assert limit is None
            elif abs(last - before) <= 1e-13 * before:
                assert limit == pytest.approx(last, rel=1e-9)
            elif last > before:
                assert limit is None or limit > last
            else:
                assert limit is not None
                assert limit < last


@pytest.mark.parametrize("bias_variance", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("name", ["softplus", "elu", "selu"])
def test_a_variance_that_grows_ever_slower_has_no_limit(name, bias_variance):
    """Where far out a layer only adds to it: sigma_w^2 phi'(inf)^2 = 2.

    For softplus q' - q falls like 1 / sqrt(q), below the rounding of q near 1e9.
    """
    slope = float(ACTIVATIONS[name].derivative(np.array([50.0]))[0])
    assert variance_limit(name, 2 / slope**2, bias_variance, 1.0) is None


@pytest.mark.parametrize("scale", [2**0.5, 1.41421356237])
def test_the_square_root_of_two_counts_as_such_in_spite_of_rounding(scale):
    """Its square is 2 + 4e-16 in float64 and 2 - 9e-12 in 12 digits."""
    assert scale**2 != 2
    assert variance_limit("softplus", scale**2, 0.1, 1.0) is None
    assert [limit.q for limit in variance_limits("gelu", scale**2, 0.0)] == [0]


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_a_variance_that_falls_ever_slower_dies_out(name):
    """GELU and SiLU at (2, 0) lose a little at every size; a small bias is a fixed point."""
    assert variance_limits(name, 2.0, 0.0)[0].largest_input is None
    assert variance_limit(name, 2.0, 0.0, 1e6) == 0
    small = variance_limit(name, 2.0, 0.05, 1.0)
    assert next_variance(small, name, 2.0, 0.05) == pytest.approx(small, rel=1e-9)


def test_gelu_forgets_small_inputs_and_amplifies_large_ones():
    """At (2.2, 0) the edge lies at a mean square of 0.783: plain iteration on both sides."""
    dying, growing = variance_limits("gelu", 2.2, 0.0)
    assert (dying.q, dying.smallest_input) == (0, 0)
    assert (growing.q, growing.largest_input) == (None, None)
    edge = growing.smallest_input
    assert edge == dying.largest_input == pytest.approx(0.782924, abs=1e-6)
    for factor, rises in ((0.999, False), (1.001, True)):
        variances = iterated(("gelu", 2.2, 0.0), factor * edge)
        assert (variances[-1] > variances[0]) == rises


@pytest.mark.parametrize(("name", "limits"), [("gelu", 2), ("silu", 2), ("tanh", 1), ("elu", 1)])
def test_the_ranges_of_inputs_cover_all_inputs_once(name, limits):
    """From 0 without bound, each beginning where the one before it ends."""
    found = variance_limits(name, 2.0, 0.1)
    assert len(found) == limits
    assert found[0].smallest_input == 0
    assert found[-1].largest_input is None
    assert all(a.largest_input == b.smallest_input for a, b in pairwise(found))


def test_biases_alone_may_lie_beyond_an_edge():
    """A limit that no input reaches is none: at sigma_b^2 = 30 GELU's smaller one is gone."""
    assert len(variance_limits("gelu", 2.0, 0.05)) == 2
    assert [limit.q for limit in variance_limits("gelu", 2.01, 30.0)] == [None]


def test_inputs_of_zeros_stay_zeros():
    """Without a bias and with phi(0) = 0, also where all other signals grow."""
    assert variance_limit("tanh", 2.0, 0.0, 0.0) == 0
    assert variance_limit("relu", 4.0, 0.0, 0.0) == 0
    assert variance_limit("sigmoid", 2.0, 0.0, 0.0) == variance_limit("sigmoid", 2.0, 0.0, 1.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_variance_map_rises_everywhere(name):
    """What makes the first fixed point on the way the limit; to the quadrature's rounding."""
    squares = mean_square(name, VARIANCES)
    assert (squares[1:] >= squares[:-1] * (1 - 1e-13)).all()


@pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if phi.homogeneous])
def test_homogeneous_activations_have_one_limit_for_all_inputs(name):
    """sigma_b^2 / (1 - chi) below criticality, none from there on."""
    critical = 1 / float(gradient_growth(1.0, name, 1.0))
    assert variance_limit(name, 0.8 * critical, 0.1, 7.0) == pytest.approx(0.5)
    assert variance_limit(name, critical, 0.0, 7.0) is None
