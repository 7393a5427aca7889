"""Activations: mpmath's numbers, derivatives, limits, dtypes, in-place use, vector code."""

import re
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from core.functions.activation_formulas import FORMULAS, SLOPES_FROM_VALUES
from core.functions.activations import ACTIVATIONS, canonical_activation

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
    np.testing.assert_allclose(slopes, ACTIVATIONS[name].asymptotic_slopes, atol=1e-7)


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


def as_selu(positive, negative):
    """A number of SELU from that of h and that of the exponential."""
    scale, alpha = mp.mpf("1.0507009873554805"), mp.mpf("1.6732632423543772")
    return lambda h: scale * (positive(h) if h > 0 else alpha * negative(h))


def one(h):
    """The slope of a straight line."""
    return 1


def zero(h):
    """Its second derivative."""
    return 0


# phi, phi', phi''.
EXACT = {
    "linear": (lambda h: h, one, zero),
    "sigmoid": (
        logistic,
        lambda h: logistic(h) * logistic(-h),
        lambda h: -logistic(h) * logistic(-h) * mp.tanh(h / 2),
    ),
    "tanh": (mp.tanh, lambda h: mp.sech(h) ** 2, lambda h: -2 * mp.tanh(h) * mp.sech(h) ** 2),
    "erf": (
        mp.erf,
        lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h),
        lambda h: -4 * h / mp.sqrt(mp.pi) * mp.exp(-h * h),
    ),
    "relu": (lambda h: max(h, 0), lambda h: h > 0, zero),
    "leaky_relu": (
        lambda h: max(h, mp.mpf("0.01") * h),
        lambda h: 1 if h > 0 else mp.mpf("0.01"),
        zero,
    ),
    "elu": (
        lambda h: h if h > 0 else mp.expm1(h),
        lambda h: 1 if h > 0 else mp.exp(h),
        lambda h: 0 if h > 0 else mp.exp(h),
    ),
    "selu": (as_selu(lambda h: h, mp.expm1), as_selu(one, mp.exp), as_selu(zero, mp.exp)),
    "gelu": (
        lambda h: h * ncdf(h),
        lambda h: ncdf(h) + h * normal_density(h),
        lambda h: normal_density(h) * (2 - h * h),
    ),
    "silu": (
        lambda h: h * logistic(h),
        lambda h: logistic(h) * (1 + h * logistic(-h)),
        lambda h: logistic(h) * logistic(-h) * (2 - h * mp.tanh(h / 2)),
    ),
    "softplus": (
        lambda h: mp.log1p(mp.exp(h)),
        logistic,
        lambda h: logistic(h) * logistic(-h),
    ),
}
# The most that phi, phi' and phi'' may be off, in units in the last place of float32, and
# relative to the number in float64.
FLOAT32_UNITS = (2.0, 2.0, 8.0)
FLOAT64_ERRORS = (1e-15, 1e-15, 2e-15)
# GELU's and SiLU's phi' cross zero at -0.75 and -1.28, their phi'' at 1.41 and 2.40. There
# each is right as a number of this size would be: to rounding of the terms that cancel.
CANCELING = {"gelu": (0, 0.25, 0.1), "silu": (0, 0.25, 0.1)}
CROSSINGS = (0, 2, 5)


def size_of_unit(name, part, h, exact):
    """The numbers whose last place errors of phi (part 0), phi' or phi'' are counted in."""
    least = np.where(np.abs(h) < CROSSINGS[part], CANCELING.get(name, (0, 0, 0))[part], 0)
    return np.maximum(np.abs(exact), least)


