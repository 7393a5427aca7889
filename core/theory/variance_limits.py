"""The limits of the pre-activation variance deep in an infinitely wide network.

The variance map of core.theory.layer_maps rises with q for every activation here, so from the first
layer's variance it moves one way: to the nearest fixed point on that side, or without bound.
Where there are several limits the size of the inputs decides between them: GELU at
sigma_w^2 = 2.2 forgets small inputs and amplifies large ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import gradient_growth, mean_square
from core.theory.quadrature import gaussian_mean

Array = NDArray[np.floating]

# A growth factor closer to 1 than this counts as 1. Its depth scale would exceed a million layers,
# and so near to criticality rounding would decide c_star.
CRITICAL_TOLERANCE = 1e-6
# Variances closer than this are equal: the quadrature's rounding, with room to spare.
RELATIVE_ROUNDING = 1e-13
# Where fixed points are looked for, 32 a decade. No parameter variances up to 1e10 and no
# growth that CRITICAL_TOLERANCE distinguishes from 1 have a fixed point beyond 1e17.
VARIANCES = np.logspace(-24, 18, 42 * 32 + 1)


@dataclass(frozen=True)
class VarianceLimit:
    """A limit of the variance of deep layers, with the range of input sizes that lead there.

    Attributes:
        q: The limit. 0 where signals die out; None where the variance grows without bound,
            and where every variance is a fixed point (ReLU at sigma_w^2 = 2, linear at 1,
            without bias).
        smallest_input: The mean square of an input's features above which it ends here.
        largest_input: The mean square up to which it does; None without bound.
    """

    q: float | None
    smallest_input: float
    largest_input: float | None


def variance_limit(
    activation: str, weight_variance: float, bias_variance: float, input_mean_square: float
) -> float | None:
    """The limit for inputs of this mean square per feature, as the q of VarianceLimit.

    The first layer's variance is sigma_w^2 |x|^2 / fan_in + sigma_b^2.
    """
    if input_mean_square == bias_variance == mean_square(activation, 0.0) == 0:
        return 0.0
    limits = variance_limits(activation, weight_variance, bias_variance)
    return next(
        limit.q
        for limit in limits
        if limit.largest_input is None or input_mean_square <= limit.largest_input
    )


@lru_cache(maxsize=65_536)
def variance_limits(
    activation: str, weight_variance: float, bias_variance: float
) -> tuple[VarianceLimit, ...]:
    """Every limit that some inputs reach, from small inputs to large ones.

    Args:
        activation: A name in core.functions.activations.ACTIVATIONS.
        weight_variance: sigma_w^2, 0 to 1e10.
        bias_variance: sigma_b^2, 0 to 1e10.
    """
    setting = (activation, weight_variance, bias_variance)
    if ACTIVATIONS[activation].homogeneous:
        return (VarianceLimit(_homogeneous_limit(*setting), 0.0, None),)
    stable, edges = _fixed_points(*setting)
    inputs = [_input_mean_square(q, *setting[1:]) for q in edges]
    return tuple(
        VarianceLimit(q, smallest, largest)
        for q, smallest, largest in zip(stable, [0.0, *inputs], [*inputs, None], strict=True)
        if largest != 0
    )


def root(f: Callable[[float], float], lower: float, upper: float, rtol: float = 1e-14) -> float:
    """The place between two ends, perhaps decades apart, where f changes sign."""
    return float(brentq(f, lower, upper, xtol=1e-300, rtol=rtol))


def _homogeneous_limit(
    activation: str, weight_variance: float, bias_variance: float
) -> float | None:
    chi = float(gradient_growth(1.0, activation, weight_variance))
    return bias_variance / (1 - chi) if chi < 1 - CRITICAL_TOLERANCE else None


def _input_mean_square(q: float, weight_variance: float, bias_variance: float) -> float:
    """The mean square of inputs whose first layer has variance q; 0 if the biases exceed q."""
    return max(0.0, (q - bias_variance) / weight_variance)


def _fixed_points(
    activation: str, weight_variance: float, bias_variance: float
) -> tuple[list[float | None], list[float]]:
    """The limits in rising order, None for growth without bound, and the edges between them."""
    slope, excesses = _tabulated_excess(activation)
    # Where the growth factor counts as 1, the excess and the bias decide.
    fall = 1 - weight_variance * slope
    fall = 0.0 if abs(fall) <= CRITICAL_TOLERANCE else fall

    def rise(q: ArrayLike, excess: ArrayLike) -> Array:
        gained, lost = weight_variance * np.asarray(excess), fall * np.asarray(q)
        magnitude = abs(gained) + bias_variance + abs(lost)
        return gained + bias_variance - lost - RELATIVE_ROUNDING * magnitude

    def rise_at(q: float) -> float:
        return float(rise(q, _excess(activation, q)))

    rises = rise(VARIANCES, excesses) > 0
    least = weight_variance * float(mean_square(activation, 0.0)) + bias_variance
    # The variance rises from 0 if phi(0) or the bias is not 0; otherwise 0 is a fixed point.
    rises = np.concatenate([[least > 0 or rises[0]], rises])
    ends = np.concatenate([[least / 2], VARIANCES])
    turns = np.flatnonzero(rises[1:] != rises[:-1])
    roots = [root(rise_at, ends[i], ends[i + 1]) for i in turns]
    limits = [*([] if rises[0] else [0.0]), *roots[not rises[0] :: 2]]
    return [*limits, *([None] if rises[-1] else [])], roots[bool(rises[0]) :: 2]


@lru_cache(maxsize=64)
def _tabulated_excess(activation: str) -> tuple[float, Array]:
    """E phi^2 = slope * q + excess(q): the slope, and the excess at VARIANCES."""
    below, above = ACTIVATIONS[activation].asymptotic_slopes
    return (below**2 + above**2) / 2, _excess(activation, VARIANCES)


def _excess(activation: str, q: ArrayLike) -> Array:
    """E phi(u)^2 minus the same for the two asymptotes of phi, u ~ N(0, q).

    At large q this difference decides whether the variance grows, but it is tiny beside E phi^2:
    as the difference of the two means it would be lost to rounding.
    """
    phi = ACTIVATIONS[activation]
    below, above = phi.asymptotic_slopes

    def integrand(h: Array) -> Array:
        return phi.value(h) ** 2 - (np.where(h < 0, below, above) * h) ** 2

    return gaussian_mean(integrand, q, phi.kinks, phi.straight_from)
