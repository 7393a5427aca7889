"""The schedules: the course of the learning rate over a training's steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Scheduled(Protocol):
    """The settings of a schedule, as core.trials describes them."""

    @property
    def schedule(self) -> str:
        """A name in SCHEDULES."""

    @property
    def warmup_steps(self) -> int:
        """Of those schedules that have them, as the next two."""

    @property
    def decay_steps(self) -> int:
        """Between two decays."""

    @property
    def decay_factor(self) -> float:
        """Of each decay."""


# The share of the rate at each of some steps, counted from 0 after the warm-up, and of how many.
Shares = Callable[[Scheduled, Ints, int], Floats]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is known of a schedule.

    Attributes:
        name: As a sweep file has it.
        settings: The names of the settings that it takes.
        shares: After the warm-up, if it has one.
        falls: Whether the rate ends below the one that was asked for.
        torch: PyTorch's scheduler, from the settings.
    """

    name: str
    settings: Sequence[str] = ()
    shares: Shares = lambda settings, taken, steps: np.ones(len(taken))
    falls: bool = False
    torch: str = ""


_LAMBDA = "torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t:"
_RISE = "(t + 1) / {warmup_steps} if t < {warmup_steps} else"
_FALL = "(1 + math.cos(math.pi * (t - {warmup_steps}) / ({steps} - {warmup_steps}))) / 2"

SCHEDULES = {
    each.name: each
    for each in (
        Schedule(name="constant"),
        Schedule(name="warmup", settings=("warmup_steps",), torch=f"{_LAMBDA} {_RISE} 1)"),
        Schedule(
            name="cosine",
            settings=("warmup_steps",),
            shares=lambda settings, taken, steps: (1 + np.cos(np.pi * (taken / steps))) / 2,
            falls=True,
            torch=f"{_LAMBDA} {_RISE} {_FALL})",
        ),
        Schedule(
            name="step",
            settings=("decay_steps", "decay_factor"),
            shares=lambda settings, taken, steps: (
                settings.decay_factor ** (taken // settings.decay_steps).astype(np.float64)
            ),
            falls=True,
            torch=f"{_LAMBDA} {{decay_factor:.4g}} ** (t // {{decay_steps}}))",
        ),
    )
}


def rate_factors(settings: Scheduled, steps: int, taken: Ints) -> Floats:
    """The share of the learning rate at which each step is taken, (len(taken),).

    Step t, counted from 0, of a warm-up over w steps has (t + 1) / w. Of the steps after it,
    cosine gives the k-th of n, counted from 0, (1 + cos(pi k / n)) / 2: Loshchilov & Hutter
    (2017), arXiv:1608.03983, eq. 5, without restarts. Step, which has no warm-up, gives
    decay_factor to the power of the whole part of t / decay_steps.

    Args:
        settings: Of a trial or an update.
        steps: Of the whole training.
        taken: The steps asked for.
    """
    known = SCHEDULES[settings.schedule]
    warmup = settings.warmup_steps if "warmup_steps" in known.settings else 0
    factors = known.shares(settings, np.maximum(taken - warmup, 0), max(steps - warmup, 1))
    return np.where(taken < warmup, (taken + 1) / warmup, factors) if warmup else factors
