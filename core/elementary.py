"""exp, log1p, erfc and 2^k for compiled loops: no branches and no calls, so that they vectorize.

A loop over an array that calls the C library's exp or erf computes one element at a time,
which takes 10 to 50 times as long. Each function here works in float32 and float64; where the
two need different polynomials, `polynomial` takes both and the compiler keeps one. The
polynomials are fits of tests/benchmarks/fit_polynomials.py, which says how good each is.

Results below the smallest normal number may be 0. NaN gives NaN.
"""

import math

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# No reassociation and no assumption about NaN, infinity or the sign of zero: the range
# reductions depend on the order of operations, and a diverged network is a result.
compiled = njit(cache=True, fastmath={"contract"}, error_model="numpy", forceinline=True)

LOG2_E = 1 / math.log(2)
# ln 2 in two parts: a multiple of the first by a whole number up to 2^7 (2^11) is exact.
LN2_HIGH_32, LN2_LOW_32 = 0.693359375, -2.12194440054690581e-4
LN2_HIGH_64, LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Below, exp is less than the smallest normal number.
LOWEST_32, LOWEST_64 = -87.336540, -708.396418

ERFC_CENTER = 3.0
# relative error 1.3e-7
EXP_32 = (
    5.0e-1,
    1.666657667e-1,
    4.166655421e-2,
    8.363232884e-3,
    1.392625083e-3,
)
# relative error 2.2e-16
EXP_64 = (
    5.000000000000001e-1,
    1.6666666666666667e-1,
    4.1666666666623821e-2,
    8.3333333333300382e-3,
    1.3888888917367081e-3,
    1.9841269863171556e-4,
    2.4801521057868205e-5,
    2.7557268276905696e-6,
    2.7620201591031549e-7,
    2.5100472505694996e-8,
)
# relative error 4.1e-9
LOG_32 = (
    2.000000008,
    6.666632164e-1,
    4.002459523e-1,
    2.796515775e-1,
    2.815777836e-1,
)
# relative error 4.7e-17
LOG_64 = (
    1.9999999999999999,
    6.6666666666682574e-1,
    3.99999999952876e-1,
    2.857142911165716e-1,
    2.2222190861346284e-1,
    1.8182859800473911e-1,
    1.5363676248891634e-1,
    1.3591305485579894e-1,
    9.8807890487647862e-2,
    1.7780763826113303e-1,
)
# relative error 1.3e-9
ERF_32 = (
    1.128379166,
    -3.761262667e-1,
    1.128359472e-1,
    -2.685421201e-2,
    5.189087423e-3,
    -8.016864287e-4,
    7.875875063e-5,
)
# relative error 1.4e-19
ERF_64 = (
    1.1283791670955126,
    -3.7612638903183748e-1,
    1.1283791670954879e-1,
    -2.6866170645076793e-2,
    5.2239776248180145e-3,
    -8.5483269808337899e-4,
    1.2055331111642711e-4,
    -1.4925595266831182e-5,
    1.6461000484121368e-6,
    -1.6350312701054695e-7,
    1.4659775274047436e-8,
    -1.1372848856791674e-9,
    5.9571761477489114e-11,
)
# relative error 5.0e-9
ERFC_32 = (
    1.074006906,
    8.8339446e-1,
    5.902284103e-1,
    3.104666589e-1,
    1.195273334e-1,
    2.683621734e-2,
    -1.216889072e-3,
    -3.077058e-3,
    -5.00258783e-4,
    3.342244062e-4,
)
# relative error 1.1e-16
ERFC_64 = (
    1.0740069070883398,
    8.8339445316988182e-1,
    5.9022835710408478e-1,
    3.1046726190074358e-1,
    1.1952776128812713e-1,
    2.6827234619337343e-2,
    -1.2124166429455022e-3,
    -3.0340619311525715e-3,
    -5.4830954311611527e-4,
    2.7677731214339725e-4,
    1.0756069036968853e-4,
    -3.0395667366073656e-5,
    -1.7468017504607247e-5,
    4.7417622168772977e-6,
    2.7605139440748466e-6,
    -9.844434334083343e-7,
    -4.0278033330867544e-7,
    2.1571917331417419e-7,
    4.3877170402548553e-8,
    -3.7399024560071508e-8,
    -1.7921683494249529e-9,
    3.171512421833757e-9,
)


