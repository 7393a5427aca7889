"""Initial weights: their distributions, and that a draw depends on its own setting alone."""

import numpy as np
import pytest

from core.initializers import INITIALIZERS, initial_params

WIDTHS = (12, 20, 20, 6)


def draw(initializer, seed=0, scale=1.0, bias=0.0, widths=WIDTHS):
    return initial_params(initializer, widths, seed, scale, bias)


def test_gaussian_weights_have_variance_sigma_w_squared_over_fan_in():
    """Var W = sigma_w^2 / fan_in and Var b = sigma_b^2, within 5 standard errors."""
    (weights,) = draw("gaussian", 0, 1.5, 0.3, widths=(400, 300))
    spread = np.sqrt(2 / weights[:, :-1].size)
    assert weights[:, :-1].var() * 400 / 1.5**2 == pytest.approx(1, abs=5 * spread)
    assert weights[:, -1].std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * 300))


def test_orthogonal_weights_have_every_singular_value_sigma_w():
    """Rectangular layers too: nothing is stretched and nothing is lost that fits."""
    for layer in draw("orthogonal", 3, 0.7):
        values = np.linalg.svd(layer[:, :-1], compute_uv=False)
        np.testing.assert_allclose(values, 0.7, rtol=1e-12)


def test_scaled_identity_is_k_on_the_diagonal_and_zero_elsewhere():
    """Where widths differ it is cut or padded with zeros."""
    for layer in draw("scaled_identity", 0, 2.5):
        np.testing.assert_array_equal(layer[:, :-1], 2.5 * np.eye(*layer[:, :-1].shape))


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_a_network_starts_the_same_whatever_was_drawn_before(initializer):
    """Its draw is a function of its seed and shape: the order of draws does not enter."""
    settings = [(5, 0.5), (2, 1.0), (9, 2.0), (2, 3.0)]
    forwards = [draw(initializer, *setting, 0.1) for setting in settings]
    backwards = [draw(initializer, *setting, 0.1) for setting in reversed(settings)]
    for network, again in zip(forwards, reversed(backwards), strict=True):
        for layer, other in zip(network, again, strict=True):
            np.testing.assert_array_equal(layer, other)


@pytest.mark.parametrize("initializer", ["gaussian", "orthogonal"])
def test_init_scales_share_their_draw_and_seeds_do_not(initializer):
    """Neighboring cells of a map differ by their setting, not by luck."""
    small, large, other = (draw(initializer, *pair)[1] for pair in [(1, 1.0), (1, 2.0), (2, 1.0)])
    np.testing.assert_array_equal(2 * small, large)
    assert np.abs(small - other).max() > 0.01


def test_layers_of_the_same_shape_differ():
    """A layer's number is part of its seed."""
    first, second, _ = draw("gaussian", widths=(20, 20, 20, 20))
    assert np.abs(first - second).max() > 0.01
