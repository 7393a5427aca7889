"""Data sets, and the tasks that sweeps train on: a fixed choice of examples, scaled.

The examples and their order depend on the data set and their number alone, never on a
trial's seed: seeds vary the initial weights, the task stays the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SCALINGS = ("raw", "centered", "standardized")

GAUSSIAN_FEATURES = 16
SPIRAL_TURNS = 1.5
SPIRAL_NOISE = 0.02


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is loaded.

    Attributes:
        examples: How many there are; None where they are drawn as wanted.
        features: Numbers per example.
        classes: How many classes; None for regression.
    """

    examples: int | None
    features: int
    classes: int | None

    @property
    def outputs(self) -> int:
        """Outputs that a network needs for it: one a class, one for regression."""
        return self.classes or 1


@dataclass(frozen=True)
class Dataset:
    """A data set as arrays.

    Attributes:
        name: The name trials know it by.
        inputs: (examples, features).
        targets: (examples,): labels 0 .. classes - 1, or numbers where classes is None.
        classes: How many classes; None for regression.
    """

    name: str
    inputs: Matrix
    targets: NDArray[np.int64] | Matrix
    classes: int | None

    @property
    def info(self) -> DatasetInfo:
        """Its size, as known of a bundled data set before it is loaded."""
        return DatasetInfo(len(self.inputs), self.inputs.shape[1], self.classes)


@dataclass(frozen=True)
class Task:
    """What networks are trained on.

    Attributes:
        inputs: (features + 1, examples); the last row is ones, for the biases.
        targets: (outputs, examples): one-hot classes, or standardized numbers.
        labels: (examples,) classes; None for regression.
    """

    inputs: Matrix
    targets: Matrix
    labels: NDArray[np.int64] | None

    @property
    def features(self) -> int:
        """Numbers per example."""
        return len(self.inputs) - 1

    @property
    def examples(self) -> int:
        """The full batch."""
        return self.inputs.shape[1]

    @property
    def outputs(self) -> int:
        """Outputs of a network for this task."""
        return len(self.targets)


# scikit-learn's bundled files and two synthetic ones; the sizes stand here so that a
# sweep can be checked and priced without loading anything.
DATASETS = {
    "digits": DatasetInfo(1797, 64, 10),
    "breast_cancer": DatasetInfo(569, 30, 2),
    "wine": DatasetInfo(178, 13, 3),
    "diabetes": DatasetInfo(442, 10, None),
    "gaussian": DatasetInfo(None, GAUSSIAN_FEATURES, None),
    "spirals": DatasetInfo(None, 2, 2),
}


def load_dataset(name: str, examples: int) -> Dataset:
    """One of DATASETS; a synthetic one with exactly `examples` examples.

    Args:
        name: A name in DATASETS.
        examples: How many will be used.
    """
    if name == "gaussian":
        return _gaussian(examples)
    if name == "spirals":
        return _spirals(examples)
    from sklearn import datasets  # Takes a second to import: only when training needs it.

    loaded = getattr(datasets, f"load_{name}")()
    return Dataset(name, loaded.data.astype(np.float64), loaded.target, DATASETS[name].classes)


def _gaussian(examples: int) -> Dataset:
    rng = _generator(0)
    inputs = rng.standard_normal((examples, GAUSSIAN_FEATURES))
    return Dataset("gaussian", inputs, _generator(1).standard_normal(examples), None)


def _spirals(examples: int) -> Dataset:
    """Two interleaved spirals from the origin to radius 1, with a little noise."""
    labels = np.arange(examples) % 2
    radius = np.sqrt(_generator(2).uniform(size=examples))
    angle = 2 * np.pi * SPIRAL_TURNS * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    noise = SPIRAL_NOISE * _generator(3).standard_normal((examples, 2))
    return Dataset("spirals", points + noise, labels.astype(np.int64), 2)


def _generator(stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([1749, stream])))


def make_task(dataset: Dataset, examples: int, scaling: str) -> Task:
    """Choose `examples` examples, scale their features, and lay them out for networks.

    Args:
        dataset: Where the examples come from.
        examples: How many; at most the data set's own number.
        scaling: `raw`; `centered`: each feature's mean over the chosen examples is 0;
            `standardized`: and its standard deviation 1 (a constant feature stays 0).
    """
    chosen = _generator(4).permutation(len(dataset.inputs))[:examples]
    inputs = _scaled(dataset.inputs[chosen], scaling)
    with_ones = np.concatenate([inputs, np.ones((examples, 1))], axis=1).T
    targets = dataset.targets[chosen]
    if dataset.classes is None:
        return Task(with_ones, _scaled(targets[:, None].astype(np.float64), "standardized").T, None)
    return Task(with_ones, np.eye(dataset.classes)[targets].T.copy(), targets.astype(np.int64))


def _scaled(columns: Matrix, scaling: str) -> Matrix:
    if scaling == "raw":
        return columns
    centered = columns - columns.mean(axis=0)
    if scaling == "centered":
        return centered
    deviation = columns.std(axis=0)
    # Rounding leaves a constant column a deviation of some ulps of its size, not 0.
    constant = deviation <= 1e-12 * np.abs(columns).max(axis=0)
    centered[:, constant] = 0
    return centered / np.where(constant, 1, deviation)


def baseline_loss(task: Task, loss: str) -> float:
    """The loss of the best constant predictor: the trivial answer a network must beat.

    Half the targets' variance summed over outputs for mse, the entropy of the labels'
    frequencies for cross_entropy.
    """
    if loss == "mse":
        return float(task.targets.var(axis=1).sum() / 2)
    frequencies = task.targets.mean(axis=1)
    frequencies = frequencies[frequencies > 0]
    # The one class of a sample has an entropy of 0, not of -0.
    return abs(float((frequencies * np.log(frequencies)).sum()))
