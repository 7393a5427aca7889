"""Ours: networks one by one through core's compiled trainer, in this process or on Ray."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from workloads import Floats, Workload

from core.descent.trainer import NetworkTrainer
from pipeline.executors import run_on_ray

TASKS = 2  # of a workload on Ray: one a worker


def prepare(workload: Workload, trials: range, dtype: str = "float32") -> Callable[[], Floats]:
    """A function that trains these trials and returns their last losses."""
    return _training(workload, trials, workload.start(trials), dtype)


def _training(
    workload: Workload, trials: range, params: list[Floats], dtype: str = "float32"
) -> Callable[[], Floats]:
    trainer = NetworkTrainer(workload.problem(), workload.width, workload.depth, dtype)
    rates = workload.learning_rates(trials).tolist()
    networks = [[layer[n] for layer in params] for n in range(len(trials))]

    def train() -> Floats:
        descents = (
            trainer.descend(network, rate, workload.steps, update=workload.update(trial))
            for network, rate, trial in zip(networks, rates, trials, strict=True)
        )
        return np.array([descent.losses[-1] for descent in descents])

    return train


@dataclass(frozen=True)
class Share:
    """Some trials of a workload: what a task of the bench's Ray run trains."""

    trials: range

    def __len__(self) -> int:
        return len(self.trials)


@dataclass(frozen=True)
class TrainShare:
    """The work of a task; a worker draws the initial weights once, as every peer does."""

    workload: Workload

    def __call__(self, share: Share) -> tuple[int, Floats]:
        """The share's first trial and its last losses."""
        params = [p[share.trials.start : share.trials.stop] for p in _start(self.workload)]
        return share.trials.start, _training(self.workload, share.trials, params)()


@lru_cache(maxsize=1)
def _start(workload: Workload) -> list[Floats]:
    return workload.start(range(workload.trials))


def prepare_on_ray(workload: Workload) -> Callable[[], Floats]:
    """The same through our executor, on the Ray that is already up.

    Run it until every worker has had a task: its first one draws the initial weights.
    """

    def shares() -> Iterator[Share]:
        edges = np.linspace(0, workload.trials, TASKS + 1).round().astype(int).tolist()
        return (Share(range(a, b)) for a, b in zip(edges[:-1], edges[1:], strict=True))

    def train() -> Floats:
        # The executor knows batches and rows; a share and its losses do as well.
        done = run_on_ray(TrainShare(workload), shares())  # type: ignore[arg-type]
        return np.concatenate([losses for _, losses in sorted(done, key=lambda part: part[0])])

    return train
