"""The work that every peer does: the same data, initial weights, learning rates and steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.gradient_descent import Problem
from core.initializers import initial_params
from core.network import layer_widths

FEATURES, OUTPUTS = 64, 10

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Workload:
    """Same-shaped tanh networks, trained in float32 on squared error.

    Attributes:
        trials: Networks, each with its own seed and learning rate.
    """

    width: int
    examples: int
    depth: int
    steps: int
    trials: int

    @property
    def name(self) -> str:
        """Width x examples x depth x steps."""
        return f"{self.width} x {self.examples} x {self.depth} x {self.steps}"

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

    def start(self, trials: range, init_scale: float = 1.2) -> list[Floats]:
        """Initial weights of some trials, one (trials, fan_out, fan_in + 1) a layer."""
        seeds = np.array(trials, dtype=np.uint64)
        scales = np.full(len(trials), init_scale)
        drawn = initial_params("gaussian", self.widths, seeds, scales, np.zeros(len(trials)))
        return [p.astype(np.float32) for p in drawn]

    def learning_rates(self, trials: range) -> NDArray[np.float64]:
        """From 0.0003 to 0.03: every network learns, none is chaotic."""
        return np.geomspace(3e-4, 0.03, self.trials)[trials.start : trials.stop]

    def problem(self, activation: str = "tanh") -> Problem:
        """The same data as our trainer takes it."""
        inputs, targets = self.data()
        ones = np.ones((1, self.examples), dtype=np.float32)
        constant = targets.mean(axis=1, keepdims=True)
        baseline = 0.5 * float(np.square(targets - constant).sum()) / self.examples
        return Problem(np.concatenate([inputs, ones]), targets, activation, "mse", baseline)


WORKLOADS = (
    Workload(width=16, examples=16, depth=3, steps=500, trials=800),
    Workload(width=32, examples=128, depth=11, steps=100, trials=72),
    Workload(width=64, examples=256, depth=11, steps=50, trials=32),
    Workload(width=128, examples=256, depth=21, steps=10, trials=20),
)
