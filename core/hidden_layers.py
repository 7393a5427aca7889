"""What hidden layers do with h_l = W_l a_(l-1) + b_l: activation and residual connection.

Without a residual connection a_l = phi(h_l). With one, every hidden layer but the first, which
the inputs reach in another width, is a branch beside what it is given:

    a_1 = phi(h_1),    a_l = a_(l-1) + f phi(h_l) for l = 2 ... L - 1,    h_L = W_L a_(L-1) + b_L

The factor f of the branches is a number, or follows from the depth L.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import Activation

Array = NDArray[np.floating]

NO_RESIDUAL = "none"

# Factors of a branch that follow from the depth.
FACTORS_OF_DEPTH: dict[str, Callable[[int], float]] = {
    "inverse_sqrt_depth": lambda depth: depth**-0.5,
    "inverse_depth": lambda depth: 1 / depth,
}
RESIDUAL_NAMES = (NO_RESIDUAL, *FACTORS_OF_DEPTH)

# Time of an element in a training step that residual connections add, of tanh's.
RESIDUAL_COST = 0.2

LEAST_FACTOR, LARGEST_FACTOR = 1e-12, 1e5


def residual_text(written: Any) -> str:
    """The text that stands in a trial for a name or a number: `none`, `0.5`, 1 for 1.0.

    Raises:
        ValueError: It is neither; the message says what must hold.
    """
    if written in RESIDUAL_NAMES:
        return str(written)
    try:
        factor = float(written)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("no such value") from None
    if not (isfinite(factor) and LEAST_FACTOR <= factor <= LARGEST_FACTOR):
        raise ValueError(f"must be a name, or a number from {LEAST_FACTOR:g} to {LARGEST_FACTOR:g}")
    return f"{factor:.12g}"


def branch_factor(residual: str, depth: int) -> float | None:
    """The factor f that a trial's `residual` means at a depth; None without a residual."""
    if residual == NO_RESIDUAL:
        return None
    of_depth = FACTORS_OF_DEPTH.get(residual)
    return float(residual) if of_depth is None else of_depth(depth)


def skips(layer: int, depth: int) -> bool:
    """Whether a layer is a branch beside a residual connection, if the network has them.

    Args:
        layer: From 0 next to the inputs to depth - 1, the outputs.
        depth: The number of layers.
    """
    return 0 < layer < depth - 1


@dataclass(frozen=True)
class Slope:
    """The derivative of what one hidden layer makes of h_l by h_l.

    Attributes:
        values: phi'(h_l), (..., units, examples).
        factor: f, where the layer is a branch, so that a_(l-1) is a part of a_l; else None.
    """

    values: Array
    factor: float | None = None

    def delta(self, above: Array) -> Array:
        """dLoss/dh_l from dLoss/da_l, likewise of shape (..., units, examples)."""
        delta = np.asarray(above * self.values)
        return delta if self.factor is None else self.factor * delta


@dataclass(frozen=True)
class HiddenLayers:
    """The function of a network's hidden layers.

    Attributes:
        activation: phi.
        factor: f of the branches; None without residual connections.
    """

    activation: Activation
    factor: float | None = None

    def factor_of(self, layer: int, depth: int) -> float | None:
        """f of a layer; None if it is no branch."""
        return self.factor if skips(layer, depth) else None

    def output(self, h: Array, given: Array, factor: float | None) -> Array:
        """a_l from h_l, the layer's `factor_of`, and a_(l-1)."""
        a = self.activation.value(h.copy())
        return a if factor is None else given + factor * a

    def slope(self, h: Array, factor: float | None) -> Slope:
        """The derivative of `output` by h_l, a_(l-1) being given."""
        return Slope(self.activation.derivative(h.copy()), factor)
