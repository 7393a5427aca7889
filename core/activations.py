"""Activations with their first and second derivatives: name -> Activation.

Every function works element by element on an array of any shape, keeps its dtype, and
writes into `out` when given one (which may be its own argument), so the trainer's inner
loop allocates nothing for the common activations.
"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.floating]

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), arXiv:1706.02515: keeps zero mean and unit variance fixed.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


class Elementwise(Protocol):
    """A function of each element; `out` may be the argument itself."""

    def __call__(self, x: Array, /, out: Array | None = None) -> Array:
        """Args: x: Any shape. out: Where to write, of the same shape."""


@dataclass(frozen=True)
class Activation:
    """phi with phi' and phi'', all three as functions of the pre-activation h.

    `slope_from_output` gives phi' from the value phi(h) where that determines it, so
    that the trainer need not keep h; None where it does not. `kinks` are the points at
    which a derivative jumps: a quadrature must not integrate across them.
    `saturates` says that phi' vanishes at both ends.
    """

    value: Elementwise
    derivative: Elementwise
    second_derivative: Elementwise
    slope_from_output: Elementwise | None = None
    kinks: tuple[float, ...] = ()
    saturates: bool = False


def linear(h: Array, out: Array | None = None) -> Array:
    return h if out is h else np.positive(h, out=out)


def linear_slope(h: Array, out: Array | None = None) -> Array:
    return np.add(np.multiply(h, 0, out=out), 1, out=out)


def zero(h: Array, out: Array | None = None) -> Array:
    return np.multiply(h, 0, out=out)


def sigmoid(h: Array, out: Array | None = None) -> Array:
    # exp overflows to inf for very negative h, and 1 / inf is the right 0.
    out = np.exp(np.negative(h, out=out), out=out)
    return np.reciprocal(np.add(out, 1, out=out), out=out)


def sigmoid_slope_from_output(a: Array, out: Array | None = None) -> Array:
    return np.multiply(a, 1 - a, out=out)


def sigmoid_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(sigmoid(h), sigmoid(-h), out=out)


def sigmoid_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(sigmoid_derivative(h), sigmoid(-h) - sigmoid(h), out=out)


def tanh(h: Array, out: Array | None = None) -> Array:
    return np.tanh(h, out=out)


def tanh_slope_from_output(a: Array, out: Array | None = None) -> Array:
    return np.subtract(1, np.multiply(a, a, out=out), out=out)


def tanh_derivative(h: Array, out: Array | None = None) -> Array:
    # 4 s(2h) s(-2h) keeps its relative accuracy in the tails, 1 - tanh^2 does not.
    return np.multiply(4 * sigmoid(2 * h), sigmoid(-2 * h), out=out)


def tanh_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(-2 * np.tanh(h), tanh_derivative(h), out=out)


def erf(h: Array, out: Array | None = None) -> Array:
    return special.erf(h, out=out)


def erf_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(np.exp(-h * h), 2 / sqrt(pi), out=out)


def erf_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(-2 * h, erf_derivative(h), out=out)


def relu(h: Array, out: Array | None = None) -> Array:
    # maximum(h, 0), which NumPy does not vectorize beside a scalar, but for the sign of zero.
    return np.clip(h, 0, np.inf, out=out)


def _negative_part(h: Array, out: Array | None = None) -> Array:
    return np.clip(h, -np.inf, 0, out=out)


def step(h: Array, out: Array | None = None) -> Array:
    """1 where positive, else 0: the derivative of ReLU, which we take as 0 at 0."""
    return np.greater(h, 0, out=np.empty_like(h) if out is None else out)


def leaky_relu(h: Array, out: Array | None = None) -> Array:
    return np.maximum(h, LEAKY_SLOPE * h, out=out)


def leaky_relu_slope(h: Array, out: Array | None = None) -> Array:
    return np.add(np.multiply(step(h, out=out), 1 - LEAKY_SLOPE, out=out), LEAKY_SLOPE, out=out)


def elu(h: Array, out: Array | None = None) -> Array:
    return np.add(np.expm1(_negative_part(h)), relu(h), out=out)


def elu_slope_from_output(a: Array, out: Array | None = None) -> Array:
    return np.add(_negative_part(a, out=out), 1, out=out)


def elu_derivative(h: Array, out: Array | None = None) -> Array:
    return np.exp(_negative_part(h, out=out), out=out)


def elu_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(np.exp(_negative_part(h)), 1 - step(h), out=out)


def selu(h: Array, out: Array | None = None) -> Array:
    negative = SELU_ALPHA * np.expm1(_negative_part(h))
    return np.multiply(negative + relu(h), SELU_SCALE, out=out)


def selu_derivative(h: Array, out: Array | None = None) -> Array:
    negative = SELU_ALPHA * np.exp(_negative_part(h)) * (1 - step(h))
    return np.multiply(negative + step(h), SELU_SCALE, out=out)


def selu_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(elu_second_derivative(h), SELU_SCALE * SELU_ALPHA, out=out)


def normal_density(h: Array) -> Array:
    return np.exp(-h * h / 2) / sqrt(2 * pi)


def gelu(h: Array, out: Array | None = None) -> Array:
    """h times the normal distribution function: the exact GELU, not its tanh fit."""
    return np.multiply(h, special.ndtr(h), out=out)


def gelu_derivative(h: Array, out: Array | None = None) -> Array:
    return np.add(special.ndtr(h), h * normal_density(h), out=out)


def gelu_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(normal_density(h), 2 - h * h, out=out)


def silu(h: Array, out: Array | None = None) -> Array:
    return np.multiply(h, sigmoid(h), out=out)


def silu_derivative(h: Array, out: Array | None = None) -> Array:
    s = sigmoid(h)  # where 1 - s cancels, it is too small beside 1 to matter
    return np.multiply(s, 1 + h * (1 - s), out=out)


def silu_second_derivative(h: Array, out: Array | None = None) -> Array:
    return np.multiply(sigmoid_derivative(h), 2 + h * (sigmoid(-h) - sigmoid(h)), out=out)


def softplus(h: Array, out: Array | None = None) -> Array:
    # logaddexp(0, h), which NumPy does not vectorize.
    return np.add(np.log1p(np.exp(-np.abs(h))), relu(h), out=out)


def softplus_slope_from_output(a: Array, out: Array | None = None) -> Array:
    return np.negative(np.expm1(np.negative(a, out=out), out=out), out=out)


ACTIVATIONS = {
    "linear": Activation(linear, linear_slope, zero, linear_slope),
    "sigmoid": Activation(
        sigmoid,
        sigmoid_derivative,
        sigmoid_second_derivative,
        sigmoid_slope_from_output,
        saturates=True,
    ),
    "tanh": Activation(
        tanh, tanh_derivative, tanh_second_derivative, tanh_slope_from_output, saturates=True
    ),
    "erf": Activation(erf, erf_derivative, erf_second_derivative, saturates=True),
    "relu": Activation(relu, step, zero, step, kinks=(0.0,)),
    "leaky_relu": Activation(leaky_relu, leaky_relu_slope, zero, leaky_relu_slope, kinks=(0.0,)),
    "elu": Activation(
        elu, elu_derivative, elu_second_derivative, elu_slope_from_output, kinks=(0.0,)
    ),
    "selu": Activation(selu, selu_derivative, selu_second_derivative, kinks=(0.0,)),
    "gelu": Activation(gelu, gelu_derivative, gelu_second_derivative),
    "silu": Activation(silu, silu_derivative, silu_second_derivative),
    "softplus": Activation(softplus, sigmoid, sigmoid_derivative, softplus_slope_from_output),
}

# Other names that people know, spelled as canonical_activation reads them.
SYNONYMS = {"swish": "silu", "identity": "linear", "logistic": "sigmoid"}


def canonical_activation(written: str) -> str:
    """The name in ACTIVATIONS of the activation that is meant, as `silu` for `Swish`.

    Case, spaces, hyphens and underscores do not matter, so `ReLU` and `LeakyReLU` are known
    too, and SYNONYMS are. An unknown name comes back as it is.
    """
    read = _letters(written)
    names = {_letters(name): name for name in ACTIVATIONS} | SYNONYMS
    return names.get(read, written)


def _letters(name: str) -> str:
    return name.lower().replace(" ", "").replace("-", "").replace("_", "")
