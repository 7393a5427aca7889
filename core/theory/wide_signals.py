"""Each layer of an infinitely wide network at its start, with or without residual connections.

Poole et al. (2016), arXiv:1606.05340, and Schoenholz et al. (2017), arXiv:1611.01232, for plain
networks; Yang and Schoenholz (2017), arXiv:1712.08969, for those with residual connections.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import (
    LARGEST_VARIANCE,
    gradient_growth,
    mean_square,
    mean_squared_slope,
    variance_by_layer,
)

Array = NDArray[np.floating]


class WideSignals(NamedTuple):
    """The signals of each layer; not finite beyond a variance of LARGEST_VARIANCE.

    Attributes:
        variance: q_l = E h_l^2, (L,).
        mean_square: E a_l^2 of hidden layers, (L - 1,).
        growth: |delta_l|^2 / |delta_(l+1)|^2 with delta_l = dLoss/dh_l, (L - 1,).
    """

    variance: Array
    mean_square: Array
    growth: Array


def wide_signals(
    activation: str,
    weight_variance: float,
    bias_variance: float,
    first_q: float,
    depth: int,
    factor: float | None = None,
) -> WideSignals | None:
    """The signals of the layers 1 to `depth`, the first one's variance being `first_q`.

    Args:
        activation: A name in core.functions.activations.ACTIVATIONS.
        weight_variance: sigma_w^2.
        bias_variance: sigma_b^2.
        first_q: q_1.
        depth: L.
        factor: f of the branches beside residual connections; None without them.

    Returns:
        None where there is no theory: beside residual connections for an activation that is not
        odd. Its layers have a mean, on which deep gradients build up: of ReLU, N = 300 and
        L = 30, they grew by 2.10 a layer where independent layers would make it 1.72.
    """
    if factor is not None:
        given = activation, weight_variance, bias_variance, first_q, depth, factor
        return _residual(*given) if ACTIVATIONS[activation].odd else None
    q = variance_by_layer(activation, weight_variance, bias_variance, first_q, depth)
    squares, growth = np.full((2, depth - 1), np.nan)
    known = np.isfinite(q[:-1])
    squares[known] = mean_square(activation, q[:-1][known])
    growth[known] = gradient_growth(q[:-1][known], activation, weight_variance)
    return WideSignals(q, squares, growth)


def _residual(
    activation: str,
    weight_variance: float,
    bias_variance: float,
    first_q: float,
    depth: int,
    factor: float,
) -> WideSignals:
    """The signals with a_l = a_(l-1) + f phi(h_l) from the second hidden layer on, phi being odd.

    W_l is independent of a_(l-1), and E phi(h_l) = 0. So with p_l = E a_l^2, p_1 = E phi(h_1)^2,

        q_l = sigma_w^2 p_(l-1) + sigma_b^2,    p_l = p_(l-1) + f^2 E phi(h_l)^2

    and backward, with g_l = dLoss/da_l and s_l = |delta_l|^2 / |g_l|^2 = f^2 E phi'(h_l)^2 (the
    first layer's without f), |g_(l-1)|^2 = (1 + sigma_w^2 s_l) |g_l|^2.
    """
    q, p, s = (np.full(n, np.nan) for n in (depth, depth - 1, depth - 1))
    q[0] = first_q
    for layer in range(depth - 1):
        if not q[layer] <= LARGEST_VARIANCE:
            break
        of_branch, below = (factor**2, p[layer - 1]) if layer else (1.0, 0.0)
        p[layer] = below + of_branch * mean_square(activation, q[layer])
        s[layer] = of_branch * mean_squared_slope(activation, q[layer])
        q[layer + 1] = weight_variance * p[layer] + bias_variance
    with np.errstate(divide="ignore"):
        past = np.append(1 / s[1:], 0.0)[: depth - 1]  # nothing goes past the outputs
    return WideSignals(q, p, s * (weight_variance + past))