@intrinsic  # type: ignore[untyped-decorator]
def by_precision(typingctx, x, short, long):  # type: ignore[no-untyped-def]
    """`short` where x is float32 and `long` where it is float64, in x's type."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        chosen = 1 if signature.args[0] == types.float32 else 2
        return context.cast(builder, args[chosen], signature.args[chosen], x)

    return x(x, short, long), codegen


@intrinsic  # type: ignore[untyped-decorator]
def polynomial(typingctx, x, short, long):  # type: ignore[no-untyped-def]
    """A polynomial by Horner's rule, coefficients from the constant up.

    Args:
        x: float32 or float64.
        short: Coefficients for float32, a tuple.
        long: Coefficients for float64, a tuple.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
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


@intrinsic  # type: ignore[untyped-decorator]
def _power_of_two(typingctx, shifted):  # type: ignore[no-untyped-def]
    """2^k, given k + 1.5 * 2^23 (2^52), whose lowest bits are k; -126 (-1022) <= k <= 127."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        kind = args[0].type
        width, fraction, one = (
            (32, 23, 127 << 23) if signature.args[0] == types.float32 else (64, 52, 1023 << 52)
        )
        whole = ir.IntType(width)
        bits = builder.bitcast(args[0], whole)
        exponent = builder.shl(bits, ir.Constant(whole, fraction))
        return builder.bitcast(builder.add(exponent, ir.Constant(whole, one)), kind)

    return shifted(shifted), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _upper_half(typingctx, x):  # type: ignore[no-untyped-def]
    """x with the lower half of its fraction cut off, so that its square is exact."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        kind = args[0].type
        width, cut = (32, 12) if signature.args[0] == types.float32 else (64, 27)
        whole = ir.IntType(width)
        mask = ir.Constant(whole, (1 << width) - (1 << cut))
        return builder.bitcast(builder.and_(builder.bitcast(args[0], whole), mask), kind)

    return x(x), codegen


@compiled  # type: ignore[untyped-decorator]
def exp_and_expm1(x, rest):  # type: ignore[no-untyped-def]
    """exp(x + rest) and exp(x + rest) - 1 for x <= 0 and |rest| much below 1.

    x = k ln 2 + r with whole k, and exp(r) - 1 = r + r^2 P(r) for |r| <= ln(2) / 2.
    """
    T = type(x)
    lowest = by_precision(x, LOWEST_32, LOWEST_64)
    inside = lowest if x < lowest else x
    whole = by_precision(x, 12582912.0, 6755399441055744.0)
    shifted = inside * T(LOG2_E) + whole
    k = shifted - whole
    r = inside - k * by_precision(x, LN2_HIGH_32, LN2_HIGH_64)
    r = r - (k * by_precision(x, LN2_LOW_32, LN2_LOW_64) - rest)
    less_one = r + r * r * polynomial(r, EXP_32, EXP_64)
    scale = _power_of_two(shifted)
    exp = T(0) if x < lowest else scale + scale * less_one
    return exp, scale * less_one + (scale - T(1))


@compiled  # type: ignore[untyped-decorator]
def exp(x):  # type: ignore[no-untyped-def]
    """exp(x) for x <= 0."""
    return exp_and_expm1(x, type(x)(0))[0]


@compiled  # type: ignore[untyped-decorator]
def expm1(x):  # type: ignore[no-untyped-def]
    """exp(x) - 1 for x <= 0."""
    return exp_and_expm1(x, type(x)(0))[1]


@compiled  # type: ignore[untyped-decorator]
def exp_of_minus_square(x, factor):  # type: ignore[no-untyped-def]
    """exp(-factor x^2), factor a power of two.

    x^2 in two parts: rounded to one number it would err by up to 87 (708) units in the
    last place of the result.
    """
    high = _upper_half(x)
    return exp_and_expm1(-factor * (high * high), -factor * ((x - high) * (x + high)))[0]


@compiled  # type: ignore[untyped-decorator]
def log1p(z):  # type: ignore[no-untyped-def]
    """ln(1 + z) for 0 <= z <= 1: 2 artanh w = w P(w^2) with w = z / (2 + z) <= 1/3."""
    w = z / (type(z)(2) + z)
    return w * polynomial(w * w, LOG_32, LOG_64)


@compiled  # type: ignore[untyped-decorator]
def scaled_erfc(x):  # type: ignore[no-untyped-def]
    """exp(x^2) erfc(x) for 0 <= x <= 30: P((K - x) / (K + x)) / (K + x).

    Shepherd and Laframboise (1981), Mathematics of Computation 36, have this map of the
    half line; the polynomial is fitted to it anew.
    """
    center = type(x)(ERFC_CENTER)
    near = type(x)(1) / (center + x)
    return near * polynomial((center - x) * near, ERFC_32, ERFC_64)


@compiled  # type: ignore[untyped-decorator]
def erf_near_zero(x):  # type: ignore[no-untyped-def]
    """erf(x) for |x| <= 1: x P(x^2)."""
    return x * polynomial(x * x, ERF_32, ERF_64)
