"""Ours: stacks of networks through core's gradient descent, in this process or on Ray."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from workloads import Floats, Workload

from core.datasets import Task
from core.gradient_descent import descend
from core.training import even_stacks, networks_per_stack
from core.trials import Trial
from pipeline.executors import run_on_ray

TASKS = 2  # of a workload on Ray: one a worker


def stack_size(workload: Workload) -> int:
    """As train_trials would choose it."""
    shape = Trial(
        dataset="gaussian",
        examples=workload.examples,
        features="raw",
        depth=workload.depth,
        width=workload.width,
        activation="tanh",
        initializer="gaussian",
        init_scale=1.0,
        bias_scale=0.0,
        learning_rate=1.0,
        loss="mse",
        steps=workload.steps,
        seed=0,
        dtype="float32",
        measure="none",
    )
    inputs, targets = workload.data()
    return networks_per_stack(shape, Task(np.vstack([inputs, inputs[:1]]), targets, None))


def prepare(workload: Workload, trials: range, activation: str = "tanh") -> Callable[[], Floats]:
    """A function that trains these trials, stack after stack, and returns their last losses."""
    return _training(workload, trials, workload.start(trials), activation)


def _training(
    workload: Workload, trials: range, params: list[Floats], activation: str = "tanh"
) -> Callable[[], Floats]:
    problem, size = workload.problem(activation), stack_size(workload)
    rates = workload.learning_rates(trials)

    def train() -> Floats:
        last = []
        for stack in even_stacks(len(trials), size):
            copies = [p[stack].copy() for p in params]
            last.append(descend(copies, rates[stack], workload.steps, problem).losses[-1])
        return np.concatenate(last)

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
