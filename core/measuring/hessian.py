"""Products of a loss's Hessian with directions in parameter space, for one network.

The Hessian itself is never formed: a product costs about two gradients.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from core.gradient_descent import Problem
from core.losses import LOSSES
from core.network import backward, delta_below, forward, gradient, pre_activation, slopes

Array = NDArray[np.floating]
Floats = NDArray[np.float64]


class Hessian:
    """Products of one plain network's Hessian with directions in parameter space.

    With R f the derivative of f along a direction V (layer l's parameters change by V_l):

        R h_l = V_l a_(l-1) + W_l R a_(l-1),    R a_l = phi'(h_l) * R h_l
        R delta_L = (d^2 loss / dh_L^2) R h_L
        R delta_(l-1) = phi'(h_(l-1)) * (V_l^T delta_l + W_l^T R delta_l)
                        + phi''(h_(l-1)) * (W_l^T delta_l) * R h_(l-1)
        (H V)_l = R delta_l a_(l-1)^T + delta_l R a_(l-1)^T

    Pearlmutter (1994), Neural Computation 6:147; exact but for rounding. At the kinks of
    an activation the Hessian is that of the pieces. What does not depend on V is computed
    once, in float64.

    Attributes:
        size: The number of parameters, the biases left out where they are none; flattened, each
            layer's follow those before it.
    """

    def __init__(self, params: Sequence[Array], problem: Problem):
        """Take the parameters, one (fan_out, fan_in + 1) per layer."""
        self._params = [p.astype(np.float64) for p in params]
        self._weights = [p[:, :-1] for p in self._params]
        self._biases = problem.biases
        parameters = self._params if self._biases else self._weights
        ends = list(accumulate(p.size for p in parameters))
        self._splits, self.size = ends[:-1], ends[-1]
        phi, self._examples = problem.hidden.activation, problem.inputs.shape[1]
        inputs = problem.inputs[:-1].astype(np.float64)
        hs, self._activations = forward(self._params, inputs, problem.hidden)
        of_hidden = slopes(hs, problem.hidden)
        self._slopes = [slope.values for slope in of_hidden]
        residuals = hs[-1][None].copy()
        targets = problem.targets.astype(np.float64)
        LOSSES[problem.loss](residuals, targets)
        self._deltas = backward(self._params, residuals[0] / self._examples, of_hidden)
        self._output_hessian = LOSSES[problem.loss].output_hessian(hs[-1], targets)
        above = zip(hs, self._weights[1:], self._deltas[1:], strict=False)
        self._bends = [phi.second_derivative(h) * (w.T @ delta) for h, w, delta in above]

    def matvec(self, direction: Floats) -> Floats:
        """H V for a flat direction V, (size,): a new array."""
        directions = self._by_layer(direction)
        products = [np.empty(p.shape) for p in self._params]
        self._pull(directions, self._push(directions), products)
        if not self._biases:
            products = [product[:, :-1] for product in products]
        return np.concatenate([product.ravel() for product in products])

    def _by_layer(self, flat: Floats) -> list[Floats]:
        """A flat vector in the shapes of the parameters; the biases' part is 0 if it has none."""
        parts = np.split(flat, self._splits)
        if self._biases:
            return [part.reshape(p.shape) for part, p in zip(parts, self._params, strict=True)]
        weights = zip(parts, self._weights, strict=True)
        return [np.pad(part.reshape(w.shape), ((0, 0), (0, 1))) for part, w in weights]

    def _push(self, directions: list[Floats]) -> list[Array]:
        """R h of every layer, computed from inputs to outputs."""
        r_hs = [pre_activation(directions[0], self._activations[0])]
        for layer, direction in enumerate(directions[1:], start=1):
            r_h = pre_activation(direction, self._activations[layer])
            r_h += self._weights[layer] @ (self._slopes[layer - 1] * r_hs[-1])
            r_hs.append(r_h)
        return r_hs

    def _pull(self, directions: list[Floats], r_hs: list[Array], products: list[Floats]) -> None:
        """Compute R delta of every layer from outputs to inputs, and fill in its H V."""
        r_delta = self._output_hessian(r_hs[-1]) / self._examples
        for layer in range(len(directions) - 1, 0, -1):
            slope, r_h, delta = self._slopes[layer - 1], r_hs[layer - 1], self._deltas[layer]
            products[layer][...] = gradient(r_delta, self._activations[layer])
            products[layer][:, :-1] += delta @ (slope * r_h).T
            r_delta = delta_below(self._params[layer], r_delta, slope)
            r_delta += delta_below(directions[layer], delta, slope)
            r_delta += self._bends[layer - 1] * r_h
        products[0][...] = gradient(r_delta, self._activations[0])
