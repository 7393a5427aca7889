"""The optimizers: what takes a step from a gradient, and how fast each may go.

With g = the mean gradient, clipped if asked for, plus weight_decay W for weights, eta the rate
of the step, and sums and means that begin at 0:

    gd          w <- w - eta g
    momentum    v <- beta v + g;  w <- w - eta v                              (heavy ball)
    nesterov    v <- beta v + g;  w <- w - eta (g + beta v)
    adam        m <- beta m + (1 - beta) g;  s <- beta2 s + (1 - beta2) g^2
                w <- w - eta m / (1 - beta^t) / (sqrt(s / (1 - beta2^t)) + epsilon)

as PyTorch's torch.optim.SGD and Adam have them. The compiled steps are in core.descent.steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """What is known of an optimizer.

    Attributes:
        name: As a sweep file has it.
        settings: The names of the settings that it alone, or with others, takes.
        moments: How many numbers it keeps for each parameter.
        adaptive: Whether it divides each parameter's step by the size of its gradients.
        cost: What a step's change of a parameter takes longer than with gd, in the times of an
            element of tanh.
        edge: From the momentum, the largest stable learning rate x curvature on a quadratic; of
            adam x the curvature that a fixed preconditioner leaves.
        bound: The largest stable learning rate on a quadratic, as people write it; None where
            it takes more than the curvature.
        torch: PyTorch's call that makes it from {params}, the {learning_rate} as text and the other
            settings, but for its end.
    """

    name: str
    settings: Sequence[str] = ()
    moments: int = 0
    adaptive: bool = False
    cost: float
    edge: Callable[[Floats], Floats]
    bound: str | None = None
    torch: str


_SGD = "torch.optim.SGD({params}, lr={learning_rate}"

OPTIMIZERS = {
    each.name: each
    for each in (
        Optimizer(
            name="gd",
            cost=0.0,
            edge=lambda beta: np.full_like(beta, 2),
            bound="2 / lambda_max",
            torch=_SGD,
        ),
        Optimizer(
            name="momentum",
            settings=("momentum",),
            moments=1,
            cost=0.04,
            edge=lambda beta: 2 * (1 + beta),
            bound="2 (1 + momentum) / lambda_max",
            torch=_SGD + ", momentum={momentum:.4g}",
        ),
        Optimizer(
            name="nesterov",
            settings=("momentum",),
            moments=1,
            cost=0.04,
            edge=lambda beta: 2 * (1 + beta) / (1 + 2 * beta),
            bound="2 (1 + momentum) / (1 + 2 momentum) / lambda_max",
            torch=_SGD + ", momentum={momentum:.4g}, nesterov=True",
        ),
        Optimizer(
            name="adam",
            settings=("momentum", "beta2", "epsilon"),
            moments=2,
            adaptive=True,
            cost=0.3,
            edge=lambda beta: 2 * (1 + beta) / (1 - beta),
            torch="torch.optim.Adam({params}, lr={learning_rate}, "
            "betas=({momentum:.4g}, {beta2:.4g}), eps={epsilon:.4g}",
        ),
    )
}


def edges(optimizers: ArrayLike, momentum: ArrayLike) -> Floats:
    """The largest stable learning rate x preconditioned curvature on a quadratic, (runs,).

    2 with gradient descent; with momentum beta 2 (1 + beta), and with Nesterov's
    2 (1 + beta) / (1 + 2 beta): Cohen et al. (2021), arXiv:2103.00065, appendix B. With Adam
    2 (1 + beta) / (1 - beta): Cohen et al. (2022), arXiv:2207.14484, of a fixed preconditioner.

    Args:
        optimizers: A name in OPTIMIZERS for each run.
        momentum: The setting of that name.
    """
    names, betas = np.asarray(optimizers), np.asarray(momentum, np.float64)
    each = [optimizer.edge(betas) for optimizer in OPTIMIZERS.values()]
    return np.select([names == name for name in OPTIMIZERS], each, np.nan)


def largest_stable_rate(optimizers: ArrayLike, curvature: Floats, momentum: Floats) -> Floats:
    """The learning rate above which descent on a quadratic of this curvature diverges.

    That of `edges` over the curvature. Adam's depends on the preconditioner: NaN.

    Args:
        optimizers: A name in OPTIMIZERS for each run.
        curvature: The largest eigenvalue of the Hessian, a decay of the weights included.
        momentum: The setting of that name.

    Returns:
        (runs,), NaN where no direction curves upward, or so little that the rate overflows.
    """
    adaptive = np.isin(optimizers, [each.name for each in OPTIMIZERS.values() if each.adaptive])
    with np.errstate(all="ignore"):
        rates = edges(optimizers, momentum) / curvature
    return np.where((curvature > 0) & np.isfinite(rates) & ~adaptive, rates, np.nan)


def adam_preconditioner(
    squares: Floats, taken: int, momentum: float, beta2: float, epsilon: float
) -> Floats:
    """P of adam's steps, w <- w - eta P^-1 m, from its running means of squared gradients s.

    P = (1 - beta^t) (sqrt(s / (1 - beta2^t)) + epsilon) after t steps: Cohen et al. (2022),
    arXiv:2207.14484. Before the first step there is none: NaN.

    Args:
        squares: s, of any shape.
        taken: t.
        momentum, beta2, epsilon: Settings.
    """
    with np.errstate(all="ignore"):
        roots = np.sqrt(squares / (1 - np.float64(beta2) ** taken)) + epsilon
    return (1 - momentum**taken) * roots if taken else np.full_like(roots, np.nan)
