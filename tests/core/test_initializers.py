"""Initial weights: their distributions, and that a draw depends on its own setting alone."""

import numpy as np
import pytest

from core.initializers import (
    INITIALIZERS,
    NAMED_SCALES,
    initial_params,
    named_scale,
    unit_variance,
    weight_variance,
)

WIDTHS = (12, 20, 20, 6)
RANDOM = [name for name, each in INITIALIZERS.items() if each.is_random]


def draw(initializer, seed=0, scale=1.0, bias=0.0, widths=WIDTHS):
    return initial_params(initializer, widths, seed, scale, bias)


def test_gaussian_weights_have_variance_sigma_w_squared_over_fan_in():
    """Var W = sigma_w^2 / fan_in and Var b = sigma_b^2, within 5 standard errors."""
    (weights,) = draw("gaussian", 0, 1.5, 0.3, widths=(400, 300))
    spread = np.sqrt(2 / weights[:, :-1].size)
    assert weights[:, :-1].var() * 400 / 1.5**2 == pytest.approx(1, abs=5 * spread)
    assert weights[:, -1].std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * 300))


def test_uniform_weights_are_those_of_pytorch_at_its_scale():
    """Between +-1 / sqrt(fan_in), evenly; the biases are drawn as for any other weights."""
    (layer,) = draw("uniform", 0, NAMED_SCALES["pytorch"], 0.3, widths=(400, 300))
    weights = layer[:, :-1] * np.sqrt(400)
    assert np.abs(weights).max() == pytest.approx(1, abs=1e-4)
    counts = np.histogram(weights, bins=10, range=(-1, 1))[0]
    assert np.abs(counts / 12_000 - 1).max() < 5 / np.sqrt(12_000)
    (gaussian,) = draw("gaussian", 0, 1.0, 0.3, widths=(400, 300))
    np.testing.assert_array_equal(layer[:, -1], gaussian[:, -1])


def test_orthogonal_weights_have_every_singular_value_sigma_w():
    """Rectangular layers too: nothing is stretched and nothing is lost that fits."""
    for layer in draw("orthogonal", 3, 0.7):
        values = np.linalg.svd(layer[:, :-1], compute_uv=False)
        np.testing.assert_allclose(values, 0.7, rtol=1e-12)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(400, 100), (200, 200), (100, 400)])
@pytest.mark.parametrize("initializer", RANDOM)
def test_the_std_of_narrowing_and_widening_layers_is_the_one_documented(
    initializer, fan_in, fan_out
):
    """Times sqrt(fan_in): init_scale, but sqrt(fan_in / fan_out) of it where orthogonal widens."""
    weights = draw(initializer, 0, 0.7, widths=(fan_in, fan_out))[0][:, :-1]
    widening = initializer == "orthogonal" and fan_out > fan_in
    expected = 0.7 * (np.sqrt(fan_in / fan_out) if widening else 1)
    if initializer == "weight_std":
        expected = 0.7 * np.sqrt(fan_in)
    assert weights.std() * np.sqrt(fan_in) == pytest.approx(expected, rel=0.015)
    assert 0.7 * np.sqrt(unit_variance(initializer, fan_in, fan_out)) == pytest.approx(expected)


def test_weight_std_is_gaussian_with_the_deviation_itself():
    """The same draw as gaussian's, whatever the fan-in; sigma_w^2 is fan_in times the variance."""
    for given, gaussian in zip(draw("weight_std", 3, 0.05), draw("gaussian", 3, 1.0), strict=True):
        fan_in = given.shape[1] - 1
        np.testing.assert_allclose(given, gaussian * 0.05 * np.sqrt(fan_in), rtol=1e-13)
    assert weight_variance("weight_std", 0.05, 20) == pytest.approx(20 * 0.05**2)
    assert weight_variance("gaussian", 1.5, 20) == weight_variance("orthogonal", 1.5, 20) == 2.25


def test_named_scales_are_those_of_their_formulas():
    """Of a square layer of 64 units; PyTorch's is the std of its uniform draw."""
    fan_in = 64
    uniform = np.linspace(-1, 1, 2_000_001) / np.sqrt(fan_in)
    stds = {
        "he": np.sqrt(2 / fan_in),
        "kaiming": np.sqrt(2 / fan_in),
        "lecun": np.sqrt(1 / fan_in),
        "xavier": np.sqrt(2 / (fan_in + fan_in)),
        "glorot": np.sqrt(2 / (fan_in + fan_in)),
        "pytorch": uniform.std(),
    }
    assert stds.keys() == NAMED_SCALES.keys()
    for name, std in stds.items():
        assert named_scale(name.title()) == pytest.approx(std * np.sqrt(fan_in), rel=1e-6)
    assert named_scale("he_normal") is None


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


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_a_random_draw_is_another_for_each_seed(initializer):
    """What is no random matrix is the same for every seed, and has no theory."""
    first, second = (draw(initializer, seed)[1][:, :-1] for seed in (1, 2))
    assert INITIALIZERS[initializer].is_random == (np.abs(first - second).max() > 0.01)


@pytest.mark.parametrize("initializer", RANDOM)
def test_init_scales_share_their_draw_and_seeds_do_not(initializer):
    """Neighboring cells of a map differ by their setting, not by luck."""
    small, large, other = (draw(initializer, *pair)[1] for pair in [(1, 1.0), (1, 2.0), (2, 1.0)])
    np.testing.assert_array_equal(2 * small, large)
    assert np.abs(small - other).max() > 0.01


def test_layers_of_the_same_shape_differ():
    """A layer's number is part of its seed."""
    first, second, _ = draw("gaussian", widths=(20, 20, 20, 20))
    assert np.abs(first - second).max() > 0.01
