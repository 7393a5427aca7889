"""Each activation once: a compiled function h -> (phi(h), phi'(h), phi''(h)).

The function of an activation bears its name in core.functions.activations.ACTIVATIONS. It takes a
number, float32 or float64, and works in its type; loops over arrays inline it, leave out
what they do not use, and vectorize, as long as it has no branches and calls nothing but
core.functions.elementary, .pairs and .intrinsics. Values and slopes are right to 2 units in the
last place of float32, tails included, second derivatives to 8, where the processor has a
fused multiply-add. Results within a factor of 100 of the smallest normal number may be 0.

At a kink phi' is the derivative from the left. NaN gives NaN, infinities give limits.
"""

from math import pi, sqrt

from core.compilation import inlined
from core.functions.elementary import (
    erf_near_zero,
    exp,
    exp_of_minus_square,
    expm1,
    log1p,
    normal_tail,
    shares,
    tanh_near_zero,
)
from core.functions.intrinsics import multiply_add, with_sign
from core.functions.pairs import complement, pair, product, rounded_product

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), arXiv:1706.02515: keeps zero mean and unit variance fixed.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
# From here on exp(-h) is 0 in both precisions, and nothing has overflowed yet.
FAR = 750.0


@inlined
def linear(h):
    """phi(h) = h."""
    T = type(h)
    return h, T(1) if h == h else h, T(0) if h == h else h


@inlined
def relu(h):
    """The positive part, max(h, 0)."""
    T = type(h)
    positive = h > T(0)
    none = T(0) if h <= T(0) else h  # NaN stays NaN
    return none if not positive else h, T(1) if positive else none, T(0) if h == h else h


@inlined
def leaky_relu(h):
    """h where positive, else 0.01 h."""
    T = type(h)
    small = T(LEAKY_SLOPE)
    negative = small if h <= T(0) else h
    return h if h > T(0) else small * h, T(1) if h > T(0) else negative, T(0) if h == h else h


@inlined
def sigmoid(h):
    """1 / (1 + exp(-h))."""
    T = type(h)
    larger, smaller = shares(abs(h))
    slope = rounded_product(larger, smaller)
    bend = expm1(-abs(h)) * larger[0] * slope
    value = smaller[0] + smaller[1] if h < T(0) else larger[0] + larger[1]
    return value, slope, -bend if h < T(0) else bend


@inlined
def tanh(h):
    """The hyperbolic tangent, 1 - 2 / (1 + exp(2 |h|)) but near 0."""
    T = type(h)
    size = abs(h)
    larger, smaller = shares(T(2) * size)
    far = T(1) - T(2) * smaller[0]
    a = with_sign(tanh_near_zero(size) if size < T(0.55) else far, h)
    slope = T(4) * rounded_product(larger, smaller)
    return a, slope, T(-2) * a * slope


@inlined
def erf(h):
    """The error function, 1 - 2 Phi(-sqrt(2) h) but near 0, Phi the normal distribution."""
    T = type(h)
    size = abs(h)
    x = T(FAR) if size > T(FAR) else size
    density = exp_of_minus_square(x, T(1))
    far = T(1) - T(2) * density[0] * normal_tail(x * T(sqrt(2)))[0]
    a = with_sign(erf_near_zero(x) if size < T(1) else far, h)
    slope = rounded_product(density, pair(h, 2 / sqrt(pi)))
    return a, slope, T(-2) * with_sign(x, h) * slope


@inlined
def gelu(h):
    """h Phi(h), Phi the normal distribution function: the exact GELU, not its tanh fit."""
    T = type(h)
    x = T(FAR) if abs(h) > T(FAR) else abs(h)
    signed = with_sign(x, h)
    kernel = exp_of_minus_square(x, T(0.5))
    below = product(kernel, normal_tail(x))  # Phi(-x)
    above = complement(below)
    share = below[0] if h < T(0) else above[0]
    share_rest = below[1] if h < T(0) else above[1]
    density, density_rest = product(kernel, pair(h, 1 / sqrt(2 * pi)))
    return (
        multiply_add(signed if h < T(0) else h, share, signed * share_rest),
        multiply_add(signed, density, multiply_add(signed, density_rest, share_rest)) + share,
        density * multiply_add(-x, x, T(2)),
    )


