"""Activations: derivatives against central differences, limits, dtypes, in-place use."""

import numpy as np
import pytest

from core.activations import ACTIVATIONS, canonical_activation

AWAY_FROM_KINKS = np.concatenate([np.linspace(-8, -0.01, 301), np.linspace(0.01, 8, 301)])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_agree_with_central_differences(name):
    """phi' and phi'' are the slopes of phi and phi' wherever those are smooth."""
    activation, x, step = ACTIVATIONS[name], AWAY_FROM_KINKS, 1e-5
    for function, slope in (
        (activation.value, activation.derivative),
        (activation.derivative, activation.second_derivative),
    ):
        difference = (function(x + step) - function(x - step)) / (2 * step)
        np.testing.assert_allclose(slope(x.copy()), difference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", [n for n, a in ACTIVATIONS.items() if a.slope_from_output])
def test_the_slope_from_the_output_is_the_derivative(name):
    """The trainer's shortcut gives phi' without keeping the pre-activations."""
    activation = ACTIVATIONS[name]
    from_output = activation.slope_from_output(activation.value(AWAY_FROM_KINKS.copy()))
    expected = activation.derivative(AWAY_FROM_KINKS.copy())
    np.testing.assert_allclose(from_output, expected, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_keep_their_dtype_and_may_overwrite_their_argument(name, dtype):
    """Writing over the argument gives the same numbers as a fresh array."""
    x, activation = AWAY_FROM_KINKS.astype(dtype), ACTIVATIONS[name]
    shortcut = [activation.slope_from_output] if activation.slope_from_output else []
    for function in (
        activation.value,
        activation.derivative,
        activation.second_derivative,
        *shortcut,
    ):
        fresh, overwritten = function(x.copy()), x.copy()
        function(overwritten, out=overwritten)
        assert fresh.dtype == dtype
        np.testing.assert_array_equal(overwritten, fresh)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_no_number_stays_none(name):
    """A diverged network must not look like a finite one."""
    assert np.isnan(ACTIVATIONS[name].value(np.array([np.nan]))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_huge_pre_activations_give_limits_not_nan(name, dtype):
    """Far out a value is its limit: saturated, linear or zero."""
    huge = np.array([-1, 1], dtype) * np.sqrt(np.finfo(dtype).max)
    with np.errstate(over="ignore", under="ignore"):
        values = ACTIVATIONS[name].value(huge.copy())
        slopes = ACTIVATIONS[name].derivative(huge.copy())
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    if ACTIVATIONS[name].saturates:
        np.testing.assert_array_equal(slopes, 0)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ReLU", "relu"),
        ("Tanh", "tanh"),
        ("GELU", "gelu"),
        ("LeakyReLU", "leaky_relu"),
        ("leaky-relu", "leaky_relu"),
        ("Swish", "silu"),
        ("SiLU", "silu"),
        ("identity", "linear"),
        ("logistic", "sigmoid"),
        ("tahn", "tahn"),
    ],
)
def test_activations_are_known_by_other_spellings(written, name):
    """Unknown ones come back as they are."""
    assert canonical_activation(written) == name


def test_every_name_is_its_own_spelling():
    """No synonym hides an activation."""
    assert [canonical_activation(name) for name in ACTIVATIONS] == list(ACTIVATIONS)
