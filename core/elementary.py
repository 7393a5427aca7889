"""exp, log1p, erfc and 2^k for compiled loops: no branches and no calls, so that they vectorize.

A loop over an array that calls the C library's exp or erf computes one element at a time,
which takes 10 to 50 times as long. Each function here works in float32 and float64; where the
two need different polynomials, `polynomial` takes both and the compiler keeps one.

Results below the smallest normal number may be 0. NaN gives NaN.
"""

import math

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from core.compilation import inlined as compiled
from core.polynomials import (
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


@intrinsic
def by_precision(typingctx, x, short, long):
    """`short` where x is float32 and `long` where it is float64, in x's type."""

    def codegen(context, builder, signature, args):
        chosen = 1 if signature.args[0] == types.float32 else 2
        return context.cast(builder, args[chosen], signature.args[chosen], x)

    return x(x, short, long), codegen


@intrinsic
def polynomial(typingctx, x, short, long):
    """A polynomial by Horner's rule, coefficients from the constant up.

    Args:
        x: float32 or float64.
        short: Coefficients for float32, a tuple.
        long: Coefficients for float64, a tuple.
    """

    def codegen(context, builder, signature, args):
        chosen = 1 if signature.args[0] == types.float32 else 2
        kind = signature.args[chosen]
        terms = [
            context.cast(builder, builder.extract_value(args[chosen], n), kind[n], x)
            for n in range(len(kind))
        ]
        value = terms.pop()
        for term in reversed(terms):
            value = builder.call(_fmuladd(builder, args[0].type), [value, args[0], term])
        return value

    return x(x, short, long), codegen


def _fmuladd(builder: ir.IRBuilder, kind: ir.Type) -> ir.Function:
    return builder.module.declare_intrinsic(
        "llvm.fmuladd", [kind], ir.FunctionType(kind, [kind] * 3)
    )


@intrinsic
def _power_of_two(typingctx, shifted):
    """2^k, given k + 1.5 * 2^23 (2^52), whose lowest bits are k; -126 (-1022) <= k <= 127."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        width, fraction, one = (
            (32, 23, 127 << 23) if signature.args[0] == types.float32 else (64, 52, 1023 << 52)
        )
        whole = ir.IntType(width)
        bits = builder.bitcast(args[0], whole)
        exponent = builder.shl(bits, ir.Constant(whole, fraction))
        return builder.bitcast(builder.add(exponent, ir.Constant(whole, one)), kind)

    return shifted(shifted), codegen


@intrinsic
def _upper_half(typingctx, x):
    """x with the lower half of its fraction cut off, so that its square is exact."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        width, cut = (32, 12) if signature.args[0] == types.float32 else (64, 27)
        whole = ir.IntType(width)
        mask = ir.Constant(whole, (1 << width) - (1 << cut))
        return builder.bitcast(builder.and_(builder.bitcast(args[0], whole), mask), kind)

    return x(x), codegen


@intrinsic
def with_sign(typingctx, size, x):
    """`size` with the sign of x, that of zero included."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        copysign = builder.module.declare_intrinsic(
            "llvm.copysign", [kind], ir.FunctionType(kind, [kind] * 2)
        )
        return builder.call(copysign, args)

    return size(size, x), codegen


@intrinsic
def multiply_add(typingctx, x, y, z):
    """x y + z, rounded once where the processor can; else the product is rounded first."""

    def codegen(context, builder, signature, args):
        return builder.call(_fmuladd(builder, args[0].type), args)

    return x(x, x, x), codegen


@compiled
def pair(x, number):
    """A constant rounded to x's type, and the rest of it."""
    T = type(x)
    rounded = T(number)
    return rounded, T(number - float(rounded))


@compiled
def product(x, y):
    """x y, for pairs: both and the result are a rounded number and the rest of it."""
    rounded = x[0] * y[0]
    rest = multiply_add(x[0], y[0], -rounded)
    return rounded, multiply_add(x[0], y[1], multiply_add(x[1], y[0], rest))


@compiled
def rounded_product(x, y):
    """x y of two pairs, rounded once."""
    return multiply_add(x[0], y[0], multiply_add(x[0], y[1], x[1] * y[0]))


@compiled
def reciprocal(x):
    """1 / x of a pair, as a pair."""
    one = type(x[0])(1)
    rounded = one / x[0]
    rest = multiply_add(-rounded, x[1], multiply_add(-rounded, x[0], one))
    return rounded, rounded * rest


@compiled
def complement(x):
    """1 - x of a pair between 0 and 1, as a pair."""
    one = type(x[0])(1)
    rounded = one - x[0]
    return rounded, ((one - rounded) - x[0]) - x[1]


@compiled
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
    return T(0) if x < lowest else _power_of_two(shifted), d


@compiled
def exp_and_rest(x, lost):
    """exp(x - lost) as a pair; arguments are those of exp_parts."""
    T = type(x)
    scale, d = exp_parts(x, lost)
    rounded = T(1) + d
    return scale * rounded, scale * (d - (rounded - T(1)))


@compiled
def exp(x):
    """The exponential function of x <= 0."""
    return exp_and_rest(x, type(x)(0))[0]


@compiled
def expm1(x):
    """The exponential function less 1, of x <= 0."""
    scale, d = exp_parts(x, type(x)(0))
    return multiply_add(scale, d, scale - type(x)(1))


@compiled
def exp_of_minus_square(x, factor):
    """exp(-factor x^2) as a pair, factor a power of two.

    x^2 in two parts: rounded to one number it would err by up to 87 (708) units in the
    last place of the result.
    """
    high = _upper_half(x)
    return exp_and_rest(-factor * (high * high), factor * ((x - high) * (x + high)))


@compiled
def log1p(z):
    """ln(1 + z) for 0 <= z <= 1, as a pair: z - z^2 P(z)."""
    part = z * polynomial(z, LOG_32, LOG_64)
    rounded = multiply_add(-z, part, z)
    return rounded, multiply_add(-z, part, z - rounded)


@compiled
def shares(x):
    """1 / (1 + exp(-x)) and 1 / (1 + exp(x)) for x >= 0, two pairs."""
    T = type(x)
    z = exp_and_rest(-x, T(0))
    one_and_z = T(1) + z[0]
    larger = reciprocal((one_and_z, (z[0] - (one_and_z - T(1))) + z[1]))
    return larger, product(z, larger)


@compiled
def normal_tail(x):
    """Phi(-x) exp(x^2 / 2) for 0 <= x <= 38, as a pair; Phi is the normal distribution function.

    P((K - x) / (K + x)) / (K + x). Shepherd and Laframboise (1981), Mathematics of
    Computation 36, have this map of the half line; the polynomial is fitted to it anew.
    """
    T = type(x)
    K = T(TAIL_CENTER)
    sum = K + x
    near = reciprocal((sum, x - (sum - K)))
    # s = 1 - 2 x near
    s = multiply_add(T(-2) * x, near[0], T(1))
    s_rest = multiply_add(T(-2) * x, near[0], T(1) - s)
    s += multiply_add(T(-2) * x, near[1], s_rest)
    at_zero, at_zero_rest = pair(x, TAIL_FIRST)
    slope = polynomial(s, TAIL_32, TAIL_64)
    value = multiply_add(s, slope, at_zero)
    rest = multiply_add(s, slope, at_zero - value) + at_zero_rest
    return product((value, rest), near)


@compiled
def erf_near_zero(x):
    """erf(x) for |x| <= 1: x + x P(x^2)."""
    return multiply_add(x, polynomial(x * x, ERF_32, ERF_64), x)


@compiled
def tanh_near_zero(x):
    """tanh(x) for |x| <= 0.6: x + x^3 P(x^2)."""
    square = x * x
    return multiply_add(x, square * polynomial(square, TANH_32, TANH_64), x)
