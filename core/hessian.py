"""Products of a loss's Hessian with directions in parameter space, for one network.

The Hessian itself is never formed: a product costs about two gradients.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from core.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.losses import LOSSES

Array = NDArray[np.floating]
Floats = NDArray[np.float64]


class Hessian:
    """Products of one network's Hessian with directions in parameter space.

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
        size: The number of parameters; flattened, each layer's follow those before it.
    """

    def __init__(self, params: Sequence[Array], problem: Problem):
        """Take params, one (fan_out, fan_in + 1) per layer."""
        self._params = [p.astype(np.float64) for p in params]
        self._weights = [p[:, :-1] for p in self._params]
        ends = list(accumulate(p.size for p in self._params))
        self._splits, self.size = ends[:-1], ends[-1]
        self._examples = problem.inputs.shape[1]
        outputs = self._forward(problem)
        self._loss_curvature = LOSS_CURVATURES[problem.loss](outputs)
        self._backward(outputs, problem)

    def _forward(self, problem: Problem) -> Floats:
        """Fill activations a_0 .. a_(L-1), slopes phi'(h_l) and bends phi''(h_l); give h_L."""
        phi = ACTIVATIONS[problem.activation]
        self._activations = [problem.inputs.astype(np.float64)]
        self._slopes, self._bends = [], []
        for p in self._params[:-1]:
            h = p @ self._activations[-1]
            a = np.ones((len(p) + 1, self._examples))
            phi.value(h, out=a[:-1])
            self._activations.append(a)
            self._slopes.append(phi.derivative(h))
            self._bends.append(phi.second_derivative(h))
        return self._params[-1] @ self._activations[-1]

    def _backward(self, outputs: Floats, problem: Problem) -> None:
        """Fill deltas dLoss/dh_l, and multiply the bends by W^T delta."""
        residuals = outputs[None].copy()
        LOSSES[problem.loss](residuals, problem.targets.astype(np.float64))
        self._deltas = [residuals[0] / self._examples]
        for layer in range(len(self._params) - 1, 0, -1):
            pulled = self._weights[layer].T @ self._deltas[0]
            self._bends[layer - 1] *= pulled
            self._deltas.insert(0, pulled * self._slopes[layer - 1])

    def matvec(self, direction: Floats) -> Floats:
        """H V for a flat direction V, (size,): a new array."""
        directions = self._by_layer(direction)
        product = np.empty(self.size)
        self._pull(directions, self._push(directions), self._by_layer(product))
        return product

    def _by_layer(self, flat: Floats) -> list[Floats]:
        """Views of a flat vector in the shapes of the parameters."""
        parts = np.split(flat, self._splits)
        return [part.reshape(p.shape) for part, p in zip(parts, self._params, strict=True)]

    def _push(self, directions: list[Floats]) -> list[Floats]:
        """R h of every layer, found from inputs to outputs."""
        r_hs = [directions[0] @ self._activations[0]]
        for layer, direction in enumerate(directions[1:], start=1):
            r_h = direction @ self._activations[layer]
            r_h += self._weights[layer] @ (self._slopes[layer - 1] * r_hs[-1])
            r_hs.append(r_h)
        return r_hs

    def _pull(self, directions: list[Floats], r_hs: list[Floats], products: list[Floats]) -> None:
        """Find R delta of every layer from outputs to inputs, and fill its H V."""
        r_delta = self._loss_curvature(r_hs[-1]) / self._examples
        for layer in range(len(directions) - 1, 0, -1):
            slope, r_h = self._slopes[layer - 1], r_hs[layer - 1]
            np.matmul(r_delta, self._activations[layer].T, out=products[layer])
            products[layer][:, :-1] += self._deltas[layer] @ (slope * r_h).T
            r_below = directions[layer][:, :-1].T @ self._deltas[layer]
            r_below += self._weights[layer].T @ r_delta
            r_below *= slope
            r_below += self._bends[layer - 1] * r_h
            r_delta = r_below
        np.matmul(r_delta, self._activations[0].T, out=products[0])


def _mse_curvature(outputs: Floats) -> Callable[[Floats], Floats]:
    """R h -> examples x R delta of the squared error: the identity."""
    return np.positive


def _cross_entropy_curvature(outputs: Floats) -> Callable[[Floats], Floats]:
    """R h -> examples x R delta = p * (R h - sum of p * R h), p = softmax(h)."""
    p = softmax(outputs, axis=0)
    likeliest = p.argmax(axis=0)[None]

    def product(r_h: Floats) -> Floats:
        # A shift changes nothing but rounding: for p close to one-hot it avoids 1 - 1.
        r_h = r_h - np.take_along_axis(r_h, likeliest, axis=0)
        return p * (r_h - (p * r_h).sum(axis=0))

    return product


LOSS_CURVATURES: dict[str, Callable[[Floats], Callable[[Floats], Floats]]] = {
    "mse": _mse_curvature,
    "cross_entropy": _cross_entropy_curvature,
}
