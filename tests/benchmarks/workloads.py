"""The work that every peer does: the same data, initial weights, learning rates and steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets import Task, baseline_loss
from core.gradient_descent import Problem
from core.initializers import initial_params
from core.network import layer_widths

FEATURES, OUTPUTS = 64, 10

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Workload:
    """Same-shaped networks, trained in float32.

    Attributes:
        trials: Networks, each with its own seed and learning rate.
        activation: tanh, relu or gelu.
        loss: mse or cross_entropy.
        init_scale: Where the activation's signal neither dies nor explodes.
        largest_rate: Of the learning rates; every network learns, none is chaotic.
    """

    width: int
    examples: int
    depth: int
    steps: int
    trials: int
    activation: str = "tanh"
    loss: str = "mse"
    init_scale: float = 1.2
    largest_rate: float = 0.03

    @property
    def name(self) -> str:
        """Width x examples x depth x steps, and what is not tanh and squared error."""
        sizes = f"{self.width} x {self.examples} x {self.depth} x {self.steps}"
        kinds = {"tanh": "", "mse": "", "cross_entropy": ", cross-entropy"}
        names = (kinds.get(name, f", {name}") for name in (self.activation, self.loss))
        return sizes + "".join(names)

    @property
    def widths(self) -> tuple[int, ...]:
        """(features, hidden ..., outputs)."""
        return layer_widths(FEATURES, self.width, OUTPUTS, self.depth)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all trainings' matrix products.

        Forward, gradient and backward are one product each; the inputs need no gradient.
        """
        weights = [(a + 1) * b for a, b in zip(self.widths[:-1], self.widths[1:], strict=True)]
        return (6 * sum(weights) - 2 * weights[0]) * self.examples * self.steps * self.trials

    def data(self) -> tuple[Floats, Floats]:
        """Inputs (features, examples) and one-hot targets (outputs, examples)."""
        rng = np.random.default_rng(0)
        inputs = rng.standard_normal((FEATURES, self.examples), dtype=np.float32)
        labels = rng.integers(OUTPUTS, size=self.examples)
        return inputs, np.ascontiguousarray(np.eye(OUTPUTS, dtype=np.float32)[labels].T)

    def start(self, trials: range, init_scale: float | None = None) -> list[Floats]:
        """Initial weights of some trials, one (trials, fan_out, fan_in + 1) a layer."""
        init_scale = self.init_scale if init_scale is None else init_scale
        drawn = [initial_params("gaussian", self.widths, seed, init_scale, 0.0) for seed in trials]
        return [np.stack(layer).astype(np.float32) for layer in zip(*drawn, strict=True)]

    def learning_rates(self, trials: range) -> NDArray[np.float64]:
        """From a hundredth of the largest."""
        return np.geomspace(self.largest_rate / 100, self.largest_rate, self.trials)[
            trials.start : trials.stop
        ]

    def problem(self) -> Problem:
        """The same data as our trainer takes it."""
        inputs, targets = self.data()
        ones = np.ones((1, self.examples), dtype=np.float32)
        task = Task(np.concatenate([inputs, ones]), targets, targets.argmax(axis=0))
        baseline = baseline_loss(task, self.loss)
        return Problem(task.inputs, targets, self.activation, self.loss, baseline)


WORKLOADS = (
    Workload(width=16, examples=16, depth=3, steps=500, trials=800),
    Workload(width=32, examples=128, depth=11, steps=100, trials=72),
    Workload(width=64, examples=256, depth=11, steps=50, trials=32),
    Workload(width=128, examples=256, depth=21, steps=10, trials=20),
    Workload(48, 192, 8, 80, trials=60, activation="gelu", loss="cross_entropy", init_scale=1.4),
    Workload(24, 96, 5, 400, trials=120, activation="relu", init_scale=1.4, largest_rate=0.01),
)
