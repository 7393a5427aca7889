"""Infinite-width theory of fully connected networks: which pass a signal, which a gradient.

As the width grows, pre-activations become Gaussian and one number a layer, their variance
q, says how the signal fares; chi says how the squared gradient does.

Sources: Poole et al. (2016), arXiv:1606.05340; Schoenholz et al. (2017), arXiv:1611.01232.
Throughout phi is the activation, z ~ N(0, 1), sigma_w^2 = weight_variance, the variance of
a weight times the layer's fan-in, and sigma_b^2 = bias_variance, the variance of a bias.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from core.activations import ACTIVATIONS
from core.quadrature import correlated_mean, gaussian_mean

Array = NDArray[np.float64]

# phi(k h) = k phi(h) for k > 0: then E phi^2 / q and E phi'^2 are one constant at every q.
POSITIVELY_HOMOGENEOUS = ("linear", "relu", "leaky_relu")
# Closer to 1 than this, a growth factor is 1: its depth scale is longer than any network.
CRITICAL_TOLERANCE = 1e-9
# Variances closer than this are equal: the quadrature's rounding, with room to spare.
RELATIVE_ROUNDING = 1e-13
# Where fixed points are looked for, 16 a decade; a variance that grows beyond has diverged.
VARIANCES = np.logspace(-24, 12, 36 * 16 + 1)
LARGEST_INPUT_VARIANCE = 1e10


@dataclass(frozen=True)
class MeanField:
    """What becomes of signals and gradients deep in an infinitely wide network.

    A depth scale is the number of layers over which its quantity changes by a factor e;
    negative where it grows. It is None where it is infinite: at criticality.

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
    _require_activation(activation)
    _require_variance("weight_variance", weight_variance)
    _require_variance("bias_variance", bias_variance)
    setting = (activation, weight_variance, bias_variance)
    q = fixed_point(*setting)
    chi = float(gradient_growth(VARIANCES[-1] if q is None else q, activation, weight_variance))
    c = _correlation_fixed_point(q, chi, *setting) if q else None
    return MeanField(
        q_star=q,
        chi=chi,
        c_star=c,
        xi_gradient=_depth_scale(chi),
        xi_correlation=_correlation_scale(q, c, chi, activation, weight_variance),
        xi_variance=None if q is None else _depth_scale(_variance_slope(q, *setting[:2])),
    )


@lru_cache(maxsize=4096)
def critical_weight_variance(activation: str, bias_variance: float) -> float | None:
    """The smallest sigma_w^2 at which chi = 1: the edge of chaos at this sigma_b^2.

    At a fixed point q, sigma_w^2 = (q - sigma_b^2) / E phi^2, so chi(q) = 1 reads

        (q - sigma_b^2) E phi'(sqrt(q) z)^2 = E phi(sqrt(q) z)^2

    in one unknown. Of its roots only those count that inputs of unit mean square are led to.

    Returns:
        None where there is none: GELU and SiLU without bias jump from vanishing signals to
        diverging ones, and softplus stays below chi = 1 until its variance diverges. For
        linear, ReLU and leaky ReLU chi = 1 at every q, so the answer is the same with
        biases, although the variance then grows linearly with depth.

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


def mean_square(activation: str, q: ArrayLike) -> Array:
    """E phi(sqrt(q) z)^2, the mean squared activation of a layer, in the shape of `q`."""
    phi = ACTIVATIONS[activation]
    return gaussian_mean(lambda h: phi.value(h) ** 2, q, phi.kinks)


def mean_squared_slope(activation: str, q: ArrayLike) -> Array:
    """E phi'(sqrt(q) z)^2, in the shape of `q`; at q = 0 the mean of both sides."""
    phi = ACTIVATIONS[activation]
    return gaussian_mean(lambda h: phi.derivative(h) ** 2, q, phi.kinks)


def next_variance(
    q: ArrayLike, activation: str, weight_variance: float, bias_variance: float
) -> Array:
    """Pre-activation variance one layer deeper, at infinite width.

        q' = sigma_w^2 E[phi(sqrt(q) z)^2] + sigma_b^2

    Poole et al. (2016), eq. 3. Returns the shape of `q`.
    """
    return weight_variance * mean_square(activation, q) + bias_variance


