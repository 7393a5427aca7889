"""Infinite-width theory of fully connected networks: which pass a signal, which a gradient.

The maps of core.layer_maps, iterated: their fixed points, how many layers it takes to come
near them, and the critical line on which gradients neither vanish nor explode.

Sources: Poole et al. (2016), arXiv:1606.05340; Schoenholz et al. (2017), arXiv:1611.01232.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isclose, log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from core.activations import ACTIVATIONS
from core.layer_maps import (
    correlation_slope,
    gradient_growth,
    mean_square,
    mean_squared_slope,
    next_correlation,
    next_variance,
    variance_slope,
)

Array = NDArray[np.floating]

# phi(k h) = k phi(h) for k > 0: then E phi^2 / q and E phi'^2 are one constant at every q.
POSITIVELY_HOMOGENEOUS = ("linear", "relu", "leaky_relu")
# Closer to 1 than this, a growth factor counts as 1: a depth scale beyond a million layers
# is none, and so near to criticality rounding would decide c_star.
CRITICAL_TOLERANCE = 1e-6
# Variances closer than this are equal: the quadrature's rounding, with room to spare.
RELATIVE_ROUNDING = 1e-13
# Where fixed points are looked for, 16 a decade; a variance that grows beyond has diverged.
VARIANCES = np.logspace(-24, 12, 36 * 16 + 1)
VARIANCES_RATIO = 10 ** (1 / 16)
# Stands for a variance that has diverged: phi' is then what it is at both ends.
DIVERGED_VARIANCE = 1e30
LARGEST_PARAMETER_VARIANCE = 1e10


@dataclass(frozen=True)
class MeanField:
    """What becomes of signals and gradients deep in an infinitely wide network.

    A depth scale is the number of layers over which its quantity changes by a factor e;
    negative where it grows. It is None where it is infinite or above a million: at
    criticality.

    Attributes:
        q_star: The pre-activation variance that inputs of unit mean square are led to. None
            where it grows without bound, and where every variance is a fixed point (ReLU
            at sigma_w^2 = 2, linear at 1, without bias). 0 where signals die out.
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
def mean_field(activation: str, weight_variance: float, bias_variance: float) -> MeanField:
    """The fixed points of an infinitely wide network and its distance to them, in layers.

    Args:
        activation: A name in core.activations.ACTIVATIONS.
        weight_variance: sigma_w^2, the square of a sweep's init_scale, 0 to 1e10.
        bias_variance: sigma_b^2, the square of a sweep's bias_scale, 0 to 1e10.

    Raises:
        ValueError: For an unknown activation or a variance outside its range.
    """
    setting = (activation, weight_variance, bias_variance)
    chi = fixed_point_chi(*setting)
    q = _variance_fixed_point(*setting)
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
def fixed_point_chi(activation: str, weight_variance: float, bias_variance: float) -> float:
    """mean_field's chi alone, which needs no correlations; arguments and errors are its own."""
    _require_activation(activation)
    _require_variance("weight_variance", weight_variance)
    _require_variance("bias_variance", bias_variance)
    q = _variance_fixed_point(activation, weight_variance, bias_variance)
    variance = DIVERGED_VARIANCE if q is None else q
    return float(gradient_growth(variance, activation, weight_variance))


@lru_cache(maxsize=4096)
def critical_weight_variance(activation: str, bias_variance: float) -> float | None:
    """The smallest sigma_w^2 at which chi = 1: the edge of chaos at this sigma_b^2.

    At a fixed point q, sigma_w^2 = (q - sigma_b^2) / E phi^2, so chi(q) = 1 reads

        (q - sigma_b^2) E phi'(sqrt(q) z)^2 = E phi(sqrt(q) z)^2

    in one unknown. Of its roots only those count that inputs of unit mean square are led to.

    Returns:
        None where there is none: softplus stays below chi = 1 until its variance diverges;
        GELU below sigma_b^2 = 0.173 and SiLU below 0.555 jump past it, from signals that
        settle to ones that diverge. For linear, ReLU and leaky ReLU chi is the same at
        every q, so biases change nothing, although the variance then grows with depth.

    Raises:
        ValueError: For an unknown activation or a variance outside its range.
    """
    _require_activation(activation)
    _require_variance("bias_variance", bias_variance)
    if activation in POSITIVELY_HOMOGENEOUS:
        return float(1 / mean_squared_slope(activation, 1.0))
    candidates = [
        (1 / float(mean_squared_slope(activation, q)), q)
        for q in _critical_variances(activation, bias_variance)
    ]
    return min(
        (v for v, q in candidates if _is_reached(q, activation, v, bias_variance)), default=None
    )


def _variance_fixed_point(
    activation: str, weight_variance: float, bias_variance: float
) -> float | None:
    """q_star: the limit of the variance map from q = sigma_w^2 + sigma_b^2; None if none.

    The map rises with q for every activation here, so from its start it moves one way and
    ends at the first fixed point there: the one that matters where there are two (GELU).
    """
    setting = (activation, weight_variance, bias_variance)
    if activation in POSITIVELY_HOMOGENEOUS:
        chi = float(gradient_growth(1.0, activation, weight_variance))
        return bias_variance / (1 - chi) if chi < 1 - CRITICAL_TOLERANCE else None

    def rise(q: float) -> float:
        return float(next_variance(q, *setting)) - q * (1 + RELATIVE_ROUNDING)

    mean_squares = _tabulated(activation)[0]
    rises = weight_variance * mean_squares + bias_variance > VARIANCES * (1 + RELATIVE_ROUNDING)
    start = weight_variance + bias_variance
    if rise(start) > 0:
        ends = VARIANCES[(start < VARIANCES) & ~rises]
        return _root(rise, max(start, ends[0] / VARIANCES_RATIO), ends[0]) if ends.size else None
    ends = VARIANCES[(start > VARIANCES) & rises]
    lower = max(ends.max(initial=0.0), float(next_variance(0.0, *setting)) / 2)
    return _root(rise, lower, start) if lower > 0 else 0.0


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
    roots = [_root(balance, q[i], q[i + 1]) for i in np.flatnonzero(signs[1:] != signs[:-1])]
    signals_may_die = bias_variance == 0 and mean_square(activation, 0.0) == 0
    return [0.0, *roots] if signals_may_die else roots


def _is_reached(q: float, activation: str, weight_variance: float, bias_variance: float) -> bool:
    """Whether inputs of unit mean square are led to q, at this setting."""
    reached = _variance_fixed_point(activation, weight_variance, bias_variance)
    return reached is not None and isclose(reached, q, rel_tol=1e-6, abs_tol=1e-9)


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

    c = _root(slack, 0.0, 1.0, rtol=1e-10) if slack(0.0) > RELATIVE_ROUNDING else 0.0
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


def _root(f: Callable[[float], float], lower: float, upper: float, rtol: float = 1e-14) -> float:
    return float(brentq(f, lower, upper, xtol=1e-300, rtol=rtol))


def _require_activation(activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation {activation!r} is unknown; choose from {sorted(ACTIVATIONS)}")


def _require_variance(name: str, variance: float) -> None:
    if not 0 <= variance <= LARGEST_PARAMETER_VARIANCE:
        raise ValueError(
            f"{name} must lie between 0 and {LARGEST_PARAMETER_VARIANCE:g}, got {variance!r}; "
            "it is the square of a standard deviation"
        )
