"""Data sets, and the tasks that sweeps train on: a fixed choice of examples, scaled.

The examples and their order depend on the data set and their number alone, never on a
trial's seed: seeds vary the initial weights, the task stays the same. From a user's own data each
class gets its share of the examples. The bundled data sets are drawn without regard to
classes: the ids in existing stores stand for examples that were drawn in that way.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.draws import Indices, stratified
from core.losses import LOSSES

Matrix = NDArray[np.float64]

GAUSSIAN_FEATURES = 16
SPIRAL_TURNS = 1.5
SPIRAL_NOISE = 0.02


@dataclass(frozen=True)
class DatasetInfo:
    """The facts about a data set that are known before it is loaded.

    Attributes:
        examples: How many there are; None where they are drawn as wanted.
        feature_count: Numbers per example.
        classes: How many classes; None for regression.
    """

    examples: int | None
    feature_count: int
    classes: int | None

    @property
    def outputs(self) -> int:
        """The number of outputs that a network needs: one per class, or one for regression."""
        return self.classes or 1


@dataclass(frozen=True)
class BundledDataset(DatasetInfo):
    """A data set that comes with phasesweep, with the function that loads it.

    Attributes:
        load: Its inputs (examples, features) and targets (examples,): as many examples as asked
            for where they are drawn, otherwise all.
    """

    load: Callable[[int], tuple[Matrix, NDArray[Any]]]


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
        targets: (outputs, examples): one-hot classes, or numbers.
        labels: (examples,) classes; None for regression.
    """

    inputs: Matrix
    targets: Matrix
    labels: NDArray[np.int64] | None

    @property
    def feature_count(self) -> int:
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

    @property
    def input_mean_square(self) -> float:
        """The mean of the squared features, |x|^2 / n, which sets the first layer's variance."""
        return float(np.square(self.inputs[:-1]).mean())


def _sklearns(name: str) -> Callable[[int], tuple[Matrix, NDArray[Any]]]:
    def load(examples: int) -> tuple[Matrix, NDArray[Any]]:
        from sklearn import datasets  # Takes a second to import: only when training needs it.

        loaded = getattr(datasets, f"load_{name}")()
        return loaded.data.astype(np.float64), loaded.target

    return load


def _gaussian(examples: int) -> tuple[Matrix, Matrix]:
    inputs = _generator(0).standard_normal((examples, GAUSSIAN_FEATURES))
    return inputs, _generator(1).standard_normal(examples)


def _spirals(examples: int) -> tuple[Matrix, NDArray[np.int64]]:
    """Two interleaved spirals from the origin to radius 1, with a little noise."""
    labels = np.arange(examples) % 2
    radius = np.sqrt(_generator(2).uniform(size=examples))
    angle = 2 * np.pi * SPIRAL_TURNS * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    noise = SPIRAL_NOISE * _generator(3).standard_normal((examples, 2))
    return points + noise, labels.astype(np.int64)


def _generator(stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([1749, stream])))


# scikit-learn's bundled files and two synthetic ones; the sizes stand here so that a
# sweep can be checked and priced without loading anything.
DATASETS = {
    "digits": BundledDataset(1797, 64, 10, _sklearns("digits")),
    "breast_cancer": BundledDataset(569, 30, 2, _sklearns("breast_cancer")),
    "wine": BundledDataset(178, 13, 3, _sklearns("wine")),
    "diabetes": BundledDataset(442, 10, None, _sklearns("diabetes")),
    "gaussian": BundledDataset(None, GAUSSIAN_FEATURES, None, _gaussian),
    "spirals": BundledDataset(None, 2, 2, _spirals),
}


def load_dataset(name: str, examples: int) -> Dataset:
    """One of DATASETS; a synthetic one with exactly `examples` examples.

    Args:
        name: A name in DATASETS.
        examples: How many will be used.
    """
    return Dataset(name, *DATASETS[name].load(examples), DATASETS[name].classes)


def _as_they_are(columns: Matrix) -> Matrix:
    return columns


def _centered(columns: Matrix) -> Matrix:
    return columns - columns.mean(axis=0)


def _standardized(columns: Matrix) -> Matrix:
    centered = _centered(columns)
    deviation = columns.std(axis=0)
    # Rounding leaves a constant column a deviation of some ulps of its size, not 0.
    constant = deviation <= 1e-12 * np.abs(columns).max(axis=0)
    centered[:, constant] = 0
    return centered / np.where(constant, 1, deviation)


@dataclass(frozen=True)
class Scaling:
    """How features or targets are scaled.

    Attributes:
        scaled: Columns (examples, columns) to scaled ones.
        torch: The same as a line of PyTorch, {0} being the columns.
        of_targets: Whether numbers as targets may be scaled so.
    """

    scaled: Callable[[Matrix], Matrix]
    torch: str
    _: KW_ONLY
    of_targets: bool


SCALINGS = {
    "raw": Scaling(_as_they_are, "{0} = {0}  # as they are", of_targets=True),
    "centered": Scaling(_centered, "{0} = {0} - {0}.mean(0)", of_targets=False),
    "standardized": Scaling(
        _standardized, "{0} = ({0} - {0}.mean(0)) / {0}.std(0, correction=0)", of_targets=True
    ),
}


def make_task(dataset: Dataset, examples: int, scaling: str, targets: str) -> Task:
    """Choose `examples` examples, scale their features, and lay them out for networks.

    Args:
        dataset: Where the examples come from.
        examples: How many; at most the data set's own number.
        scaling: `raw`; `centered`: each feature's mean over the chosen examples is 0;
            `standardized`: and its standard deviation 1 (a constant feature stays 0).
        targets: Likewise for numbers, one that is of_targets; classes are one-hot.
    """
    chosen = _chosen(dataset, examples)
    inputs = SCALINGS[scaling].scaled(dataset.inputs[chosen])
    with_ones = np.concatenate([inputs, np.ones((examples, 1))], axis=1).T
    answers = dataset.targets[chosen]
    if dataset.classes is None:
        numbers = answers[:, None].astype(np.float64)
        return Task(with_ones, SCALINGS[targets].scaled(numbers).T, None)
    return Task(with_ones, np.eye(dataset.classes)[answers].T.copy(), answers.astype(np.int64))


def _chosen(dataset: Dataset, examples: int) -> Indices:
    """Places of the examples that a task takes, in its order."""
    order = _generator(4).permutation(len(dataset.inputs))
    if dataset.name in DATASETS or dataset.classes is None:
        return order[:examples]
    return stratified(order, dataset.targets.astype(np.int64), examples)


def baseline_loss(task: Task, loss: str) -> float:
    """The loss of the best constant predictor: the trivial answer a network must beat."""
    return LOSSES[loss].baseline(task.targets)
