"""Products of a loss's Hessian with directions, by complex steps through the plain network.

They need no formula of their own, so every network of core.network has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import Activation
from core.gradient_descent import Problem
from core.losses import LOSSES
from core.network import backward, forward, gradient, slopes

Array = NDArray[np.floating]
Floats = NDArray[np.float64]

# So small that its square is 0 beside any number of a network.
STEP = 1e-150


class ComplexSteps:
    """Products of one network's Hessian with directions in parameter space.

        H V = Im gradient(parameters + i s V) / s,    s = STEP

    Squire and Trapp (1998), SIAM Review 40:110. Exact but for rounding, as nothing is
    subtracted. In float64. It stands in for core.measuring.hessian's Hessian where the network is
    not plain.

    Attributes:
        size: The number of parameters; flattened, each layer's follow those before it.
    """

    def __init__(self, params: Sequence[Array], problem: Problem):
        """Take the parameters, one (fan_out, fan_in + 1) per layer."""
        self._params, self._biases = [p.astype(np.float64) for p in params], problem.biases
        ends = list(accumulate(self._free(p).size for p in self._params))
        self._splits, self.size = ends[:-1], ends[-1]
        self._inputs = problem.inputs[:-1].astype(np.float64)
        hidden = problem.hidden
        self._hidden = replace(hidden, activation=_of_complex(hidden.activation))
        outputs = forward(self._params, self._inputs, hidden)[0][-1]
        residuals = outputs[None].copy()
        targets = problem.targets.astype(np.float64)
        LOSSES[problem.loss](residuals, targets)
        self._residuals = residuals[0]
        self._loss_curvature = LOSSES[problem.loss].output_hessian(outputs, targets)

    def matvec(self, direction: Floats) -> Floats:
        """H V for a flat direction V, (size,): a new array."""
        moved: list[Any] = [p.astype(np.complex128) for p in self._params]
        for p, part in zip(moved, np.split(direction, self._splits), strict=True):
            free = self._free(p)
            free += 1j * (STEP * part.reshape(free.shape))
        hs, activations = forward(moved, self._inputs, self._hidden)
        residuals = self._residuals + 1j * self._loss_curvature(hs[-1].imag)
        bent = slopes(hs, self._hidden)
        deltas = backward(moved, residuals / self._inputs.shape[1], bent)
        pairs = zip(deltas, activations, strict=True)
        found = [self._free(gradient(*pair)).imag for pair in pairs]
        return np.concatenate([each.ravel() / STEP for each in found])

    def _free(self, p: Any) -> Any:
        """A view of what of a layer's parameters, or of their gradient, can change."""
        return p if self._biases else p[:, :-1]


@dataclass(frozen=True)
class _ComplexActivation:
    """phi and phi' of h + i d, to first order in d."""

    real: Activation

    def value(self, h: Array) -> Array:
        return _lifted(self.real.value, self.real.derivative, h)

    def derivative(self, h: Array) -> Array:
        return _lifted(self.real.derivative, self.real.second_derivative, h)


def _of_complex(activation: Activation) -> Any:
    return _ComplexActivation(activation)


def _lifted(function: Any, derivative: Any, h: Array) -> Array:
    return np.asarray(function(h.real.copy()) + 1j * derivative(h.real.copy()) * h.imag)
