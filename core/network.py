"""The network in plain NumPy; the tests compare the compiled trainer with it.

Layer l maps a_(l-1) to h_l = W_l a_(l-1) + b_l and a_l = phi(h_l); the last layer is linear.
Backward, with delta_l = dLoss/dh_l,

    dW_l = delta_l a_(l-1)^T,  db_l = sum of delta_l,  delta_(l-1) = (W_l^T delta_l) * phi'(h_(l-1))

Arrays are of any dtype, (units, examples), or stacks of such matrices. A layer's parameters
are one matrix (fan_out, fan_in + 1) whose last column is the bias.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import Activation

Array = NDArray[np.floating]


def layer_widths(feature_count: int, width: int, outputs: int, depth: int) -> tuple[int, ...]:
    """(feature_count, width, ..., width, outputs): depth weight matrices lie between them."""
    return (feature_count, *[width] * (depth - 1), outputs)


def pre_activation(p: Array, below: Array) -> Array:
    """h = W a + b of one layer."""
    return np.asarray(p[..., :-1] @ below + p[..., -1:])


def delta_below(p: Array, delta: Array, slope: Array) -> Array:
    """(W^T delta) * phi'(h) of the layer below."""
    return np.asarray(p[..., :-1].swapaxes(-1, -2) @ delta) * slope


def gradient(delta: Array, below: Array) -> Array:
    """dLoss/d(W, b) of one layer, in the shape of its parameters, (..., fan_out, fan_in + 1)."""
    of_weights = delta @ below.swapaxes(-1, -2)
    return np.concatenate([of_weights, delta.sum(axis=-1, keepdims=True)], axis=-1)


def forward(
    params: Sequence[Array], inputs: Array, activation: Activation
) -> tuple[list[Array], list[Array]]:
    """The pre-activations h_1 ... h_L, and each layer's inputs a_0 ... a_(L-1).

    Args:
        params: One array a layer, (..., fan_out, fan_in + 1).
        inputs: a_0, (features, examples).
        activation: phi.
    """
    pre_activations, activations = [], [inputs]
    for p in params:
        pre_activations.append(pre_activation(p, activations[-1]))
        activations.append(activation.value(pre_activations[-1].copy()))
    return pre_activations, activations[:-1]


def backward(params: Sequence[Array], delta: Array, slopes: Sequence[Array]) -> list[Array]:
    """delta_1 ... delta_L from delta = delta_L.

    Args:
        params: As for `forward`.
        delta: dLoss/dh_L times whatever all are to carry, (..., outputs, examples).
        slopes: phi'(h_l) of the hidden layers.
    """
    deltas = [delta]
    for p, slope in zip(params[:0:-1], slopes[::-1], strict=True):
        deltas.append(delta_below(p, deltas[-1], slope))
    return deltas[::-1]


def slopes(pre_activations: Sequence[Array], activation: Activation) -> list[Array]:
    """phi'(h_l) of the hidden layers."""
    return [activation.derivative(h.copy()) for h in pre_activations[:-1]]
