"""A network's end: what rounding decided is no number, what it did not is the same in float64."""

from dataclasses import replace

import numpy as np
import pytest

from core.datasets import load_dataset, make_task
from core.end_signals import ROUNDING_UNITS, end_signals
from core.gradient_ratios import log10_gradient_per_error, log10_hidden_gradient_ratio
from core.signal_propagation import LayerSignals
from core.training import train_trials
from core.trials import Trial

# float32 runs that stalled: at a minimum, on a plateau, and with a signal that vanished.
STALLED = [
    ("linear", 6, 0.5568, 0.216, 300, 858),
    ("linear", 6, 1.2542, 0.155, 100, 757),
    ("sigmoid", 16, 0.6148, 0.124, 300, 729),
    ("linear", 16, 0.2547, 0.299, 300, 576),
    ("sigmoid", 6, 0.7422, 0.0375, 300, 107),
    ("relu", 6, 0.2106, 2.9, 300, 249),
]


def signals_of(activation, depth, scale, rate, steps, seed, dtype):
    trial = Trial(
        dataset="spirals",
        examples=24,
        features="standardized",
        depth=depth,
        width=4,
        activation=activation,
        initializer="gaussian",
        init_scale=scale,
        bias_scale=0.1,
        learning_rate=rate,
        loss="cross_entropy",
        steps=steps,
        seed=seed,
        dtype=dtype,
        measure="signal",
    )
    (training,) = train_trials([trial], make_task(load_dataset("spirals", 24), 24, "standardized"))
    return training.end_signals


@pytest.fixture(scope="module")
def ends():
    """Of each of STALLED: its signals after training in float32 and in float64."""
    return [(signals_of(*run, "float32"), signals_of(*run, "float64")) for run in STALLED]


@pytest.mark.parametrize("name", ["log10_gradient_ratio", "log10_gradient_per_error"])
def test_a_float32_gradient_ratio_is_that_of_float64_or_none(ends, name):
    """To half a decade; some are none, and some are numbers."""
    found = [
        (getattr(end_signals(short, "float32"), name), getattr(end_signals(exact, "float64"), name))
        for short, exact in ends
    ]
    known = [(ratio, exact) for ratio, exact in found if ratio is not None]
    assert 0 < len(known) < len(found)
    assert all(abs(ratio - exact) < 0.5 for ratio, exact in known)


def test_without_the_bound_rounding_would_be_told_as_a_gradient(ends):
    """Some of these ratios are decades off: that is what the bound is for."""
    for ratio in (log10_hidden_gradient_ratio, log10_gradient_per_error):
        assert max(abs(ratio(short) - ratio(exact)) for short, exact in ends) > 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bound_is_a_few_roundings_of_the_examples_gradients(dtype):
    """Of either layer for their ratio, of the first alone for its size against the error."""
    noise = np.log10(ROUNDING_UNITS * np.finfo(dtype).eps)
    zeros = np.zeros(3)
    some = LayerSignals(*[zeros] * len(LayerSignals.__annotations__))

    def end(first, last_hidden):
        return end_signals(
            replace(some, log10_gradient_norm=np.array([first, last_hidden, 0.0])), dtype
        )

    above, below = noise + 0.01, noise - 0.01
    assert end(above, above).log10_gradient_ratio == 0
    assert end(above, below).log10_gradient_ratio is None
    assert end(below, above).log10_gradient_ratio is None
    assert end(above, below).log10_gradient_per_error == pytest.approx(above)
    assert end(below, above).log10_gradient_per_error is None
