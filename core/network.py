"""Forward and backward passes of a stack of same-shaped fully-connected networks.

Layer l maps a_{l-1} to h_l = W_l a_{l-1} + b_l and a_l = phi(h_l); the last layer is
linear. Activations carry a last row of ones and weights a last column of biases, so
that one matrix product adds the bias and another one gives its gradient.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.activations import Activation
from core.matrix_products import in_blocks

Array = NDArray[np.floating]


def layer_widths(features: int, width: int, outputs: int, depth: int) -> tuple[int, ...]:
    """(features, width, ..., width, outputs): depth weight matrices lie between them."""
    return (features, *[width] * (depth - 1), outputs)


class Passes:
    """The buffers of a stack's forward and backward pass, and views of the part in use.

    Everything works in place and nothing is allocated in `forward` and `backward`. A
    stack shrinks when networks leave it: `shrink(n)` keeps the first n.

    A hidden layer's buffers have a row for each unit and one more. Element-wise work runs
    over all rows, since one long run through memory costs less than one run a network;
    the last row is then set to ones again.

    Attributes:
        networks: How many networks are in use.
        params: One array per layer, (networks, fan_out, fan_in + 1); last column the bias.
        gradients: The same shapes, what the last call of `backward` found.
        outputs: (networks, outputs, examples), what the last call of `forward` found.
    """

    def __init__(self, params: Sequence[Array], inputs: Array, activation: Activation):
        """Take params as they are (updated in place) and inputs (features + 1, examples)."""
        networks, examples, dtype = len(params[0]), inputs.shape[1], params[0].dtype
        fan_outs = [p.shape[1] for p in params]
        rows = [n + 1 for n in fan_outs[:-1]]
        self._activation = activation
        self._inputs = inputs.astype(dtype)[None]
        # All networks share the inputs, so a copy is cheap, and a gradient's right factor
        # that lies along its columns is faster.
        self._inputs_t = np.ascontiguousarray(self._inputs[0].T)[None]
        self._all_params = list(params)
        kept = [] if activation.slope_from_output else rows
        heights = [*rows, *kept, *[max(rows, default=1)] * 2]
        shapes = [p.shape for p in params] + [(networks, fan_outs[-1], examples)]
        pieces = iter(_buffers([*((networks, n, examples) for n in heights), *shapes], dtype))
        self._all_hidden = [next(pieces) for _ in rows]
        self._all_pre_activations = [next(pieces) for _ in kept]
        self._all_deltas = [next(pieces) for _ in range(2)]
        self._all_gradients = [next(pieces) for _ in params]
        self._all_outputs = next(pieces)
        for buffer in (*self._all_hidden, *self._all_pre_activations, *self._all_deltas):
            buffer[:, -1] = 0  # no matrix product fills it
        self.shrink(networks)

    def shrink(self, networks: int) -> None:
        """Keep the first `networks` networks; their buffers' views are made anew."""
        n = self.networks = networks
        self.params = [p[:n] for p in self._all_params]
        self.gradients = [g[:n] for g in self._all_gradients]
        self.outputs = self._all_outputs[:n]
        self._hidden = [a[:n] for a in self._all_hidden]
        self._ones = [a[:, -1] for a in self._hidden]
        self._pre_activations = [h[:n] for h in self._all_pre_activations] or self._hidden
        self._deltas = [
            self._all_deltas[layer % 2][:n, : a.shape[1]] for layer, a in enumerate(self._hidden)
        ]
        self._plan_products()

    def _plan_products(self) -> None:
        """The factors and results of every layer's three products."""
        activations = [self._inputs, *self._hidden]
        transposed = [self._inputs_t, *(a.swapaxes(1, 2) for a in self._hidden)]
        h = [*(h[:, :-1] for h in self._pre_activations), self.outputs]
        deltas = [*(d[:, :-1] for d in self._deltas), self.outputs]
        weights_t = [p[:, :, :-1].swapaxes(1, 2) for p in self.params[1:]]
        self._forward = list(map(in_blocks, self.params, activations, h))
        self._gradient = list(map(in_blocks, deltas, transposed, self.gradients))
        self._backward = list(map(in_blocks, weights_t, deltas[1:], deltas[:-1]))

    def move(self, source: int, target: int) -> None:
        """Overwrite network `target`'s parameters with those of network `source`."""
        for p in self.params:
            p[target] = p[source]

    def forward(self) -> Array:
        """The outputs h_L, (networks, outputs, examples): a buffer the caller may change."""
        phi = self._activation.value
        hidden = zip(self._forward, self._pre_activations, self._hidden, self._ones, strict=False)
        for (w, below, block), h, a, ones in hidden:
            np.matmul(w, below, out=block)
            phi(h, out=a)
            ones[...] = 1
        w, below, block = self._forward[-1]
        np.matmul(w, below, out=block)
        return self.outputs

    def backward(self, delta: Array) -> list[Array]:
        """Gradients of every layer from delta = dLoss/dh_L, after one `forward`.

            dW_l = delta_l a_{l-1}^T,  delta_{l-1} = (W_l^T delta_l) * phi'(h_{l-1})

        Whatever factor delta carries (a learning rate, 1 / examples) the gradients carry
        too. The activations are overwritten by their slopes on the way, the outputs by delta.
        """
        if delta is not self.outputs:
            np.copyto(self.outputs, delta)
        for layer in range(len(self.params) - 1, -1, -1):
            delta, a_t, gradient = self._gradient[layer]
            np.matmul(delta, a_t, out=gradient)
            if layer:
                w_t, delta, below = self._backward[layer - 1]
                np.matmul(w_t, delta, out=below)
                below = self._deltas[layer - 1]
                np.multiply(below, self._slope(layer - 1), out=below)
        return self.gradients

    def _slope(self, layer: int) -> Array:
        a = self._hidden[layer]
        if self._activation.slope_from_output:
            return self._activation.slope_from_output(a, out=a)
        return self._activation.derivative(self._pre_activations[layer], out=a)


def _buffers(shapes: Sequence[tuple[int, ...]], dtype: DTypeLike) -> list[Array]:
    """Arrays in one piece of memory: a large one is mapped in few large pages."""
    ends = np.cumsum([prod(shape) for shape in shapes])
    pieces = np.split(np.empty(ends[-1], dtype), ends[:-1])
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]
