"""A network's end: what rounding decided is no number, what it did not is the same in float64."""

from dataclasses import fields, replace

import numpy as np
import pytest

from core.datasets import load_dataset, make_task
from core.measuring.end_signals import ROUNDING_UNITS, end_signals
from core.measuring.gradient_ratios import log10_gradient_per_error, log10_hidden_gradient_ratio
from core.measuring.signal_propagation import LayerSignals
from core.trials import Trial

from ..trainings import tables

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
        measure=frozenset({"signal"}),
    )
    layers = tables(
        [trial], make_task(load_dataset("spirals", 24), 24, "standardized", "standardized")
    )["layers"]
    return LayerSignals(*(layers[f"final_{f.name}"][None] for f in fields(LayerSignals)))


@pytest.fixture(scope="module")
def ends():
    """Of each of STALLED: its signals after training in float32 and in float64."""
    return [(signals_of(*run, "float32"), signals_of(*run, "float64")) for run in STALLED]


@pytest.mark.parametrize("name", ["gradient_ratio", "gradient_per_error"])
def test_a_float32_gradient_ratio_is_that_of_float64_or_none(ends, name):
    """To half a decade; some are none, and some are numbers."""
    column = f"final_log10_{name}"
    found, exact = (
        np.array([end_signals(end, dtype)[column][0] for end in of_dtype])
        for of_dtype, dtype in zip(zip(*ends, strict=True), ("float32", "float64"), strict=True)
    )
    known = ~np.isnan(found)
    assert 0 < known.sum() < len(found)
    assert (abs(found - exact)[known] < 0.5).all()


def test_without_the_bound_rounding_would_be_told_as_a_gradient(ends):
    """Some of these ratios are decades off: that is what the bound is for."""
    for ratio in (log10_hidden_gradient_ratio, log10_gradient_per_error):
        assert max(abs(ratio(short) - ratio(exact))[0] for short, exact in ends) > 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bound_is_a_few_roundings_of_the_examples_gradients(dtype):
    """Of either layer for their ratio, of the first alone for its size against the error."""
    noise = np.log10(ROUNDING_UNITS * np.finfo(dtype).eps)
    some = LayerSignals(*[np.zeros((3, 3))] * len(fields(LayerSignals)))
    above, below = noise + 0.01, noise - 0.01
    norms = np.array([[above, above, 0.0], [above, below, 0.0], [below, above, 0.0]])
    found = end_signals(replace(some, log10_gradient_norm=norms), dtype)
    np.testing.assert_array_equal(found["final_log10_gradient_ratio"], [0, np.nan, np.nan])
    per_error = found["final_log10_gradient_per_error"]
    np.testing.assert_allclose(per_error, [above, above, np.nan])


def test_a_single_layer_has_no_hidden_units_to_say_anything_of():
    """Neither a slope nor active units; of its gradients all is said."""
    some = LayerSignals(*[np.zeros((2, 1))] * len(fields(LayerSignals)))
    found = end_signals(some, "float64")
    assert not {"final_mean_slope", "final_active_fraction"} & set(found)
    assert {column.shape for column in found.values()} == {(2,)}
