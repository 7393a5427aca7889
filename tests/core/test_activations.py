"""Activations: mpmath's numbers, derivatives, limits, dtypes, in-place use, vector code."""

import re
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from core.activation_formulas import FORMULAS, SLOPES_FROM_VALUES
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


@pytest.mark.parametrize("name", SLOPES_FROM_VALUES)
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


def normal_density(h):
    """The density of a standard normal variable, for mpmath."""
    return mp.exp(-h * h / 2) / mp.sqrt(2 * mp.pi)


def ncdf(h):
    """The normal distribution function; mpmath's own overflows from 1e300 on."""
    return mp.ncdf(h) if abs(h) < 1000 else mp.mpf(h > 0)


def logistic(h):
    """1 / (1 + exp(-h)), for mpmath."""
    return 1 / (1 + mp.exp(-h))


SCALE, ALPHA = mp.mpf("1.0507009873554805"), mp.mpf("1.6732632423543772")
EXACT = {
    "linear": (lambda h: h, lambda h: 1),
    "sigmoid": (logistic, lambda h: logistic(h) * logistic(-h)),
    "tanh": (mp.tanh, lambda h: mp.sech(h) ** 2),
    "erf": (mp.erf, lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h)),
    "relu": (lambda h: max(h, 0), lambda h: h > 0),
    "leaky_relu": (lambda h: max(h, mp.mpf("0.01") * h), lambda h: 1 if h > 0 else mp.mpf("0.01")),
    "elu": (lambda h: h if h > 0 else mp.expm1(h), lambda h: 1 if h > 0 else mp.exp(h)),
    "selu": (
        lambda h: SCALE * (h if h > 0 else ALPHA * mp.expm1(h)),
        lambda h: SCALE * (1 if h > 0 else ALPHA * mp.exp(h)),
    ),
    "gelu": (lambda h: h * ncdf(h), lambda h: ncdf(h) + h * normal_density(h)),
    "silu": (
        lambda h: h * logistic(h),
        lambda h: logistic(h) * (1 + h * logistic(-h)),
    ),
    "softplus": (lambda h: mp.log1p(mp.exp(h)), logistic),
}
# Units in the last place of float32 that a value and a slope may be off.
LARGEST_ERROR = {"gelu": 5.0, "silu": 3.5}
# Where slopes cross zero they are right to rounding of the terms that cancel there.
CANCELING_SLOPES = {"gelu": 0.2, "silu": 0.2}


def over_the_whole_range(dtype):
    """Arguments of both signs and every magnitude, dense where formulas change over."""
    largest = np.log10(float(np.finfo(dtype).max))
    sizes = np.concatenate(
        [
            np.logspace(-largest + 1, largest - 0.05, 150),
            np.logspace(-4, 3.2, 250),
            *[c + 1e-6 * np.arange(-4, 5) for c in (0.55, 1.0, 0.6931472, 87.33654, 708.3964)],
            [0.0],
        ]
    )
    return np.concatenate([-sizes[::-1], sizes]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_are_mpmaths_over_the_whole_range(name, dtype):
    """A few units in the last place of float32, 1e-14 of float64, at every magnitude."""
    h, activation = over_the_whole_range(dtype), ACTIVATIONS[name]
    limit = LARGEST_ERROR.get(name, 2.5) if dtype == "float32" else 1e-14
    flushed = 128 * float(np.finfo(dtype).tiny) * (1 if dtype == "float32" else 8)
    for part, function in enumerate((activation.value, activation.derivative)):
        with mp.workdps(40):
            exact = [mp.mpf(EXACT[name][part](mp.mpf(float(x)))) for x in h]
            errors = [abs(mp.mpf(float(y)) - e) for y, e in zip(function(h), exact, strict=True)]
        rounded = np.array([float(mp.chop(e, 1e-320)) for e in exact])
        size = np.abs(rounded)
        if part == 1:
            near = np.abs(h) < 5
            size[near] = np.maximum(size[near], CANCELING_SLOPES.get(name, 0))
        with np.errstate(under="ignore"):
            unit = np.spacing(size.astype(dtype)).astype(float) if dtype == "float32" else size
        errors = np.array([float(mp.chop(e, 1e-320)) for e in errors])
        relative = np.divide(errors, unit, out=np.zeros_like(size), where=errors > flushed)
        worst = np.argmax(relative)
        assert relative[worst] <= limit, f"{relative[worst]:.3g} at h = {h[worst]!r}"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_sign_of_zero_and_the_limits_at_infinity(name):
    """Where phi(0) = 0 with a slope, phi(-0) is -0; at infinity there is a limit, not NaN."""
    h = np.array([-np.inf, -0.0, np.inf], "float32")
    values, slopes = ACTIVATIONS[name].value(h), ACTIVATIONS[name].derivative(h)
    assert np.signbit(values[1]) == (name not in ("relu", "sigmoid", "softplus"))
    assert not np.isnan(values).any()
    assert np.isfinite(slopes).all()
    assert (slopes[0] == slopes[2] == 0) == ACTIVATIONS[name].saturates


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_a_loop_over_an_array_computes_several_elements_at_once(name, dtype):
    """The compiled loop has vector arithmetic, and calls no function of one number."""
    formula = FORMULAS[name]

    @njit(error_model="numpy")
    def passes(h, slopes):
        for i in range(h.size):
            value, slope, _ = formula(h[i])
            h[i], slopes[i] = value, slope

    passes(np.ones(64, dtype), np.ones(64, dtype))
    (assembly,) = passes.inspect_asm().values()
    assert re.search(r"v?(mul|max|blendv?|and|cmp\w*|mov[au])p[sd]\s.*%[xyz]mm", assembly)
    assert not re.search(r"\b(exp|expm1|log1p|tanh|erfc?|fma|pow|ldexp)f?\b", assembly)


def test_looking_up_a_name_needs_no_compiler():
    """Commands that do not train start without Numba."""
    code = "import sys, core.activations; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_formulas_and_facts_have_the_same_names():
    """An activation is a formula and an entry in the table."""
    assert list(FORMULAS) == list(ACTIVATIONS)
