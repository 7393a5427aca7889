"""The schedules: the course of the learning rate over a training's steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is known of a schedule.

    Attributes:
        name: As a sweep file has it.
        warms_up: Whether the rate rises over the first steps.
        decays: Whether it falls to 0 at the last one.
        torch: PyTorch's scheduler, from the settings.
    """

    name: str
    warms_up: bool
    decays: bool
    torch: str = ""


_LAMBDA = "torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t:"
_RISE = "(t + 1) / {warmup_steps} if t < {warmup_steps} else"
_FALL = "(1 + math.cos(math.pi * (t - {warmup_steps}) / ({steps} - {warmup_steps}))) / 2"

SCHEDULES = {
    each.name: each
    for each in (
        Schedule(name="constant", warms_up=False, decays=False),
        Schedule(name="warmup", warms_up=True, decays=False, torch=f"{_LAMBDA} {_RISE} 1)"),
        Schedule(name="cosine", warms_up=True, decays=True, torch=f"{_LAMBDA} {_RISE} {_FALL})"),
    )
}


def rate_factors(
    schedule: str, warmup_steps: int, steps: int, taken: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The share of the learning rate at which each step is taken, (len(taken),).

    Step t, counted from 0, of a warm-up over w steps has (t + 1) / w. Of the steps after it,
    cosine gives the k-th of n, counted from 0, (1 + cos(pi k / n)) / 2: Loshchilov & Hutter
    (2017), arXiv:1608.03983, eq. 5, without restarts.

    Args:
        schedule: A name in SCHEDULES.
        warmup_steps: w.
        steps: Of the whole training.
        taken: The steps asked for.
    """
    known = SCHEDULES[schedule]
    factors = np.ones(len(taken))
    warmup = warmup_steps if known.warms_up else 0
    if known.decays:
        left = np.maximum(taken - warmup, 0) / max(steps - warmup, 1)
        factors = (1 + np.cos(np.pi * left)) / 2
    if warmup:
        factors = np.where(taken < warmup, (taken + 1) / warmup, factors)
    return factors
