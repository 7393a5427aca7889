"""Data sets, and the tasks that sweeps train on: a fixed choice of examples, scaled.

The examples and their order depend on the data set and their number alone, never on a
trial's seed: seeds vary the initial weights, the task stays the same. From a user's own data each
class gets its share of the examples. The bundled data sets are drawn without regard to
classes: the ids in existing stores stand for examples that were drawn in that way.
Held-out examples are drawn from those that are left: however many, the training examples stay
the same.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import cache
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
        numbers: How many numbers a target has; 1 for classes.
    """

    examples: int | None
    feature_count: int
    classes: int | None
    _: KW_ONLY
    numbers: int = 1

    @property
    def outputs(self) -> int:
        """The numbers of a target: one per class, or those of a regression."""
        return self.classes or self.numbers


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
        targets: (examples,): labels 0 .. classes - 1; or where classes is None numbers,
            (examples,), or (examples, numbers) of several.
        classes: How many classes; None for regression.
    """

    name: str
    inputs: Matrix
    targets: NDArray[np.int64] | Matrix
    classes: int | None

    @property
    def info(self) -> DatasetInfo:
        """Its size, as known of a bundled data set before it is loaded."""
        numbers = 1 if self.targets.ndim == 1 else self.targets.shape[1]
        return DatasetInfo(len(self.inputs), self.inputs.shape[1], self.classes, numbers=numbers)


@dataclass(frozen=True)
class Task:
    """What networks are trained on.

    Attributes:
        inputs: (features + 1, examples); the last row is ones, for the biases.
        targets: (outputs, examples): one-hot classes, or numbers.
        labels: (examples,) classes; None for regression.
        held_out: Other examples, scaled as these are and never trained on; None for none.
    """

    inputs: Matrix
    targets: Matrix
    labels: NDArray[np.int64] | None
    held_out: "Task | None" = None

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
        """Numbers of a target: one per class, or those of a regression."""
        return len(self.targets)

    @property
    def input_mean_square(self) -> float:
        """The mean of the squared features, |x|^2 / n, which sets the first layer's variance."""
        return float(np.square(self.inputs[:-1]).mean())


def _sklearns(name: str) -> Callable[[int], tuple[Matrix, NDArray[Any]]]:
    return lambda examples: _read(name)


@cache
def _read(name: str) -> tuple[Matrix, NDArray[Any]]:
    """A file of scikit-learn's, read once for all who look at it."""
    from sklearn import datasets  # Takes a second to import: only when training needs it.

    loaded = getattr(datasets, f"load_{name}")()
    inputs, targets = loaded.data.astype(np.float64), loaded.target
    for array in (inputs, targets):
        array.setflags(write=False)
    return inputs, targets


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


def _as_they_are(columns: Matrix, training: Matrix) -> Matrix:
    return columns


def _centered(columns: Matrix, training: Matrix) -> Matrix:
    return columns - training.mean(axis=0)


def _standardized(columns: Matrix, training: Matrix) -> Matrix:
    centered = _centered(columns, training)
    deviation = training.std(axis=0)
    # Rounding leaves a constant column a deviation of some ulps of its size, not 0.
    constant = deviation <= 1e-12 * np.abs(training).max(axis=0)
    centered[:, constant] = 0
    return centered / np.where(constant, 1, deviation)


@dataclass(frozen=True)
class Scaling:
    """How features or targets are scaled.

    Attributes:
        scaled: Columns (examples, columns) to scaled ones, by the means and deviations of
            other columns, those of the training examples.
        torch: The same as a line of PyTorch, {0} being the columns.
        of_targets: Whether numbers as targets may be scaled so.
    """

    scaled: Callable[[Matrix, Matrix], Matrix]
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


def make_task(
    dataset: Dataset, examples: int, scaling: str, targets: str, test_examples: int = 0
) -> Task:
    """Choose `examples` examples, scale their features, and lay them out for networks.

    Args:
        dataset: Where the examples come from.
        examples: How many; at most the data set's own number.
        scaling: `raw`; `centered`: each feature's mean over the chosen examples is 0;
            `standardized`: and its standard deviation 1 (a constant feature stays 0).
        targets: Likewise for numbers, one that is of_targets; classes are one-hot.
        test_examples: How many others are held out; at most as many as are left. Their
            features and numbers are scaled by the means and deviations of the chosen ones; a
            feature that is constant over these is 0.
    """
    chosen = _chosen(dataset, examples)

    def laid_out(own: Dataset, places: Indices, held_out: Task | None = None) -> Task:
        inputs = SCALINGS[scaling].scaled(own.inputs[places], dataset.inputs[chosen])
        with_ones = np.concatenate([inputs, np.ones((len(places), 1))], axis=1).T
        answers = own.targets[places]
        if dataset.classes is not None:
            one_hot = np.eye(dataset.classes)[answers].T.copy()
            return Task(with_ones, one_hot, answers.astype(np.int64), held_out)
        numbers = SCALINGS[targets].scaled(_columns(answers), _columns(dataset.targets[chosen]))
        return Task(with_ones, numbers.T, None, held_out)

    if not test_examples:
        return laid_out(dataset, chosen)
    return laid_out(dataset, chosen, laid_out(*_held_out(dataset, chosen, test_examples)))


def _columns(numbers: NDArray[Any]) -> Matrix:
    return numbers.reshape(len(numbers), -1).astype(np.float64)


def _chosen(dataset: Dataset, examples: int) -> Indices:
    """Places of the examples that a task takes, in its order."""
    return _drawn(dataset, _order(dataset), examples)


def _held_out(dataset: Dataset, chosen: Indices, count: int) -> tuple[Dataset, Indices]:
    """A data set and places of examples in it that a task does not take.

    Those of a data set that is drawn are the next ones drawn.
    """
    known = DATASETS.get(dataset.name)
    if known is not None and known.examples is None:
        more = load_dataset(dataset.name, len(dataset.inputs) + count)
        return more, np.arange(len(dataset.inputs), len(more.inputs))
    order = _order(dataset)
    return dataset, _drawn(dataset, order[~np.isin(order, chosen)], count)


def _order(dataset: Dataset) -> Indices:
    """Places of all examples, in the order in which they are drawn."""
    return _generator(4).permutation(len(dataset.inputs))


def _drawn(dataset: Dataset, order: Indices, count: int) -> Indices:
    """The first places along an order; of a user's own classes each gets its share."""
    if dataset.name in DATASETS or dataset.classes is None:
        return order[:count]
    return stratified(order, dataset.targets.astype(np.int64), count)


def baseline_loss(task: Task, loss: str) -> float:
    """The loss of the best constant predictor: the trivial answer a network must beat."""
    return LOSSES[loss].baseline(LOSSES[loss].encoded(task.targets))
