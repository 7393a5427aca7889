"""What hidden layers do with h_l = W_l a_(l-1) + b_l: normalize, activate, add to what is given.

A plain hidden layer makes a_l = phi(h_l) of it. With a normalization it takes

    u_l = (h_l - mean of h_l) / sqrt(variance of h_l + EPSILON)

in place of h_l, the mean and the variance being those over the layer's units, for each example
(layer normalization: Ba et al. 2016, arXiv:1607.06450), or over the examples of the batch, for
each unit (batch normalization: Ioffe and Szegedy 2015, arXiv:1502.03167). No gain and no shift
is trained with it.

With residual connections every hidden layer but the first, which the inputs reach in another
width, is a branch beside what it is given:

    a_1 = phi(u_1),    a_l = a_(l-1) + f phi(u_l) for l = 2 ... L - 1,    h_L = W_L a_(L-1) + b_L

The factor f of the branches is a number, or follows from the depth L.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from math import isfinite
from typing import Any, NamedTuple

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


NO_NORMALIZATION = "none"
EPSILON = 1e-5  # PyTorch's


@dataclass(frozen=True)
class Normalization:
    """A normalization of h.

    Attributes:
        name: Its name in NORMALIZATIONS and in core.descent.normalizations.
        axis: Over which it takes means, of (..., units, examples).
        cost: Time of an element in a training step that it adds, of tanh's.
        torch: The layer of PyTorch that computes it, with {0} for the width.
    """

    name: str
    _: KW_ONLY
    axis: int
    cost: float
    torch: str


NORMALIZATIONS = {
    normalization.name: normalization
    for normalization in (
        Normalization(
            "layer",
            axis=-2,
            cost=0.5,
            torch="torch.nn.LayerNorm({0}, elementwise_affine=False)",
        ),
        Normalization(
            "batch",
            axis=-1,
            cost=0.8,
            torch="torch.nn.BatchNorm1d({0}, affine=False)",
        ),
    )
}


class Normalized(NamedTuple):
    """What a normalization made of h.

    Attributes:
        values: u, in the shape of h.
        inverse: 1 / sqrt(variance + EPSILON), with one element along `axis`.
        axis: Over which means were taken.
    """

    values: Array
    inverse: Array
    axis: int

    def delta(self, above: Array) -> Array:
        """dLoss/dh from dLoss/du."""
        mean = above.mean(axis=self.axis, keepdims=True)
        along = (above * self.values).mean(axis=self.axis, keepdims=True)
        return np.asarray(self.inverse * (above - mean - self.values * along))


def normalized(h: Array, axis: int, reference: Array | None = None) -> Normalized:
    """h less the mean, over the standard deviation, along an axis: its own or a reference's."""
    means_of = h if reference is None else reference
    mean = means_of.mean(axis=axis, keepdims=True)
    centered = means_of - mean
    variance = (centered * centered).mean(axis=axis, keepdims=True)
    inverse = 1 / np.sqrt(variance + EPSILON)
    return Normalized((h - mean) * inverse, inverse, axis)


@dataclass(frozen=True)
class Slope:
    """The derivative of what one hidden layer makes of h_l by h_l.

    Attributes:
        values: phi'(u_l), (..., units, examples); u_l is h_l where nothing is normalized.
        factor: f, where the layer is a branch, so that a_(l-1) is a part of a_l; else None.
        normalized: What the normalization made of h_l; None without one.
    """

    values: Array
    factor: float | None = None
    normalized: Normalized | None = None

    def delta(self, above: Array) -> Array:
        """dLoss/dh_l from dLoss/da_l, likewise of shape (..., units, examples)."""
        delta = np.asarray(above * self.values)
        if self.factor is not None:
            delta = self.factor * delta
        return delta if self.normalized is None else self.normalized.delta(delta)


@dataclass(frozen=True)
class HiddenLayers:
    """The function of a network's hidden layers.

    Attributes:
        activation: phi.
        factor: f of the branches; None without residual connections.
        normalization: Of h; None without one.
    """

    activation: Activation
    factor: float | None = None
    normalization: Normalization | None = None

    def factor_of(self, layer: int, depth: int) -> float | None:
        """f of a layer; None if it is no branch."""
        return self.factor if skips(layer, depth) else None

    def normalized(self, h: Array, reference: Array | None = None) -> Normalized | None:
        """u_l from h_l, with what its derivative takes; None where nothing is normalized."""
        if self.normalization is None:
            return None
        of_batch = self.normalization.axis == -1
        return normalized(h, self.normalization.axis, reference if of_batch else None)

    def output(
        self, h: Array, given: Array, factor: float | None, reference: Array | None = None
    ) -> Array:
        """a_l from h_l, the layer's `factor_of`, and a_(l-1).

        Args:
            h: (..., units, examples).
            given: a_(l-1).
            factor: f; None if the layer is no branch.
            reference: The h_l of the examples of whose means a batch normalization is made, if
                they are not these.
        """
        u = self.normalized(h, reference)
        a = self.activation.value(h.copy() if u is None else u.values.copy())
        return a if factor is None else given + factor * a

    def slope(self, h: Array, factor: float | None) -> Slope:
        """The derivative of `output` by h_l, a_(l-1) being given."""
        u = self.normalized(h)
        values = self.activation.derivative(h.copy() if u is None else u.values.copy())
        return Slope(values, factor, u)
