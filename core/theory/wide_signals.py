"""Each layer of an infinitely wide network at its start, whatever its hidden layers.

Poole et al. (2016), arXiv:1606.05340, and Schoenholz et al. (2017), arXiv:1611.01232, for plain
networks; Yang and Schoenholz (2017), arXiv:1712.08969, for those with residual connections. Layer
normalization gives every hidden layer the same variance, 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import ACTIVATIONS
from core.hidden_layers import EPSILON, NO_NORMALIZATION
from core.theory.layer_maps import LARGEST_VARIANCE, mean_square, mean_squared_slope

Array = NDArray[np.floating]


class WideSignals(NamedTuple):
    """The signals of each layer; NaN beyond a variance of LARGEST_VARIANCE.

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
    normalization: str = NO_NORMALIZATION,
) -> WideSignals | None:
    """The signals of the layers 1 to `depth`, the first one's variance being `first_q`.

    W_l is independent of a_(l-1). With p_l = E a_l^2, q_l = sigma_w^2 p_(l-1) + sigma_b^2 and
    r_l = E u_l^2, which is q_l, or q_l / (q_l + EPSILON) after a layer normalization,

        p_l = E phi(u_l)^2,    plus p_(l-1), with f^2 before E, where the layer is a branch

    and backward, with g_l = dLoss/da_l and s_l = |delta_l|^2 / |g_l|^2 = E phi'(u_l)^2, times f^2
    of a branch and over q_l + EPSILON after a normalization,

        |g_(l-1)|^2 = sigma_w^2 |delta_l|^2,    plus |g_l|^2 where the layer is a branch

    Args:
        activation: A name in core.functions.activations.ACTIVATIONS.
        weight_variance: sigma_w^2.
        bias_variance: sigma_b^2.
        first_q: q_1.
        depth: L.
        factor: f of the branches beside residual connections; None without them.
        normalization: A name in core.hidden_layers.NORMALIZATIONS; "none" without one.

    Returns:
        None where there is no theory: of batch normalization, and beside residual connections for
        an activation that is not odd. Its layers have a mean, on which deep gradients build up: of
        ReLU, N = 300 and L = 30, they grew by 2.10 a layer where independent layers would make it
        1.72.
    """
    if normalization == "batch" or not (factor is None or ACTIVATIONS[activation].odd):
        return None
    q, p, s = (np.full(n, np.nan) for n in (depth, depth - 1, depth - 1))
    q[0] = first_q
    for layer in range(depth - 1):
        if not q[layer] <= LARGEST_VARIANCE:
            break
        scale = 1.0 if normalization == NO_NORMALIZATION else 1 / (q[layer] + EPSILON)
        of_branch, below = (1.0, 0.0) if layer == 0 or factor is None else (factor**2, p[layer - 1])
        p[layer] = below + of_branch * mean_square(activation, scale * q[layer])
        s[layer] = scale * of_branch * mean_squared_slope(activation, scale * q[layer])
        q[layer + 1] = weight_variance * p[layer] + bias_variance
    past = np.zeros(depth - 1)
    if factor is not None:
        with np.errstate(divide="ignore"):
            past[:-1] = 1 / s[1:]  # nothing goes past the outputs
    return WideSignals(q, p, s * (weight_variance + past))
