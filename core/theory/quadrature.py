"""Gaussian means of functions of an activation, to about 12 digits at any variance.

    E f(u),          u ~ N(mean, variance)
    E f(u1) f(u2),   (u1, u2) normal with zero means, equal variances, correlation c

Gauss-Hermite nodes are placed by the Gaussian alone: they integrate across kinks, and miss the
narrow bump that phi' becomes in a saturated network. Here Gauss-Legendre panels end where either
the Gaussian or the activation changes scale, so that a 16-point rule resolves the integrand on
every panel. The tests compare with mpmath at
variances from 1e-6 to 1e6.

What is assumed of an activation is written in core.functions.activations: its kinks, its scale of 1
around h = 0, and from where on it is a straight line (`straight_from`).
"""

from collections.abc import Callable, Iterable
from math import ceil, log2

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
Function = Callable[[Array], Array]

# Panel ends in standard deviations; beyond the last lies less than 1e-22 of the Gaussian.
STANDARD_ENDS = (0.0, 1.5, 3.0, 5.0, 7.0, 10.0)
# Panel ends in units of the activation's own scale, which is 1 around h = 0. Where phi is no
# straight line beyond the last, further panels are each as long as all before them.
ACTIVATION_ENDS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
# Panel ends around a kink that a Gaussian of unit standard deviation has smoothed.
SMOOTHED_KINK_ENDS = (0.0, 1.0, 2.0, 4.0, 6.0, 9.0)
# Used in place of a spread of 0: it keeps the two sides of a kink apart, and its square is 0.
SMALLEST_DEVIATION = 1e-170

LEGENDRE_NODES, LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(16)
CORRELATED_NODES, CORRELATED_WEIGHTS = np.polynomial.legendre.leggauss(10)


def gaussian_mean(
    f: Function,
    variance: ArrayLike,
    kinks: Iterable[float] = (),
    straight_from: float = ACTIVATION_ENDS[-1],
) -> Array:
    """E f(u) with u ~ N(0, variance), for each variance.

    Args:
        f: A function of phi and its derivatives, element by element.
        variance: Any shape; where it is 0 the result is the limit from above.
        kinks: Where f or a derivative of it jumps, besides 0, which is always a panel's end.
        straight_from: From this |u| on f is that of a straight line.

    Returns:
        The means, in the shape of `variance`, relative error below 1e-12 where f does
        not change sign.
    """
    deviation = np.maximum(np.sqrt(variance), SMALLEST_DEVIATION)[..., None]
    ends = _activation_ends(kinks, min(straight_from, _reach(variance)))
    z, weights = _panels(ends / deviation, LEGENDRE_NODES, LEGENDRE_WEIGHTS)
    return np.asarray(np.sum(weights * _evaluate(f, deviation * z), axis=-1))


def correlated_mean(
    f: Function,
    variance: float,
    correlation: float,
    kinks: Iterable[float] = (),
    straight_from: float = ACTIVATION_ENDS[-1],
) -> float:
    """E f(u1) f(u2) for zero-mean normal u1, u2 of this variance and correlation.

    The two share a part m of variance |c| * variance and are independent given it, so

        E f(u1) f(u2) = E_m [ g(m) g(sign(c) m) ],   g(m) = E f(m + s y),  s^2 = (1 - |c|) variance

    and no panel sees the narrow ridge u1 = u2 as c -> 1. Relative error below 1e-9. Arguments
    as gaussian_mean's.
    """
    ends = _activation_ends(kinks, min(straight_from, _reach(2 * variance)))
    shared = max(np.sqrt(abs(correlation) * variance), SMALLEST_DEVIATION)
    own = max(np.sqrt((1 - abs(correlation)) * variance), SMALLEST_DEVIATION)
    # Seen at a large scale every phi has a kink or a step at 0; g is smoothed there over `own`.
    turns = [k + own * _symmetric(SMOOTHED_KINK_ENDS) for k in {0.0, *kinks}]
    outer_ends = np.concatenate([ends, *turns])
    z, outer = _panels(
        _symmetric(outer_ends) / shared if correlation < 0 else outer_ends / shared,
        CORRELATED_NODES,
        CORRELATED_WEIGHTS,
    )
    # Zero-width panels carry no weight: a third of the plane at most scales.
    m, outer = shared * z[outer > 0][:, None], outer[outer > 0]
    first = _smoothed(f, m, own, ends)
    second = first if correlation >= 0 else _smoothed(f, -m, own, ends)
    return float(np.sum(outer * first * second))


def _smoothed(f: Function, m: Array, deviation: float, ends: Array) -> Array:
    """E f(m + deviation * y), y ~ N(0, 1), for m of shape (means, 1)."""
    y, weights = _panels((ends - m) / deviation, CORRELATED_NODES, CORRELATED_WEIGHTS)
    return np.asarray(np.sum(weights * _evaluate(f, m + deviation * y), axis=-1))


def _reach(variance: ArrayLike) -> float:
    """The distance from 0 beyond which a Gaussian of the largest variance is negligible."""
    return STANDARD_ENDS[-1] * float(np.sqrt(np.max(variance)))


def _activation_ends(kinks: Iterable[float], last: float) -> Array:
    """Panel ends that follow an activation up to `last`; ACTIVATION_ENDS in any case."""
    doublings = max(0, ceil(log2(max(last, 1) / ACTIVATION_ENDS[-1])))
    further = ACTIVATION_ENDS[-1] * 2.0 ** np.arange(1, doublings + 1)
    ends = _symmetric([*ACTIVATION_ENDS, *further])
    return np.concatenate([ends, np.fromiter(kinks, float)])


def _symmetric(ends: Iterable[float]) -> Array:
    positive = np.array([*ends])
    return np.concatenate([-positive, positive])


def _panels(ends: Array, nodes: Array, weights: Array) -> tuple[Array, Array]:
    """Nodes in standard deviations, and weights with the Gaussian density in them.

    Args:
        ends: (..., ends) panel ends in standard deviations, in any order; those outside
            the Gaussian's range make panels of no width.
        nodes: A Gauss-Legendre rule on [-1, 1], (n,).
        weights: Its weights, (n,).

    Returns:
        Two arrays (..., panels * n).
    """
    gaussian_ends = np.broadcast_to(_symmetric(STANDARD_ENDS), (*ends.shape[:-1], 12))
    limit = STANDARD_ENDS[-1]
    ends = np.sort(np.concatenate([np.clip(ends, -limit, limit), gaussian_ends], axis=-1))
    center = (ends[..., 1:] + ends[..., :-1])[..., None] / 2
    half = (ends[..., 1:] - ends[..., :-1])[..., None] / 2
    z = center + half * nodes
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    shape = (*ends.shape[:-1], -1)
    return z.reshape(shape), (half * weights * density).reshape(shape)


def _evaluate(f: Function, h: Array) -> Array:
    # exp may overflow far out on one side, where a sigmoid is 0 as it should be.
    with np.errstate(over="ignore", under="ignore"):
        return f(h)
