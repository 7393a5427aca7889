"""Each activation once: a compiled function h -> (phi(h), phi'(h), phi''(h)).

The function of an activation bears its name in core.activations.ACTIVATIONS. It takes a
number, float32 or float64, and works in its type; loops over arrays inline it, leave out
what they do not use, and vectorize, as long as it has no branches and calls nothing but
core.elementary. Within two units in the last place of float32 (1e-14 of float64), tails
included, wherever the result is a normal number; what the tests hold says where less.

At a kink phi' is the derivative from the left. NaN gives NaN, infinities give limits.
"""

from math import pi, sqrt

from core.elementary import (
    compiled,
    erf_near_zero,
    exp,
    exp_and_expm1,
    exp_of_minus_square,
    expm1,
    log1p,
    scaled_erfc,
)

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), arXiv:1706.02515: keeps zero mean and unit variance fixed.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
# From here on exp(-h) is 0 in both precisions, and so is exp(-h^2) from its root on.
FAR = 750.0
FAR_IN_SQUARE = 30.0


@compiled
def linear(h):
    """phi(h) = h."""
    T = type(h)
    return h, T(1) if h == h else h, T(0) if h == h else h


@compiled
def relu(h):
    """The positive part, max(h, 0)."""
    T = type(h)
    positive = h > T(0)
    none = T(0) if h <= T(0) else h  # NaN stays NaN
    return none if not positive else h, T(1) if positive else none, T(0) if h == h else h


@compiled
def leaky_relu(h):
    """h where positive, else 0.01 h."""
    T = type(h)
    small = T(LEAKY_SLOPE)
    negative = small if h <= T(0) else h
    return h if h > T(0) else small * h, T(1) if h > T(0) else negative, T(0) if h == h else h


@compiled
def sigmoid(h):
    """1 / (1 + exp(-h))."""
    T = type(h)
    z, less_one = exp_and_expm1(-abs(h), T(0))
    larger = T(1) / (T(1) + z)
    smaller = z * larger
    slope = smaller * larger
    bend = less_one * larger * slope
    return (
        smaller if h < T(0) else larger,
        slope,
        -bend if h < T(0) else bend,
    )


@compiled
def tanh(h):
    """The hyperbolic tangent, (1 - z) / (1 + z) with z = exp(-2 |h|)."""
    T = type(h)
    z, less_one = exp_and_expm1(T(-2) * abs(h), T(0))
    size = -less_one / (T(2) + less_one)
    near = T(1) - size * size
    far = T(4) * z / ((T(1) + z) * (T(1) + z))
    a = -size if h < T(0) else (size if h != T(0) else h)
    slope = near if size < T(0.5) else far
    return a, slope, T(-2) * a * slope


@compiled
def erf(h):
    """The error function."""
    T = type(h)
    size = abs(h)
    x = T(FAR_IN_SQUARE) if size > T(FAR_IN_SQUARE) else size
    density = exp_of_minus_square(x, T(1))
    far = T(1) - density * scaled_erfc(x)
    a = erf_near_zero(h) if size < T(1) else (-far if h < T(0) else far)
    slope = T(2 / sqrt(pi)) * density
    bend = T(-2) * x * slope
    return a, slope, -bend if h < T(0) else bend


@compiled
def gelu(h):
    """h Phi(h), Phi the normal distribution function: the exact GELU, not its tanh fit.

    Phi(-x) = exp(-x^2 / 2) R(x) / 2, R the scaled erfc of x / sqrt(2).
    """
    T = type(h)
    size = abs(h)
    x = T(FAR_IN_SQUARE * 1.5) if size > T(FAR_IN_SQUARE * 1.5) else size
    density = exp_of_minus_square(x, T(0.5))
    tail = T(0.5) * scaled_erfc(x * T(sqrt(0.5)))
    weighted = x * tail * density  # x Phi(-x), in the order that loses no tail
    rest = T(1 / sqrt(2 * pi)) * x - tail
    slope = -density * rest
    bend = density * T(1 / sqrt(2 * pi)) * (T(2) - x * x)
    return (
        -weighted if h < T(0) else h - weighted,
        slope if h < T(0) else T(1) - slope,
        bend,
    )


@compiled
def silu(h):
    """h times the sigmoid of h."""
    T = type(h)
    size = abs(h)
    x = T(FAR) if size > T(FAR) else size
    z, less_one = exp_and_expm1(-x, T(0))
    larger = T(1) / (T(1) + z)
    smaller = z * larger
    signed = -x if h < T(0) else x
    a = -x * z * larger if h < T(0) else h * larger
    slope = smaller * (T(1) - x * larger) if h < T(0) else larger * (T(1) + x * smaller)
    return a, slope, smaller * larger * (T(2) + x * less_one * larger)


@compiled
def softplus(h):
    """ln(1 + exp(h))."""
    T = type(h)
    slope, bend, _ = sigmoid(h)
    # Where h is NaN, so is the logarithm.
    return log1p(exp(-abs(h))) + (h if h > T(0) else T(0)), slope, bend


@compiled
def elu(h):
    """h where positive, else exp(h) - 1."""
    T = type(h)
    z, less_one = exp_and_expm1(T(0) if h > T(0) else h, T(0))
    return (
        less_one if h < T(0) else h,
        z,
        T(0) if h > T(0) else z,
    )


@compiled
def selu(h):
    """s h where positive, else s alpha (exp(h) - 1)."""
    T = type(h)
    z, less_one = exp_and_expm1(T(0) if h > T(0) else h, T(0))
    curved = T(SELU_SCALE * SELU_ALPHA)
    return (
        curved * less_one if h < T(0) else T(SELU_SCALE) * h,
        T(SELU_SCALE) if h > T(0) else curved * z,
        T(0) if h > T(0) else curved * z,
    )


@compiled
def one_of_value(a):
    """The slope of linear from its value."""
    T = type(a)
    return T(1) if a == a else a


@compiled
def relu_slope(a):
    """The slope of relu from its value, which is 0 or NaN where not positive."""
    return type(a)(1) if a > type(a)(0) else a


@compiled
def leaky_relu_slope(a):
    """The slope of leaky_relu from its value."""
    T = type(a)
    negative = T(LEAKY_SLOPE) if a <= T(0) else a
    return T(1) if a > T(0) else negative


@compiled
def sigmoid_slope(a):
    """The slope of sigmoid from its value."""
    return a * (type(a)(1) - a)


@compiled
def tanh_slope(a):
    """The slope of tanh from its value."""
    return type(a)(1) - a * a


@compiled
def softplus_slope(a):
    """The slope of softplus, 1 - exp(-a), from its value."""
    return -expm1(-a)


@compiled
def elu_slope(a):
    """The slope of elu from its value."""
    T = type(a)
    return T(1) if a > T(0) else a + T(1)


@compiled
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

# Those whose slope follows from the value, so that a trainer need keep nothing else. What it
# gives is right to rounding of 1, not of the slope itself, where the activation saturates.
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
