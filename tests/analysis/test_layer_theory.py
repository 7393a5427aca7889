"""The theory's profile of one network, beside what a wide network measures."""

import numpy as np
import pandas as pd
import pytest

from analysis.theory.layer_theory import COLUMNS, layer_theory
from core.gradient_descent import Problem
from core.hidden_widths import listed_widths
from core.measuring.signal_propagation import signal_propagation

DEPTH, WIDTH = 10, 400
EQUAL = [WIDTH] * (DEPTH - 1)
# Layers as wide as 900, 600 and 300, the last one too.
UNEQUAL = [(900, 600, 300)[layer % 3] for layer in range(DEPTH - 1)]


def run(activation="tanh", init_scale=1.5, initializer="gaussian"):
    """The settings that the theory asks for."""
    return {
        "activation": activation,
        "init_scale": init_scale,
        "bias_scale": 0.0,
        "initializer": initializer,
        "width": WIDTH,
    }


def layers(rng, activation, init_scale, hidden=EQUAL):
    """Each layer of a wide random network, measured as a sweep does."""
    examples = np.vstack([rng.standard_normal((WIDTH, 8)), np.ones(8)])
    fans = zip([*hidden, WIDTH], [WIDTH, *hidden], strict=True)
    params = [
        init_scale * rng.standard_normal((1, fan_out, fan_in + 1)) / np.sqrt(fan_in)
        for fan_out, fan_in in fans
    ]
    for p in params:
        p[:, :, -1] = 0
    # So large that the outputs' error does not depend on the weights, as the theory assumes.
    targets = 1e9 * rng.standard_normal((WIDTH, 8))
    signals = signal_propagation(params, Problem(examples, targets, activation, "mse", 1.0))
    measured = {name: column[0] for name, column in vars(signals).items()}
    return pd.DataFrame({"layer": range(1, DEPTH + 1), **measured})


@pytest.mark.parametrize(
    ("activation", "init_scale", "hidden"),
    [
        ("tanh", 0.7, EQUAL),
        ("tanh", 2.0, EQUAL),
        ("relu", 1.0, EQUAL),
        ("relu", 2.0, EQUAL),
        ("tanh", 2.0, UNEQUAL),
    ],
)
def test_a_wide_network_follows_the_theory(rng, activation, init_scale, hidden):
    """Forward variance, backward error and weight gradient, within a tenth of a decade."""
    measured = layers(rng, activation, init_scale, hidden)
    theory = layer_theory(run(activation, init_scale) | listed_widths(hidden), measured)
    for name in COLUMNS:
        expected = theory[name].iloc[1:] if name == "log10_gradient_norm" else theory[name]
        apart = (measured[name].loc[expected.index] - expected).abs()
        assert apart.max() < 0.12, name


def test_the_identity_has_no_theory(rng):
    """It is no random matrix."""
    assert layer_theory(run(initializer="scaled_identity"), layers(rng, "tanh", 1.0)) is None


@pytest.mark.parametrize("initializer", ["orthogonal", "weight_std"])
def test_layers_of_a_sigma_w_of_their_own_have_no_theory(rng, initializer):
    """Of layers that differ, where the variance is not that of the fan-in alone."""
    measured = layers(rng, "tanh", 1.0)
    equal = run(initializer=initializer)
    assert layer_theory(equal, measured) is not None
    assert layer_theory(equal | listed_widths(UNEQUAL), measured) is None


def test_a_variance_beyond_floats_ends_the_profile(rng):
    """A ReLU network that grows by 10^30 a layer has no finite profile, but also no error."""
    measured = layers(rng, "tanh", 1.0)
    theory = layer_theory(run("relu", 1e15), measured)
    assert np.isnan(theory["log10_mean_square_h"].iloc[-1])
