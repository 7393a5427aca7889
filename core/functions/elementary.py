"""exp, log1p and the normal distribution for compiled loops: no branches and no calls.

A loop over an array that calls the C library's exp or erf computes one element at a time,
which takes 10 to 50 times as long as vector code. Each function here works in float32 and
float64. Results below the smallest normal number may be 0. NaN gives NaN. A pair is a number
of core.functions.pairs.
"""

import math

from core.compilation import inlined
from core.functions.intrinsics import (
    by_precision,
    multiply_add,
    polynomial,
    power_of_two,
    upper_half,
)
from core.functions.pairs import pair, plus, product, reciprocal
from core.functions.polynomials import (
    ERF_32,
    ERF_64,
    EXP_32,
    EXP_64,
    LOG_32,
    LOG_64,
    TAIL_32,
    TAIL_64,
    TAIL_CENTER,
    TAIL_FIRST,
    TANH_32,
    TANH_64,
)

LOG2_E = 1 / math.log(2)
# ln 2 in two parts: a multiple of the first by a whole number up to 2^7 (2^11) is exact.
LN2_HIGH_32, LN2_LOW_32 = 0.693359375, -2.12194440054690581e-4
LN2_HIGH_64, LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Below, exp is less than the smallest normal number.
LOWEST_32, LOWEST_64 = -87.336540, -708.396418


@inlined
def exp_parts(x, lost):
    """exp(x - lost) = scale (1 + d) for x <= 0 and |lost| much below |x|, or 0.

    x - lost = k ln 2 + r with whole k, and d = exp(r) - 1 = r + r^2 P(r), |r| <= ln(2) / 2.

    Returns:
        scale: 2^k; 0 where exp(x) is less than the smallest normal number.
        d: Between -0.3 and 0.42.
    """
    T = type(x)
    lowest = by_precision(x, LOWEST_32, LOWEST_64)
    inside = lowest if x < lowest else x
    whole = by_precision(x, 12582912.0, 6755399441055744.0)
    shifted = multiply_add(inside - lost, T(LOG2_E), whole)
    k = shifted - whole
    high = multiply_add(-k, by_precision(x, LN2_HIGH_32, LN2_HIGH_64), inside)  # exact
    low = multiply_add(-k, by_precision(x, LN2_LOW_32, LN2_LOW_64), -lost)
    r = high + low
    d = r + multiply_add(r * r, polynomial(r, EXP_32, EXP_64), low - (r - high))
    return T(0) if x < lowest else power_of_two(shifted), d


@inlined
def exp_and_rest(x, lost):
    """exp(x - lost) as a pair; arguments are those of exp_parts."""
    T = type(x)
    scale, d = exp_parts(x, lost)
    rounded = T(1) + d
    return scale * rounded, scale * (d - (rounded - T(1)))


@inlined
def exp(x):
    """The exponential function of x <= 0."""
    return exp_and_rest(x, type(x)(0))[0]


@inlined
def expm1(x):
    """The exponential function less 1, of x <= 0."""
    scale, d = exp_parts(x, type(x)(0))
    return multiply_add(scale, d, scale - type(x)(1))


@inlined
def exp_of_minus_square(x, factor):
    """exp(-factor x^2) as a pair, factor a power of two.

    x^2 in two parts: rounded to one number it would err by up to 87 (708) units in the
    last place of the result.
    """
    high = upper_half(x)
    return exp_and_rest(-factor * (high * high), factor * ((x - high) * (x + high)))


@inlined
def log1p(z):
    """ln(1 + z) for 0 <= z <= 1, as a pair: z - z^2 P(z)."""
    part = z * polynomial(z, LOG_32, LOG_64)
    rounded = multiply_add(-z, part, z)
    return rounded, multiply_add(-z, part, z - rounded)


@inlined
def shares(x):
    """1 / (1 + exp(-x)) and 1 / (1 + exp(x)) for x >= 0, two pairs."""
    T = type(x)
    z = exp_and_rest(-x, T(0))
    one_and_z, rest = plus(T(1), z[0])
    larger = reciprocal((one_and_z, rest + z[1]))
    return larger, product(z, larger)


@inlined
def normal_tail(x):
    """Phi(-x) exp(x^2 / 2) for 0 <= x <= 38, as a pair; Phi is the normal distribution function.

    P((K - x) / (K + x)) / (K + x). Shepherd and Laframboise (1981), Mathematics of
    Computation 36, have this map of the half line; the polynomial is fitted to it anew.
    """
    T = type(x)
    near = reciprocal(plus(T(TAIL_CENTER), x))
    # s = 1 - 2 x near
    s = multiply_add(T(-2) * x, near[0], T(1))
    s_rest = multiply_add(T(-2) * x, near[0], T(1) - s)
    s += multiply_add(T(-2) * x, near[1], s_rest)
    at_zero, at_zero_rest = pair(x, TAIL_FIRST)
    slope = polynomial(s, TAIL_32, TAIL_64)
    value = multiply_add(s, slope, at_zero)
    rest = multiply_add(s, slope, at_zero - value) + at_zero_rest
    return product((value, rest), near)


@inlined
def erf_near_zero(x):
    """erf(x) for |x| <= 1: x + x P(x^2)."""
    return multiply_add(x, polynomial(x * x, ERF_32, ERF_64), x)


@inlined
def tanh_near_zero(x):
    """tanh(x) for |x| <= 0.6: x + x^3 P(x^2)."""
    square = x * x
    return multiply_add(x, square * polynomial(square, TANH_32, TANH_64), x)