@inlined
def silu(h):
    """h times the sigmoid of h."""
    T = type(h)
    x = T(FAR) if abs(h) > T(FAR) else abs(h)
    signed = with_sign(x, h)
    larger, smaller = shares(x)
    share = smaller[0] if h < T(0) else larger[0]
    share_rest = smaller[1] if h < T(0) else larger[1]
    other = larger[0] if h < T(0) else smaller[0]
    other_rest = larger[1] if h < T(0) else smaller[1]
    growth = multiply_add(signed, other, T(1)), signed * other_rest
    return (
        multiply_add(signed if h < T(0) else h, share, signed * share_rest),
        rounded_product((share, share_rest), growth),
        smaller[0] * larger[0] * multiply_add(-x, larger[0] - smaller[0], T(2)),
    )


@inlined
def softplus(h):
    """ln(1 + exp(h))."""
    T = type(h)
    slope, bend, _ = sigmoid(h)
    # Where h is NaN, so is the logarithm.
    curved, curved_rest = log1p(exp(-abs(h)))
    return curved + ((h if h > T(0) else T(0)) + curved_rest), slope, bend


@inlined
def elu(h):
    """h where positive, else exp(h) - 1."""
    T = type(h)
    curved_part = T(0) if h > T(0) else h
    z, less_one = exp(curved_part), expm1(curved_part)
    return (
        less_one if h < T(0) else h,
        z,
        T(0) if h > T(0) else z,
    )


@inlined
def selu(h):
    """s h where positive, else s alpha (exp(h) - 1)."""
    T = type(h)
    curved_part = T(0) if h > T(0) else h
    z, less_one = exp(curved_part), expm1(curved_part)
    curved = T(SELU_SCALE * SELU_ALPHA)
    return (
        curved * less_one if h < T(0) else T(SELU_SCALE) * h,
        T(SELU_SCALE) if h > T(0) else curved * z,
        T(0) if h > T(0) else curved * z,
    )


@inlined
def one_of_value(a):
    """The slope of linear from its value."""
    T = type(a)
    return T(1) if a == a else a


@inlined
def relu_slope(a):
    """The slope of relu from its value, which is 0 or NaN where not positive."""
    return type(a)(1) if a > type(a)(0) else a


@inlined
def leaky_relu_slope(a):
    """The slope of leaky_relu from its value."""
    T = type(a)
    negative = T(LEAKY_SLOPE) if a <= T(0) else a
    return T(1) if a > T(0) else negative


@inlined
def sigmoid_slope(a):
    """The slope of sigmoid from its value."""
    return a * (type(a)(1) - a)


@inlined
def tanh_slope(a):
    """The slope of tanh from its value."""
    return type(a)(1) - a * a


@inlined
def softplus_slope(a):
    """The slope of softplus, 1 - exp(-a), from its value."""
    return -expm1(-a)


@inlined
def elu_slope(a):
    """The slope of elu from its value."""
    T = type(a)
    return T(1) if a > T(0) else a + T(1)


@inlined
def selu_slope(a):
    """The slope of selu from its value."""
    T = type(a)
    return T(SELU_SCALE) if a > T(0) else a + T(SELU_SCALE * SELU_ALPHA)


FORMULAS = {
    "linear": linear,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "erf": erf,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "silu": silu,
    "softplus": softplus,
}

# Activations whose slope follows from their value, so that a trainer need not keep the slope.
# Where the activation saturates, the error of such a slope is relative to 1, not to the slope.
SLOPES_FROM_VALUES = {
    "linear": one_of_value,
    "sigmoid": sigmoid_slope,
    "tanh": tanh_slope,
    "relu": relu_slope,
    "leaky_relu": leaky_relu_slope,
    "elu": elu_slope,
    "selu": selu_slope,
    "softplus": softplus_slope,
}
