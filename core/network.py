"""Forward and backward passes of a stack of same-shaped fully-connected networks.

Layer l maps a_{l-1} to h_l = W_l a_{l-1} + b_l and a_l = phi(h_l); the last layer is
linear. Activations carry a last row of ones and weights a last column of biases, so
that one matrix product adds the bias and another one gives its gradient.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.activations import Activation

Array = NDArray[np.floating]


def layer_widths(features: int, width: int, outputs: int, depth: int) -> tuple[int, ...]:
    """(features, width, ..., width, outputs): depth weight matrices lie between them."""
    return (features, *[width] * (depth - 1), outputs)


class Passes:
    """The buffers of a stack's forward and backward pass, and views of the part in use.

    Everything works in place and nothing is allocated in `gradients`. A stack shrinks
    when networks leave it: `shrink(n)` keeps the first n.

    Attributes:
        networks: How many networks are in use.
        params: One array per layer, (networks, fan_out, fan_in + 1); last column the bias.
        gradients: The same shapes, what the last call of `backward` found.
    """

    def __init__(self, params: Sequence[Array], inputs: Array, activation: Activation):
        """Take params as they are (updated in place) and inputs (features + 1, examples)."""
        networks, examples, dtype = len(params[0]), inputs.shape[1], params[0].dtype
        fan_outs = [p.shape[1] for p in params]
        self._activation = activation
        self._inputs = inputs.astype(dtype)
        self._all_params = list(params)
        self._all_gradients = [np.empty_like(p) for p in params]
        self._all_outputs = np.empty((networks, fan_outs[-1], examples), dtype)
        self._all_hidden = [np.ones((networks, n + 1, examples), dtype) for n in fan_outs[:-1]]
        kept = [] if activation.slope_from_output else fan_outs[:-1]
        self._all_pre_activations = [np.empty((networks, n, examples), dtype) for n in kept]
        widest = max(fan_outs[:-1], default=0)
        self._all_deltas = [np.empty((networks, widest, examples), dtype) for _ in range(2)]
        self.shrink(networks)

    def shrink(self, networks: int) -> None:
        """Keep the first `networks` networks; their buffers' views are made anew."""
        n = self.networks = networks
        self.params = [p[:n] for p in self._all_params]
        self.gradients = [g[:n] for g in self._all_gradients]
        self.outputs = self._all_outputs[:n]
        self._activations = [self._inputs, *(a[:n] for a in self._all_hidden)]
        self._hidden = [a[:n, :-1] for a in self._all_hidden]
        self._pre_activations = [h[:n] for h in self._all_pre_activations]
        self._deltas = [
            self._all_deltas[layer % 2][:n, : a.shape[1]] for layer, a in enumerate(self._hidden)
        ]
        self._activations_t = [a.swapaxes(-1, -2) for a in self._activations]
        self._weights_t = [p[:, :, :-1].swapaxes(1, 2) for p in self.params]

    def move(self, source: int, target: int) -> None:
        """Overwrite network `target`'s parameters with those of network `source`."""
        for p in self.params:
            p[target] = p[source]

    def forward(self) -> Array:
        """The outputs h_L, (networks, outputs, examples): a buffer the caller may change."""
        phi = self._activation.value
        for layer, a in enumerate(self._hidden):
            h = self._pre_activations[layer] if self._pre_activations else a
            np.matmul(self.params[layer], self._activations[layer], out=h)
            phi(h, out=a)
        return np.matmul(self.params[-1], self._activations[-1], out=self.outputs)

    def backward(self, delta: Array) -> list[Array]:
        """Gradients of every layer from delta = dLoss/dh_L, after one `forward`.

            dW_l = delta_l a_{l-1}^T,  delta_{l-1} = (W_l^T delta_l) * phi'(h_{l-1})

        Whatever factor delta carries (a learning rate, 1 / examples) the gradients carry
        too. The activations are overwritten by their slopes on the way.
        """
        for layer in range(len(self.params) - 1, 0, -1):
            np.matmul(delta, self._activations_t[layer], out=self.gradients[layer])
            below = self._deltas[layer - 1]
            np.matmul(self._weights_t[layer], delta, out=below)
            np.multiply(below, self._slope(layer - 1), out=below)
            delta = below
        np.matmul(delta, self._activations_t[0], out=self.gradients[0])
        return self.gradients

    def _slope(self, layer: int) -> Array:
        a = self._hidden[layer]
        if self._activation.slope_from_output:
            return self._activation.slope_from_output(a, out=a)
        return self._activation.derivative(self._pre_activations[layer], out=a)
