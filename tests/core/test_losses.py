"""Losses: plain formulas, central differences, and what happens at the ends of the floats."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from core.losses import LOSSES, REGRESSION_LOSS, cross_entropy, mse

from .gradients import central_differences, relative_error

NETWORKS, OUTPUTS, EXAMPLES = 3, 4, 7


def make_outputs(rng, spread=2.0):
    return spread * rng.standard_normal((NETWORKS, OUTPUTS, EXAMPLES))


def one_hot(rng):
    return np.eye(OUTPUTS)[rng.integers(OUTPUTS, size=EXAMPLES)].T


def test_mse_is_half_the_squared_error_summed_over_outputs_mean_over_examples(rng):
    """Each network's loss, and h - y left in place of h."""
    h, y = make_outputs(rng), rng.standard_normal((OUTPUTS, EXAMPLES))
    residuals = h.copy()
    losses = mse(residuals, y)
    expected = [sum((n[:, e] - y[:, e]) @ (n[:, e] - y[:, e]) for e in range(EXAMPLES)) for n in h]
    np.testing.assert_allclose(losses, np.array(expected) / 2 / EXAMPLES, rtol=1e-14)
    np.testing.assert_array_equal(residuals, h - y)


@pytest.mark.parametrize("spread", [1e-3, 2.0, 100.0])
def test_cross_entropy_is_minus_the_mean_log_softmax_of_the_right_class(spread, rng):
    """In nats, and softmax(h) - y left in place of h; against scipy."""
    h, y = make_outputs(rng, spread), one_hot(rng)
    residuals = h.copy()
    losses = cross_entropy(residuals, y)
    expected = -(log_softmax(h, axis=1) * y).sum(axis=1).mean(axis=1)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    np.testing.assert_allclose(residuals, softmax(h, axis=1) - y, rtol=0, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_residual_is_examples_times_the_gradient_at_the_outputs(loss, rng):
    """Central differences in float64, for one-hot targets."""
    h, y = make_outputs(rng), one_hot(rng)
    residuals = h.copy()
    LOSSES[loss](residuals, y)
    expected = central_differences(lambda p: LOSSES[loss](p[0].copy(), y), [h])
    assert relative_error([residuals / EXAMPLES], expected) < 1e-8


@pytest.mark.parametrize("loss", LOSSES)
def test_a_residual_is_bounded_where_the_table_says_so(loss, rng):
    """By 1 for targets of at most 1; else it grows with the outputs."""
    residuals = 1e12 * make_outputs(rng)
    LOSSES[loss](residuals, one_hot(rng))
    assert LOSSES[loss].bounded_residual == (np.abs(residuals).max() <= 1)


def test_numbers_as_targets_have_a_loss():
    """It is what a message says instead of one that needs classes."""
    assert not LOSSES[REGRESSION_LOSS].of_classes


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_keep_the_dtype_of_the_outputs(loss, rng):
    """A float32 stack stays float32 throughout."""
    residuals = make_outputs(rng).astype("float32")
    assert LOSSES[loss](residuals, one_hot(rng).astype("float32")).dtype == "float32"
    assert residuals.dtype == "float32"


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_huge_logits_cost_their_distance(size):
    """Sure and right costs 0, sure and wrong the logits' distance, undecided ln(classes)."""
    h = size * np.array([[[1.0], [-1.0], [0.0]], [[-1.0], [1.0], [0.0]], [[1.0], [1.0], [1.0]]])
    losses = cross_entropy(h, np.array([[1.0], [0.0], [0.0]]))
    np.testing.assert_allclose(losses, [0, 2 * size, np.log(3)], rtol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e308])
def test_what_overflows_is_a_number_that_is_not_finite(value, loss, rng):
    """No exception, and the neighbors in the stack keep every bit."""
    h, y = make_outputs(rng), one_hot(rng)
    expected = LOSSES[loss](h.copy(), y)
    h[1], h[1, 0] = -value, value
    with np.errstate(all="ignore"):
        losses = LOSSES[loss](h, y)
    assert not np.isfinite(losses[1])
    np.testing.assert_array_equal(losses[[0, 2]], expected[[0, 2]])
