"""Infinite-width theory of fully connected networks: do signals and gradients survive.

The maps of core.theory.layer_maps, iterated: their fixed points, how many layers it takes to come
near them, and the critical line on which gradients neither vanish nor explode.

Sources: Poole et al. (2016), arXiv:1606.05340; Schoenholz et al. (2017), arXiv:1611.01232.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from math import isclose, log

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import (
    correlation_slope,
    gradient_growth,
    mean_square,
    mean_squared_slope,
    next_correlation,
    variance_slope,
)
from core.theory.variance_limits import (
    CRITICAL_TOLERANCE,
    RELATIVE_ROUNDING,
    VARIANCES,
    root,
    variance_limit,
)

Array = NDArray[np.floating]

# Stands for a variance that has diverged: phi' is then what it is at both ends.
DIVERGED_VARIANCE = 1e30
LARGEST_PARAMETER_VARIANCE = 1e10


@dataclass(frozen=True)
class MeanField:
    """The fate of signals and gradients deep in an infinitely wide network.

    A depth scale is the number of layers over which its quantity changes by a factor e;
    negative where it grows. It is None where it is infinite or above a million: at
    criticality.

    Attributes:
        q_star: The pre-activation variance that the inputs are led to. None where it grows
            without bound, and where every variance is a fixed point (ReLU at
            sigma_w^2 = 2, linear at 1, without bias). 0 where signals die out.
        chi: What the mean squared gradient is multiplied by from a layer to the one before
            it: < 1 vanishing, > 1 exploding. Where q_star is None, its limit with depth;
            for linear, ReLU and leaky ReLU the same at any variance.
        c_star: The correlation that two different inputs are led to: 1 in the ordered phase
            (chi <= 1), below in the chaotic one. None without a finite, positive q_star.
        xi_gradient: Depth scale of the squared gradient, -1 / ln chi.
        xi_correlation: Depth scale of the approach to c_star. None where c_star is.
        xi_variance: Depth scale of the approach to q_star. None where q_star is.
    """

    q_star: float | None
    chi: float
    c_star: float | None
    xi_gradient: float | None
    xi_correlation: float | None
    xi_variance: float | None


@lru_cache(maxsize=65_536)
def mean_field(
    activation: str,
    weight_variance: float,
    bias_variance: float,
    input_mean_square: float = 1.0,
) -> MeanField:
    """The fixed point to which an infinitely wide network leads, with its depth scales.

    Args:
        activation: A name in core.functions.activations.ACTIVATIONS.
        weight_variance: sigma_w^2, the square of a sweep's init_scale, 0 to 1e10.
        bias_variance: sigma_b^2, the square of a sweep's bias_scale, 0 to 1e10.
        input_mean_square: The inputs' mean square per feature, which decides where there
            are several limits (core.theory.variance_limits); 1 for standardized features.

    Raises:
        ValueError: For an unknown activation or a number outside its range.
    """
    setting = (activation, weight_variance, bias_variance)
    chi = fixed_point_chi(*setting, input_mean_square)
    q = variance_limit(*setting, input_mean_square)
    c, chi_c = _correlation_fixed_point(q, chi, *setting) if q else (None, None)
    return MeanField(
        q_star=q,
        chi=chi,
        c_star=c,
        xi_gradient=_depth_scale(chi),
        xi_correlation=_depth_scale(chi_c),
        xi_variance=_depth_scale(None if q is None else variance_slope(q, *setting[:2])),
    )


@lru_cache(maxsize=65_536)
def fixed_point_chi(
    activation: str,
    weight_variance: float,
    bias_variance: float,
    input_mean_square: float = 1.0,
) -> float:
    """The chi of mean_field alone, without correlations; same arguments and errors."""
    _require_activation(activation)
    _require_variance("weight_variance", weight_variance)
    _require_variance("bias_variance", bias_variance)
    _require_mean_square(input_mean_square)
    q = variance_limit(activation, weight_variance, bias_variance, input_mean_square)
    return limit_chi(q, activation, weight_variance)


def limit_chi(q: float | None, activation: str, weight_variance: float) -> float:
    """chi at a limit of the variance; for None, the value in the limit of depth."""
    variance = DIVERGED_VARIANCE if q is None else q
    return float(gradient_growth(variance, activation, weight_variance))


@lru_cache(maxsize=4096)
def critical_weight_variance(
    activation: str, bias_variance: float, input_mean_square: float = 1.0
) -> float | None:
    """The smallest sigma_w^2 at which chi = 1: the edge of chaos at this sigma_b^2.

    At a fixed point q, sigma_w^2 = (q - sigma_b^2) / E phi^2, so chi(q) = 1 reads

        (q - sigma_b^2) E phi'(sqrt(q) z)^2 = E phi(sqrt(q) z)^2

    in one unknown, q. Only roots to which inputs of the given size lead count.

    Returns:
        None where there is none: softplus stays below chi = 1 until its variance diverges;
        GELU below sigma_b^2 = 0.173 and SiLU below 0.555 jump past it, from signals that
        settle to ones that diverge. For linear, ReLU and leaky ReLU chi is the same at
        every q, so biases change nothing, although the variance then grows with depth.

    Raises:
        ValueError: For an unknown activation or a number outside its range.
    """
    _require_activation(activation)
    _require_variance("bias_variance", bias_variance)
    _require_mean_square(input_mean_square)
    if ACTIVATIONS[activation].homogeneous:
        return float(1 / mean_squared_slope(activation, 1.0))
    candidates = [
        (1 / float(mean_squared_slope(activation, q)), q)
        for q in _critical_variances(activation, bias_variance)
    ]
    reached = [
        weight_variance
        for weight_variance, q in candidates
        if _is_near(
            variance_limit(activation, weight_variance, bias_variance, input_mean_square), q
        )
    ]
    return min(reached, default=None)


def _critical_variances(activation: str, bias_variance: float) -> list[float]:
    """Every q at which chi = 1 if q is a fixed point, the limit q = 0 included."""

    def balance(q: float) -> float:
        slope = mean_squared_slope(activation, q)
        return float((q - bias_variance) * slope - mean_square(activation, q))

    mean_squares, slopes = _tabulated(activation)
    balances = (VARIANCES - bias_variance) * slopes - mean_squares
    # As q -> 0 both sides agree to rounding, whose signs are no roots.
    resolved = np.abs(balances) > RELATIVE_ROUNDING * mean_squares
    q, signs = VARIANCES[resolved], np.sign(balances[resolved])
    roots = [root(balance, q[i], q[i + 1]) for i in np.flatnonzero(signs[1:] != signs[:-1])]
    signals_may_die = bias_variance == 0 and mean_square(activation, 0.0) == 0
    return [0.0, *roots] if signals_may_die else roots


def _is_near(limit: float | None, q: float) -> bool:
    return limit is not None and isclose(limit, q, rel_tol=1e-6, abs_tol=1e-9)


def _correlation_fixed_point(
    q: float, chi: float, activation: str, weight_variance: float, bias_variance: float
) -> tuple[float, float]:
    """c_star and chi_c at the fixed point q: where C(c) = c, and the slope of C there.

    The correlation map C is convex on [0, 1] with C(1) = 1 and C'(1) = chi, so only chi > 1
    leaves room for a fixed point below 1. It is the zero of (C(c) - c) / (1 - c), which
    falls from C(0) >= 0 to 1 - chi and is straighter than C(c) - c.
    """
    if chi <= 1 + CRITICAL_TOLERANCE:
        return 1.0, chi

    def slack(c: float) -> float:
        if c == 1:
            return 1 - chi
        return (next_correlation(c, q, activation, weight_variance, bias_variance) - c) / (1 - c)

    c = root(slack, 0.0, 1.0, rtol=1e-10) if slack(0.0) > RELATIVE_ROUNDING else 0.0
    return c, correlation_slope(c, q, activation, weight_variance)


def _depth_scale(growth: float | None) -> float | None:
    """Layers in which growth^layers falls by a factor e; None where it never does."""
    if growth is None or abs(growth - 1) <= CRITICAL_TOLERANCE:
        return None
    return -1 / log(growth) if growth > 0 else 0.0


@lru_cache(maxsize=64)
def _tabulated(activation: str) -> tuple[Array, Array]:
    """E phi^2 and E phi'^2 at VARIANCES."""
    return mean_square(activation, VARIANCES), mean_squared_slope(activation, VARIANCES)


def _require_activation(activation: str) -> None:
    if activation not in ACTIVATIONS:
        close = get_close_matches(activation.lower(), ACTIVATIONS, n=1)
        meant = f"did you mean {close[0]!r}? It is one of" if close else "choose from"
        raise ValueError(f"activation {activation!r} is unknown; {meant} {', '.join(ACTIVATIONS)}")


def _require_variance(name: str, variance: float) -> None:
    if not 0 <= variance <= LARGEST_PARAMETER_VARIANCE:
        raise ValueError(
            f"{name} must lie between 0 and {LARGEST_PARAMETER_VARIANCE:g}, got {variance!r}; "
            "it is the square of a standard deviation"
        )


def _require_mean_square(mean_square: float) -> None:
    if not mean_square >= 0:
        raise ValueError(
            f"input_mean_square must be 0 or above, got {mean_square!r}; "
            "it is the mean of the squared features, 1 where they are standardized"
        )
