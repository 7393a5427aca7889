"""The network in plain NumPy; the tests compare the compiled trainer with it.

Layer l maps a_(l-1) to h_l = W_l a_(l-1) + b_l, and what hidden layers make of h_l, a_l, is in
core.hidden_layers: phi(h_l) in a plain network. The last layer is linear. Backward, with
delta_l = dLoss/dh_l and g_l = dLoss/da_l,

    dW_l = delta_l a_(l-1)^T,  db_l = sum of delta_l,  g_(l-1) = W_l^T delta_l

and where layer l is a branch beside a residual connection g_l is added to g_(l-1). In a plain
network delta_l = g_l * phi'(h_l).

Arrays are of any dtype, (units, examples), or stacks of such matrices. A layer's parameters
are one matrix (fan_out, fan_in + 1) whose last column is the bias.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.hidden_layers import HiddenLayers, Slope
from core.hidden_widths import EQUAL, units_of_hidden

Array = NDArray[np.floating]


def layer_widths(
    feature_count: int, width: int, outputs: int, depth: int, hidden_widths: str = EQUAL
) -> tuple[int, ...]:
    """(feature_count, width, ..., width, outputs): depth weight matrices lie between them.

    Args:
        feature_count, outputs: The units that the data asks for.
        width, depth, hidden_widths: Settings of core.trials; where hidden layers differ, their own
            widths stand between.
    """
    return (feature_count, *units_of_hidden(width, depth, hidden_widths), outputs)


def pre_activation(p: Array, below: Array) -> Array:
    """h = W a + b of one layer."""
    return np.asarray(p[..., :-1] @ below + p[..., -1:])


def delta_below(p: Array, delta: Array, slope: Array) -> Array:
    """(W^T delta) * phi'(h) of the layer below."""
    return weighted_back(p, delta) * slope


def weighted_back(p: Array, delta: Array) -> Array:
    """W^T delta: what reaches the layer below."""
    return np.asarray(p[..., :-1].swapaxes(-1, -2) @ delta)


def gradient(delta: Array, below: Array) -> Array:
    """dLoss/d(W, b) of one layer, in the shape of its parameters, (..., fan_out, fan_in + 1)."""
    of_weights = delta @ below.swapaxes(-1, -2)
    return np.concatenate([of_weights, delta.sum(axis=-1, keepdims=True)], axis=-1)


def forward(
    params: Sequence[Array],
    inputs: Array,
    hidden: HiddenLayers,
    reference: Sequence[Array] | None = None,
) -> tuple[list[Array], list[Array]]:
    """The pre-activations h_1 ... h_L, and each layer's inputs a_0 ... a_(L-1).

    Args:
        params: One array a layer, (..., fan_out, fan_in + 1).
        inputs: a_0, (features, examples).
        hidden: The function of the hidden layers.
        reference: The pre-activations of the examples of whose means batch normalization is made,
            if they are not these.
    """
    pre_activations, activations = [], [inputs]
    for layer, p in enumerate(params):
        below = activations[-1]
        pre_activations.append(pre_activation(p, below))
        if layer < len(params) - 1:
            factor = hidden.factor_of(layer, len(params))
            means_of = None if reference is None else reference[layer]
            activations.append(hidden.output(pre_activations[-1], below, factor, means_of))
    return pre_activations, activations


def backward(params: Sequence[Array], delta: Array, slopes: Sequence[Slope]) -> list[Array]:
    """delta_1 ... delta_L from delta = delta_L.

    Args:
        params: As for `forward`.
        delta: dLoss/dh_L times whatever all are to carry, (..., outputs, examples).
        slopes: Of the hidden layers.
    """
    return [*deltas_down(params, delta, slopes)][::-1]


def deltas_down(params: Sequence[Array], delta: Array, slopes: Sequence[Slope]) -> Iterator[Array]:
    """delta_L ... delta_1: `backward`, from the outputs on and one at a time."""
    yield delta
    carried = np.asarray(0.0)
    for p, slope in zip(params[:0:-1], slopes[::-1], strict=True):
        above = weighted_back(p, delta) + carried
        delta = slope.delta(above)
        carried = np.asarray(0.0) if slope.factor is None else above
        yield delta


def slopes(pre_activations: Sequence[Array], hidden: HiddenLayers) -> list[Slope]:
    """The derivatives of the hidden layers."""
    depth = len(pre_activations)
    below = enumerate(pre_activations[:-1])
    return [hidden.slope(h, hidden.factor_of(layer, depth)) for layer, h in below]