def largest_error(h, errors, sizes):
    """The largest error and its h: in units of float32, or relative in float64."""
    # Results this close to the smallest normal number may be 0.
    flushed = float(np.finfo(h.dtype).tiny) * (128 if h.dtype == "float32" else 1024)
    units = np.spacing(sizes.astype("float32")).astype(float) if h.dtype == "float32" else sizes
    relative = np.divide(errors, units, out=np.zeros_like(sizes), where=errors > flushed)
    worst = np.argmax(relative)
    return relative[worst], h[worst]


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
@pytest.mark.parametrize("name", EXACT)
def test_the_three_functions_are_mpmaths_over_the_whole_range(name, dtype):
    """To 2 units in the last place of float32, 1e-15 of float64, at every magnitude."""
    h, activation = over_the_whole_range(dtype), ACTIVATIONS[name]
    functions = (activation.value, activation.derivative, activation.second_derivative)
    limits = FLOAT32_UNITS if dtype == "float32" else FLOAT64_ERRORS
    for part, (function, limit) in enumerate(zip(functions, limits, strict=True)):
        with mp.workdps(40):
            exact = [mp.mpf(EXACT[name][part](mp.mpf(float(x)))) for x in h]
            errors = [abs(mp.mpf(float(y)) - e) for y, e in zip(function(h), exact, strict=True)]
        exact, errors = (
            np.array([float(mp.chop(e, 1e-320)) for e in of]) for of in (exact, errors)
        )
        with np.errstate(under="ignore"):
            error, where = largest_error(h, errors, size_of_unit(name, part, h, exact))
        assert error <= limit, f"{error:.3g} in derivative {part} at h = {where!r}"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_is_float64_to_two_units_in_the_last_place(name):
    """Over a million floats, evenly spread among those that no limit is reached at."""
    bits = np.linspace(*np.array([2.0**-30, 120.0], "float32").view("uint32"), 1_000_000)
    sizes = bits.astype("uint32").view("float32")
    h, activation = np.concatenate([-sizes, sizes]), ACTIVATIONS[name]
    functions = (activation.value, activation.derivative, activation.second_derivative)
    for part, (function, limit) in enumerate(zip(functions, FLOAT32_UNITS, strict=True)):
        exact = function(h.astype("float64"))
        with np.errstate(under="ignore"):
            sizes = size_of_unit(name, part, h, exact)
            error, where = largest_error(h, np.abs(function(h) - exact), sizes)
        assert error <= limit, f"{error:.3g} in derivative {part} at h = {where!r}"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_sign_of_zero_and_the_limits_at_infinity(name):
    """Where phi(0) = 0 with a slope, phi(-0) is -0; at infinity there is a limit, not NaN."""
    h = np.array([-np.inf, -0.0, np.inf], "float32")
    values, slopes = ACTIVATIONS[name].value(h), ACTIVATIONS[name].derivative(h)
    assert np.signbit(values[1]) == (name not in ("relu", "sigmoid", "softplus"))
    assert not np.isnan(values).any()
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_asymptotic_slopes_are_those_far_out(name):
    """Where only the slopes far out count, the theory may take these."""
    activation, far = ACTIVATIONS[name], np.array([-1e4, 1e4])
    below, above = activation.asymptotic_slopes
    slopes = (activation.value(2 * far) - activation.value(far)) / far
    np.testing.assert_allclose(slopes, [below, above], atol=1e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_a_straight_line_from_where_it_says(name):
    """Theory takes it as one there; one that is not says that it never is."""
    activation = ACTIVATIONS[name]
    far = np.geomspace(min(activation.straight_from, 40.0), 1e6, 200)
    is_straight = True
    for sign, slope in zip((-1, 1), activation.asymptotic_slopes, strict=True):
        line = activation.value(sign * far[:1]) + slope * sign * (far - far[0])
        for function, limit in ((activation.value, line), (activation.derivative, slope)):
            is_straight &= np.allclose(function(sign * far), limit, rtol=1e-13, atol=1e-15)
    assert is_straight == (activation.straight_from < np.inf)


def test_those_saturate_whose_slopes_vanish_at_both_ends():
    """A slope that vanishes at one end alone leaves the other to pass gradients."""
    assert all(ACTIVATIONS[name].saturates for name in ("sigmoid", "tanh", "erf"))
    assert not any(ACTIVATIONS[name].saturates for name in ("relu", "elu", "softplus", "linear"))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_odd_is_said_of_exactly_those_that_are(name):
    """phi(-h) = -phi(h)."""
    activation, h = ACTIVATIONS[name], np.linspace(0.1, 9, 50)
    mirrored = -activation.value(-h)
    assert activation.odd == np.allclose(mirrored, activation.value(h), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_homogeneous_is_said_of_exactly_those_that_scale(name):
    """phi(2h) = 2 phi(h) decides which theory holds at every variance."""
    activation = ACTIVATIONS[name]
    twice, scaled = activation.value(2 * AWAY_FROM_KINKS), 2 * activation.value(AWAY_FROM_KINKS)
    assert activation.homogeneous == np.allclose(twice, scaled, rtol=1e-12, atol=0)


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
    code = "import sys, core.functions.activations; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_formulas_and_facts_have_the_same_names():
    """An activation is a formula and an entry in the table."""
    assert list(FORMULAS) == list(ACTIVATIONS)
