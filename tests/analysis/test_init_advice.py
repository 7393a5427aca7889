"""The init scales and bias scales that theory advises, and what was measured of them."""

from dataclasses import replace
from math import log, sqrt

import pytest

from analysis.advising.init_advice import (
    BIAS_MARGIN,
    TRAINABLE_SCALES,
    critical_bias_variance,
    init_advice,
    init_lines,
)
from analysis.advising.measured_starts import (
    DATASET,
    EXAMPLES,
    LEARNING_RATES,
    SEEDS,
    SHARES,
    STEPS,
    WIDTH,
)
from core.datasets import load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.settings import Trials
from core.theory.mean_field import critical_weight_variance, mean_field
from core.training import train
from core.trials import Trial


def told(activation, depth, width=None):
    return " ".join(init_lines(init_advice(activation, depth, width)))


def test_he_initialization_is_advised_for_relu():
    """sigma_w = sqrt(2), and around it what keeps gradients within e^4 over the depth."""
    advice = init_advice("relu", 50)
    assert advice.start == pytest.approx(sqrt(2))
    assert advice.bias_scale == 0
    for end in (advice.lowest, advice.highest):
        assert 50 * abs(log(end**2 / 2)) <= TRAINABLE_SCALES
    assert 50 * abs(log((0.97 * advice.lowest) ** 2 / 2)) > TRAINABLE_SCALES


def test_deeper_networks_leave_less_room():
    """The band of init scales narrows about the critical one."""
    bands = [init_advice("tanh", depth) for depth in (5, 20, 80)]
    assert sorted(bands, key=lambda band: band.highest - band.lowest) == bands[::-1]
    assert all(band.lowest <= band.critical <= band.highest for band in bands)


@pytest.mark.parametrize("depth", [2, 10, 30, 80])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "gelu"])
def test_the_start_lies_above_the_critical_scale_and_passes_what_it_is_asked_for(name, depth):
    """Between it and the largest that passes, where signals do not die out."""
    advice = init_advice(name, depth)
    assert advice.critical < advice.start < advice.highest
    theory = mean_field(name, advice.start**2, advice.bias_scale**2)
    assert theory.q_star is None or theory.q_star > 0


def test_biases_are_advised_where_only_they_make_a_scale_critical():
    """GELU from sigma_b^2 = 0.173 on, SiLU from 0.555; softplus never, tanh without.

    Sources: as in tests/core/test_mean_field.py.
    """
    least = {name: critical_bias_variance(name) for name in ACTIVATIONS}
    assert least["gelu"] == pytest.approx(0.17292 * BIAS_MARGIN, rel=2e-3)
    assert least["silu"] == pytest.approx(0.555 * BIAS_MARGIN, rel=2e-3)
    assert least["softplus"] is None
    assert all(least[name] == 0 for name in {*ACTIVATIONS} - {"gelu", "silu", "softplus"})
    for name in ("gelu", "silu"):
        critical = critical_weight_variance(name, init_advice(name, 80).bias_scale ** 2)
        assert init_advice(name, 80).critical == pytest.approx(sqrt(critical))


def test_gelu_at_depth_80_starts_from_biases():
    """Not "choose another activation": near sigma_b^2 = 0.2, sigma_w^2 = 1.9707."""
    advice = init_advice("gelu", 80)
    assert advice.bias_scale**2 == pytest.approx(0.2, abs=2e-3)
    assert advice.critical**2 == pytest.approx(1.9707, abs=1e-3)
    assert "Start from init_scale 1.422 and bias_scale 0.446." in told("gelu", 80)
    assert "without biases there is no such scale" in told("gelu", 80)
    assert "another activation" not in told("gelu", 80)


def test_without_a_critical_scale_the_middle_of_the_band_is_advised():
    """Softplus has none at any bias, but some scales pass signals."""
    advice = init_advice("softplus", 10)
    assert (advice.critical, advice.bias_scale) == (None, 0)
    assert advice.start == pytest.approx(sqrt(advice.lowest * advice.highest))
    assert "none is critical, with or without biases" in told("softplus", 10)


def test_critical_scales_are_named_with_what_they_do():
    """He's is the start; tanh starts a little above 1."""
    assert "Start from init_scale 1.414. It is critical: gradients" in told("relu", 30)
    assert "Start from init_scale 1.225. At 1 gradients neither vanish" in told("tanh", 30)
    assert "no more than 4 of theory's depth scales" in told("tanh", 30)


def test_the_width_says_how_sure_theory_is():
    """Or is asked for."""
    assert "How sure: well. 500 units are wide for 30 layers." in told("tanh", 30, 500)
    assert "How sure: not very. 30 layers of 64 units scatter" in told("tanh", 30, 64)
    assert "give --width" in told("tanh", 30)


def test_every_activation_has_its_measured_shares():
    """Counts of seeds and runs that fit each other, at each depth; longer runs where none did."""
    for shares in SHARES.values():
        assert list(shares) == list(ACTIVATIONS)
        for share in shares.values():
            assert share.seeds <= share.runs <= share.seeds * len(LEARNING_RATES)
            assert share.seeds <= SEEDS
            assert (share.longer is None) == (share.runs > 0)


def test_the_share_measured_at_the_nearest_depth_is_reported():
    """With the depth that it was measured at, in how many runs, and what more steps did."""
    assert (
        f"at depth 30, 64 units wide: from the start advised there {SHARES[30]['tanh'].runs} of "
        "24 runs (3 seeds, 8 rates) trained in 200 steps, for 3 of 3 seeds at some rate."
    ) in told("tanh", 80)
    assert "none of 24 runs (3 seeds, 8 rates) trained in 200 steps; in 1,000 steps 3 of 3" in (
        told("relu", 30)
    )
    assert "nor in 1,000; choose another activation or fewer layers." in told("softplus", 30)
    assert "at depth 10, 64 units wide" in told("tanh", 9)


def test_an_advised_start_trains_as_measured():
    """GELU at depth 30, where from the critical scale itself no run did."""
    advice = init_advice("gelu", 30)
    trial = Trial(
        dataset=DATASET,
        examples=EXAMPLES,
        features="standardized",
        depth=30,
        width=WIDTH,
        activation="gelu",
        initializer="gaussian",
        init_scale=advice.start,
        bias_scale=advice.bias_scale,
        learning_rate=0.0115,
        loss="cross_entropy",
        steps=STEPS,
        seed=0,
        dtype="float32",
        measure=frozenset(),
        stop="decided",
    )
    task = make_task(load_dataset(DATASET, EXAMPLES), EXAMPLES, "standardized", "standardized")
    draws = Trials.of([replace(trial, seed=seed) for seed in range(SEEDS)])
    outcomes = train(draws, task)["runs"]["outcome"]
    assert list(outcomes).count("trained") >= 2


@pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if phi.homogeneous])
def test_homogeneous_activations_start_where_they_are_critical(name):
    """Above it their signals grow in every layer."""
    advice = init_advice(name, 30)
    assert advice.start == advice.critical


def test_an_unknown_activation_is_refused():
    """As by the theory."""
    with pytest.raises(ValueError, match="'cubic' is unknown"):
        init_advice("cubic", 3)