def gradient_growth(q: ArrayLike, activation: str, weight_variance: float) -> Array:
    """chi at variance q: what a squared gradient is multiplied by per layer backward.

        chi = sigma_w^2 E[phi'(sqrt(q) z)^2],    E |delta_(l-1)|^2 = chi E |delta_l|^2

    Poole et al. (2016), eq. 6 (there as the slope of the correlation map at 1);
    Schoenholz et al. (2017), section 4, for gradients. Returns the shape of `q`.
    """
    return weight_variance * mean_squared_slope(activation, q)


def next_correlation(
    c: float, q: float, activation: str, weight_variance: float, bias_variance: float
) -> float:
    """Correlation one layer deeper of two inputs whose pre-activations have variance q.

        c' = (sigma_w^2 E[phi(u1) phi(u2)] + sigma_b^2) / q',   corr(u1, u2) = c, var u = q

    Poole et al. (2016), eq. 5, with q' their eq. 3.
    """
    phi = ACTIVATIONS[activation]
    shared = weight_variance * correlated_mean(phi.value, q, c, phi.kinks) + bias_variance
    return shared / float(next_variance(q, activation, weight_variance, bias_variance))


def variance_by_layer(
    activation: str, weight_variance: float, bias_variance: float, first_q: float, depth: int
) -> Array:
    """Pre-activation variance of layers 1 to `depth`, (depth,), the first being `first_q`.

    Poole et al. (2016), eq. 3, iterated; inputs x of n features make first_q
    sigma_w^2 |x|^2 / n + sigma_b^2. A diverging variance ends in inf.
    """
    variances = np.empty(depth)
    q = first_q
    for layer in range(depth):
        variances[layer] = q
        q = float(next_variance(q, activation, weight_variance, bias_variance))
    return variances


def fixed_point(activation: str, weight_variance: float, bias_variance: float) -> float | None:
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
        return _root(rise, max(start, ends[0] / GRID_STEP), ends[0]) if ends.size else None
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
    reached = fixed_point(activation, weight_variance, bias_variance)
    return reached is not None and isclose(reached, q, rel_tol=1e-6, abs_tol=1e-9)


def _variance_slope(q: float, activation: str, weight_variance: float) -> float:
    """dq'/dq = chi + sigma_w^2 E[phi'' phi] at q, the rate of approach to a fixed point.

    Schoenholz et al. (2017), section 3.1. It is computed as sigma_w^2 E[phi phi' u] / q,
    u = sqrt(q) z, equal by the chain rule: that needs no phi'', which at a kink has a delta
    function that no quadrature sees.
    """
    phi = ACTIVATIONS[activation]
    q = max(q, VARIANCES[0])
    mean = gaussian_mean(lambda h: phi.value(h) * phi.derivative(h) * h, q, phi.kinks)
    return weight_variance * float(mean) / q


def _correlation_fixed_point(
    q: float, chi: float, activation: str, weight_variance: float, bias_variance: float
) -> float:
    """c_star at the fixed point q: where C(c) = c for the correlation map C.

    C is convex on [0, 1] with C(1) = 1 and C'(1) = chi, so only chi > 1 leaves room for a
    fixed point below 1. It is the zero of (C(c) - c) / (1 - c), which decreases to 1 - chi.
    """
    if chi <= 1 + CRITICAL_TOLERANCE:
        return 1.0

    def slack(c: float) -> float:
        if c == 1:
            return 1 - chi
        return (next_correlation(c, q, activation, weight_variance, bias_variance) - c) / (1 - c)

    return _root(slack, 0.0, 1.0) if slack(0.0) > RELATIVE_ROUNDING else 0.0


def _correlation_scale(
    q: float | None, c: float | None, chi: float, activation: str, weight_variance: float
) -> float | None:
    """-1 / ln chi_c, chi_c = sigma_w^2 E[phi'(u1) phi'(u2)] at c_star.

    Schoenholz et al. (2017), section 3.2.
    """
    if q is None or c is None or c == 1:
        return None if c is None else _depth_scale(chi)
    phi = ACTIVATIONS[activation]
    return _depth_scale(weight_variance * correlated_mean(phi.derivative, q, c, phi.kinks))


def _depth_scale(growth: float) -> float | None:
    """Layers in which growth^layers falls by a factor e; None where it never does."""
    if abs(growth - 1) <= CRITICAL_TOLERANCE:
        return None
    return -1 / log(growth) if growth > 0 else 0.0
