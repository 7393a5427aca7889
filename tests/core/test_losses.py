"""Losses: plain formulas, central differences, and what happens at the ends of the floats."""

import mpmath
import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, softmax

from core.losses import LOSSES, REGRESSION_LOSS, cross_entropy, mse, named_classes

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


@pytest.mark.parametrize("spread", [1e-3, 2.0, 100.0])
def test_losses_of_sigmoids_and_of_the_softmax_are_what_their_names_say(spread, rng):
    """Binary cross-entropy in nats, half of squared errors; against scipy."""
    h, y = make_outputs(rng, spread), one_hot(rng)
    right = y * log_expit(h) + (1 - y) * log_expit(-h)
    for loss, expected in (
        ("binary_cross_entropy", -right.sum(axis=1)),
        ("sigmoid_mse", np.square(expit(h) - y).sum(axis=1) / 2),
        ("softmax_mse", np.square(softmax(h, axis=1) - y).sum(axis=1) / 2),
    ):
        found = LOSSES[loss](h.copy(), y)
        np.testing.assert_allclose(found, expected.mean(axis=1), rtol=1e-12, err_msg=loss)


@pytest.mark.parametrize("margin", [-300.0, -40.0, -3.0, 0.0, 3.0, 40.0, 300.0])
def test_small_residuals_are_exact(margin):
    """Of an example that is right by a margin, where 1 - 1 would leave nothing; against mpmath.

    The softmax's are where the example is wrong: where it is right, to rounding of the other p.
    """
    with mpmath.workdps(300):
        q = 1 / (1 + mpmath.exp(mpmath.mpf(margin)))  # of the wrong class
        of_two = float(-2 * q * q * (1 - q))
        expected = {"binary_cross_entropy": float(-q), "sigmoid_mse": float(-q * q * (1 - q))}
    for loss, value in expected.items():
        residual = np.array([[[margin]]])
        LOSSES[loss](residual, np.ones((1, 1)))
        assert residual[0, 0, 0] == pytest.approx(value, rel=1e-14, abs=0), loss
    residual = np.array([[[margin], [0.0]]])
    LOSSES["softmax_mse"](residual, np.array([[1.0], [0.0]]))
    rounding = 1e-15 * float(q) if margin > 0 else 0
    assert residual[0, 0, 0] == pytest.approx(of_two, rel=1e-13, abs=rounding)


def test_one_output_tells_two_classes_apart_and_no_more():
    """It is positive for the second; three classes have an output each, as other losses have."""
    two, three = np.eye(2)[[0, 1, 1]].T, np.eye(3)[[0, 1, 2]].T
    for name, loss in LOSSES.items():
        alone = name in ("binary_cross_entropy", "sigmoid_mse")
        assert loss.encoded(two).tolist() == ([[0, 1, 1]] if alone else two.tolist())
        assert loss.encoded(three).tolist() == three.tolist()
        assert [loss.units(classes) for classes in (1, 2, 3)] == [1, 1 if alone else 2, 3]
    assert named_classes(np.array([[-1.0, 2.0, 0.0]])).tolist() == [0, 1, 0]
    assert named_classes(np.array([[3.0, 0.0], [-1.0, 1.0]])).tolist() == [0, 1]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_residual_is_examples_times_the_gradient_at_the_outputs(loss, rng):
    """Central differences in float64, for one-hot targets."""
    h, y = make_outputs(rng), one_hot(rng)
    residuals = h.copy()
    LOSSES[loss](residuals, y)
    expected = central_differences(lambda p: LOSSES[loss](p[0].copy(), y), [h])
    assert relative_error([residuals / EXAMPLES], expected) < 3e-8


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
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_overflows_is_a_number_that_is_not_finite(value, loss, rng):
    """No exception, and the neighbors in the stack keep every bit."""
    h, y = make_outputs(rng), one_hot(rng)
    expected = LOSSES[loss](h.copy(), y)
    h[1], h[1, 0] = -value, value
    with np.errstate(all="ignore"):
        losses = LOSSES[loss](h, y)
    assert not np.isfinite(losses[1])
    np.testing.assert_array_equal(losses[[0, 2]], expected[[0, 2]])


def test_a_loss_beyond_the_floats_is_infinite(rng):
    """Of outputs whose squares, or whose sum, are."""
    for loss in ("mse", "cross_entropy", "binary_cross_entropy"):
        h = np.full((1, OUTPUTS, EXAMPLES), -1e308)
        h[0, 0] = 1e308
        with np.errstate(all="ignore"):
            assert not np.isfinite(LOSSES[loss](h, one_hot(rng))), loss
