"""The expected cost of a trial, from its trainer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.datasets import DatasetInfo
from core.trainers import Trainer

LEAST_SECONDS = 1e-9  # of a training: work is divided by it

Infos = Mapping[str, DatasetInfo]


@dataclass(frozen=True)
class Price:
    """What a trial costs.

    Attributes:
        seconds: Of one core, for a training.
        start: The same for the work that is done once per start.
        flops: Floating-point operations of a training; None if nobody counts them.
    """

    seconds: float
    start: float
    flops: int | None


def price(trial: Any, trainer: Trainer, datasets: Infos) -> Price:
    """The price of a trial, with the sizes of the data set that it names."""
    data = None if trainer.task is None else datasets[trial.dataset]
    return Price(
        max(trainer.seconds(trial, data), LEAST_SECONDS),
        trainer.start_seconds(trial, data),
        None if trainer.flops is None else trainer.flops(trial, data),
    )
