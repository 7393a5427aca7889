"""The work that every peer does: the same data, initial weights, learning rates and steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets import Task, baseline_loss
from core.descent.orders import Orders
from core.gradient_descent import Problem, Update
from core.hidden_layers import NO_NORMALIZATION
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
        optimizer, normalization: Settings.
        batch_size: Examples of a step, in each network's own order; 0 for all.
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
    optimizer: str = "gd"
    batch_size: int = 0
    normalization: str = NO_NORMALIZATION

    @property
    def name(self) -> str:
        """Width x examples x depth x steps, and what is not plain: tanh and squared error are."""
        examples = f"{self.batch_size} of {self.examples}" if self.batch_size else self.examples
        sizes = f"{self.width} x {examples} x {self.depth} x {self.steps}"
        kinds = dict.fromkeys(("tanh", "mse", "gd", NO_NORMALIZATION), "")
        kinds |= {"cross_entropy": ", cross-entropy", "layer": ", layer normalization"}
        used = (self.activation, self.loss, self.optimizer, self.normalization)
        return sizes + "".join(kinds.get(name, f", {name}") for name in used)

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
        return (6 * sum(weights) - 2 * weights[0]) * self._taken * self.steps * self.trials

    @property
    def _taken(self) -> int:
        return self.batch_size or self.examples

    def update(self, trial: int) -> Update:
        """How a trial's steps change its parameters."""
        return Update(optimizer=self.optimizer, batch_size=self.batch_size, order_seed=trial)

    def order(self, trial: int) -> NDArray[np.int64]:
        """The examples of each of a trial's steps, (steps, batch)."""
        return Orders(trial, self.examples, self._taken).next(self.steps)

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
        return Problem(
            task.inputs,
            targets,
            self.activation,
            self.loss,
            baseline,
            normalization=self.normalization,
        )


WORKLOADS = (
    Workload(width=16, examples=16, depth=3, steps=500, trials=800),
    Workload(width=32, examples=128, depth=11, steps=100, trials=72),
    Workload(width=64, examples=256, depth=11, steps=50, trials=32),
    Workload(width=128, examples=256, depth=21, steps=10, trials=20),
    Workload(48, 192, 8, 80, trials=60, activation="gelu", loss="cross_entropy", init_scale=1.4),
    Workload(24, 96, 5, 400, trials=120, activation="relu", init_scale=1.4, largest_rate=0.01),
)

# Steps that only some of the peers take.
CHANGED = (
    Workload(32, 128, 11, 400, trials=72, largest_rate=1e-3, optimizer="adam", batch_size=32),
    Workload(
        32, 128, 11, 100, trials=72, largest_rate=0.01, optimizer="momentum", normalization="layer"
    ),
)
