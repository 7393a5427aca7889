"""The curvature of the loss at one network: its Hessian's extreme eigenvalues.

Gradient descent on a quadratic of largest curvature lambda_max diverges above the
learning rate 2 / lambda_max. Lanczos' method finds both ends of the spectrum from 50 to 150
products of the Hessian with vectors, late in training up to 1,000; the upper end alone, mostly the
dominant one, from some 25.
"""

from collections.abc import Callable, Sequence
from math import frexp, isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from core.functions.subnormals import flushed_subnormals
from core.gradient_descent import Problem
from core.measuring.complex_steps import ComplexSteps
from core.measuring.hessian import Hessian

Array = NDArray[np.floating]
Floats = NDArray[np.float64]

# A search has converged when its residual, relative to the eigenvalue of largest magnitude, is
# this small. On 3,000 Hessians whose eigenvalues were also computed densely, a tolerance of 1e-4
# returned an inner eigenvalue instead of an extreme one three times; 1e-5 never did.
TOLERANCE = 1e-5
MOST_RESTARTS = 100  # of Lanczos' method, ten products each
SEARCH_SEED = 1994
# A Hessian up to this size is formed whole: that takes no more products than the two shortest
# searches would.
LARGEST_DENSE = 42

Matvec = Callable[[Floats], Floats]
# The smallest and the largest eigenvalue; NaN for one that is not finite or not found.
Ends = tuple[float, float]


def extreme_curvature(params: Sequence[Array], problem: Problem) -> Ends:
    """The smallest and the largest Hessian eigenvalue of one network's full-batch loss.

    The largest one, lambda_max, is also called the sharpness; the smallest one is the most
    negative, or for a convex loss the least positive.

    Relative to the eigenvalue of larger magnitude, that one is within TOLERANCE of an eigenvalue
    and the other one within three times TOLERANCE. Usually both are far closer, since an
    eigenvalue's error goes with the square of its residual. The result depends on this network
    alone.

    Args:
        params: One array per layer, (fan_out, fan_in + 1), the last column the bias.
        problem: The data and the loss.
    """
    return _searched(extreme_eigenvalues, params, problem)


def largest_curvature(
    params: Sequence[Array], problem: Problem, preconditioner: Sequence[Array] | None = None
) -> float:
    """The largest eigenvalue that extreme_curvature finds, at up to a tenth of its cost.

    Args:
        params, problem: As of extreme_curvature.
        preconditioner: P, shaped like `params`: the eigenvalue is then that of
            P^(-1/2) H P^(-1/2), which P^-1 H has, too. None for 1.
    """
    return _searched(_upper_end, params, problem, preconditioner)[1]


def _searched(
    search: Callable[[Matvec, int], Ends],
    params: Sequence[Array],
    problem: Problem,
    preconditioner: Sequence[Array] | None = None,
) -> Ends:
    """The ends of the spectrum that a search finds."""
    # An exploded network overflows here: that it has no curvature is a result.
    with np.errstate(all="ignore"), flushed_subnormals():
        hessian = (Hessian if problem.is_plain else ComplexSteps)(params, problem)
        matvec = _preconditioned(hessian.matvec, preconditioner, problem.biases)
        entry = float(np.abs(matvec(_rng().standard_normal(hessian.size))).max())
        if not isfinite(entry):
            return np.nan, np.nan
        if entry == 0:
            return 0.0, 0.0
        # The squares of a vanished Hessian would underflow, those of an exploded one overflow. A
        # scale that is a power of two changes no digit; the 2 keeps the scale a normal number.
        scale = 2.0 ** (2 - frexp(entry)[1])
        smallest, largest = search(lambda v: scale * matvec(v), hessian.size)
        return _finite(smallest / scale), _finite(largest / scale)


def _preconditioned(matvec: Matvec, preconditioner: Sequence[Array] | None, biases: bool) -> Matvec:
    """P^(-1/2) H P^(-1/2) of an operator H on flat directions."""
    if preconditioner is None:
        return matvec
    of_free = [p if biases else p[:, :-1] for p in preconditioner]
    root = np.sqrt(np.concatenate([p.ravel() for p in of_free]).astype(np.float64))
    return lambda direction: matvec(direction / root) / root


def _rng() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(SEARCH_SEED))


def _finite(number: float) -> float:
    return number if isfinite(number) else np.nan


def extreme_eigenvalues(matvec: Matvec, size: int) -> Ends:
    """The smallest and the largest eigenvalue of a symmetric operator; NaN if not found.

    Args:
        matvec: The operator on flat vectors, (size,), its norm far from over- and underflow.
        size: Its dimension.
    """
    if size <= LARGEST_DENSE:
        dense = np.stack([matvec(column) for column in np.eye(size)])
        if not np.isfinite(dense).all():
            return np.nan, np.nan
        values = np.linalg.eigvalsh(dense)
        return float(values[0]), float(values[-1])
    first = _dominant_eigenvalue(matvec, size)
    other = _other_end(matvec, size, first)
    return (other, first) if first > 0 else (first, other)


def _upper_end(matvec: Matvec, size: int) -> Ends:
    """What extreme_eigenvalues finds, but for the smallest one where the largest is dominant."""
    if size <= LARGEST_DENSE:
        return extreme_eigenvalues(matvec, size)
    first = _dominant_eigenvalue(matvec, size)
    return (np.nan, first) if first > 0 else (first, _other_end(matvec, size, first))


def _other_end(matvec: Matvec, size: int, first: float) -> float:
    """The other end of the spectrum whose dominant eigenvalue is known.

    Subtracting twice the dominant eigenvalue makes the other end dominant. ARPACK could search
    both ends at once, but it measures each residual relative to its own eigenvalue: for the
    eigenvalue 0 of a singular convex Hessian it returns another one.
    """
    return _dominant_eigenvalue(lambda v: matvec(v) - 2 * first * v, size) + 2 * first


def _dominant_eigenvalue(matvec: Matvec, size: int) -> float:
    """The eigenvalue of largest magnitude, by ARPACK's implicitly restarted Lanczos method."""
    rng = _rng()
    try:
        values = eigsh(
            LinearOperator((size, size), matvec=matvec, dtype=np.float64),
            k=1,
            which="LM",
            v0=rng.standard_normal(size),
            tol=TOLERANCE,
            maxiter=MOST_RESTARTS,
            return_eigenvectors=False,
            rng=rng,  # Draws another vector where the first one's Krylov space ends.
        )
    except ArpackError:  # Not converged, or a product was not finite.
        return np.nan
    return _finite(float(values[0]))
