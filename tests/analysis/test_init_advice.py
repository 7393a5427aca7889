"""The init scales that infinite width advises."""

from math import log, sqrt

import pytest

from analysis.init_advice import TRAINABLE_SCALES, init_advice


def test_he_initialization_is_advised_for_relu():
    """sigma_w = sqrt(2), and around it what keeps gradients within e^6 over the depth."""
    advice = init_advice("relu", 50)
    assert advice.start == pytest.approx(sqrt(2))
    for end in (advice.lowest, advice.highest):
        assert 50 * abs(log(end**2 / 2)) <= TRAINABLE_SCALES
    assert 50 * abs(log((0.97 * advice.lowest) ** 2 / 2)) > TRAINABLE_SCALES


def test_deeper_networks_leave_less_room():
    """The band of init scales narrows about the critical one."""
    bands = [init_advice("tanh", depth) for depth in (5, 20, 80)]
    assert sorted(bands, key=lambda band: band.highest - band.lowest) == bands[::-1]
    assert all(band.lowest <= band.critical <= band.highest for band in bands)


def test_without_a_critical_scale_the_middle_of_the_band_is_advised():
    """GELU without biases jumps over chi = 1, but some scales pass signals."""
    advice = init_advice("gelu", 10)
    assert advice.critical is None
    assert advice.lowest < advice.start < advice.highest
