"""Data sets: the sizes announced, a choice of examples that stays, scalings, baselines."""

import numpy as np
import pytest
from scipy.optimize import minimize

from core.datasets import (
    DATASETS,
    SCALINGS,
    SPIRAL_NOISE,
    SPIRAL_TURNS,
    Dataset,
    Task,
    baseline_loss,
    load_dataset,
    make_task,
)
from core.losses import LOSSES

CLASSES = [name for name, info in DATASETS.items() if info.classes]
REGRESSIONS = [name for name, info in DATASETS.items() if not info.classes]


def task_of(name, examples=50, scaling="standardized"):
    return make_task(load_dataset(name, examples), examples, scaling, "standardized")


def best_constant_loss(task, loss):
    """The least loss of one output vector for all examples, found numerically."""

    def loss_of(constant):
        outputs = np.repeat(constant[None, :, None], task.examples, axis=2)
        return float(LOSSES[loss](outputs, task.targets)[0])

    return minimize(loss_of, np.zeros(task.outputs), method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.parametrize("name", DATASETS)
def test_the_sizes_announced_are_those_loaded(name):
    """A sweep is checked and priced by them before anything is loaded."""
    dataset, announced = load_dataset(name, 30), DATASETS[name]
    assert len(dataset.inputs) == len(dataset.targets) == (announced.examples or 30)
    assert dataset.inputs.shape[1] == announced.feature_count
    assert dataset.classes == announced.classes
    assert dataset.name == name
    assert dataset.info.outputs == task_of(name).outputs == announced.outputs


@pytest.mark.parametrize("name", CLASSES)
def test_labels_are_the_numbers_of_the_classes(name):
    """0 .. classes - 1, each of them met."""
    dataset = load_dataset(name, 30)
    np.testing.assert_array_equal(np.unique(dataset.targets), np.arange(dataset.classes))


@pytest.mark.parametrize("name", DATASETS)
def test_a_task_is_laid_out_for_networks(name):
    """Features by examples with a last row of ones; one-hot classes or standardized numbers."""
    task = task_of(name)
    assert task.inputs.shape == (DATASETS[name].feature_count + 1, 50)
    assert (task.feature_count, task.examples) == (DATASETS[name].feature_count, 50)
    np.testing.assert_array_equal(task.inputs[-1], 1)
    if name in CLASSES:
        np.testing.assert_array_equal(task.targets.argmax(axis=0), task.labels)
        np.testing.assert_array_equal(np.sort(task.targets, axis=0)[:-1], 0)
        np.testing.assert_array_equal(task.targets.sum(axis=0), 1)
    else:
        assert task.labels is None
        assert task.targets.mean() == pytest.approx(0, abs=1e-12)
        assert task.targets.std() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", DATASETS)
def test_the_same_examples_are_chosen_always(name):
    """Neither global seeds, other loads nor the scaling changes them: every bit is the same."""
    first = task_of(name, scaling="raw")
    np.random.default_rng(5).random(100)
    for other in DATASETS:
        task_of(other, examples=7)
    for scaling in SCALINGS:
        again = task_of(name, scaling=scaling)
        np.testing.assert_array_equal(again.targets, first.targets)
    np.testing.assert_array_equal(task_of(name, scaling="raw").inputs, first.inputs)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "diabetes"])
def test_fewer_examples_are_the_first_of_more(name):
    """A larger batch adds examples to a smaller one; all of them are the whole data set."""
    few, many = task_of(name, 20, "raw"), task_of(name, 60, "raw")
    np.testing.assert_array_equal(few.inputs, many.inputs[:, :20])
    dataset = load_dataset(name, 1)
    everything = make_task(dataset, len(dataset.inputs), "raw", "standardized").inputs[:-1]
    np.testing.assert_array_equal(np.sort(everything, axis=1), np.sort(dataset.inputs.T, axis=1))


def test_the_examples_chosen_are_pinned():
    """A stored result names its examples by their number alone: another choice would be a lie."""
    assert task_of("digits").labels[:12].tolist() == [7, 8, 5, 9, 6, 1, 2, 7, 5, 5, 9, 1]
    gaussian, spirals = (task_of(n, scaling="raw").inputs[:2, 0] for n in ("gaussian", "spirals"))
    np.testing.assert_allclose(gaussian, [-1.7081141301045062, -0.024443872648393844])
    np.testing.assert_allclose(spirals, [-0.43573863757092895, -0.6216029541655818])


def test_own_classes_get_their_share_of_the_examples():
    """Of 6 positives in 300 rows 3 are among 128 examples, where a plain draw has none."""
    labels = (np.arange(300) % 50 == 5).astype(np.int64)
    mine = Dataset("mine.csv-0", np.arange(300.0)[:, None], labels, 2)
    task = make_task(mine, 128, "raw", "standardized")
    assert np.bincount(task.labels).tolist() == [125, 3]
    np.testing.assert_array_equal(task.inputs, make_task(mine, 128, "raw", "standardized").inputs)
    assert task.inputs[0, -5:].tolist() == [51, 287, 155, 105, 5]
    assert len(np.unique(make_task(mine, 300, "raw", "standardized").inputs[0])) == 300


def test_bundled_data_are_drawn_without_regard_to_classes():
    """As they always were: the ids in existing stores stand for these examples."""
    smallest = np.bincount(task_of("digits", 24).labels, minlength=10).min()
    assert smallest == 0


def test_raw_targets_stay_as_they_are():
    """Else their mean is 0 and their variance 1; classes are one-hot either way."""
    diabetes = load_dataset("diabetes", 50)
    raw = make_task(diabetes, 50, "raw", "raw")
    assert set(raw.targets[0]) <= set(diabetes.targets)
    scaled = (raw.targets - raw.targets.mean()) / raw.targets.std()
    np.testing.assert_allclose(task_of("diabetes").targets, scaled, rtol=1e-12)
    assert baseline_loss(raw, "mse") == pytest.approx(raw.targets.var() / 2)


@pytest.mark.parametrize("name", DATASETS)
def test_scalings_set_the_mean_and_the_deviation_of_each_feature(name):
    """centered: mean 0; standardized: deviation 1 too; raw: as they came."""
    dataset = load_dataset(name, 50)
    raw, centered, standardized = (
        make_task(dataset, 50, s, "standardized").inputs[:-1] for s in SCALINGS
    )
    assert all((dataset.inputs == example).all(axis=1).any() for example in raw.T)
    size = np.abs(raw).max()
    np.testing.assert_allclose(centered.mean(axis=1), 0, atol=1e-14 * size)
    np.testing.assert_allclose(centered, raw - raw.mean(axis=1, keepdims=True), atol=1e-14 * size)
    np.testing.assert_allclose(standardized.mean(axis=1), 0, atol=1e-13)
    varied = np.ptp(raw, axis=1) > 0
    np.testing.assert_allclose(standardized.std(axis=1), varied, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9 / 3, 1e-300])
def test_a_constant_feature_becomes_zero(value):
    """Though rounding leaves it a deviation of some ulps."""
    inputs = np.stack([np.full(49, value), np.linspace(0, 1, 49)], axis=1)
    task = make_task(
        Dataset("mine", inputs, np.arange(49) % 2, 2), 49, "standardized", "standardized"
    )
    np.testing.assert_array_equal(task.inputs[0], 0)
    assert task.inputs[1].std() == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "loss"),
    [(n, loss) for n in CLASSES for loss in LOSSES] + [(n, "mse") for n in REGRESSIONS],
)
def test_the_baseline_is_the_best_constant_predictor(name, loss):
    """Against a numerical minimizer over the outputs."""
    task = task_of(name)
    assert baseline_loss(task, loss) == pytest.approx(best_constant_loss(task, loss), rel=1e-8)


def test_a_class_that_was_not_chosen_adds_nothing_to_the_baseline():
    """The entropy of two classes in equal parts is ln 2, though there are three."""
    task = Task(np.ones((2, 4)), np.eye(3)[[0, 1, 0, 1]].T, np.array([0, 1, 0, 1]))
    assert baseline_loss(task, "cross_entropy") == pytest.approx(np.log(2), rel=1e-15)


def test_the_baseline_of_one_class_is_0():
    """And not -0, which a message would show."""
    task = Task(np.ones((2, 4)), np.eye(2)[[1, 1, 1, 1]].T, np.array([1, 1, 1, 1]))
    assert str(baseline_loss(task, "cross_entropy")) == "0.0"


def test_spirals_wind_from_the_origin_to_radius_1():
    """Two classes by turns, one the other's half turn, 1.5 turns, within 6 deviations of noise."""
    spirals = load_dataset("spirals", 400)
    np.testing.assert_array_equal(spirals.targets, np.arange(400) % 2)
    radius = np.linalg.norm(spirals.inputs, axis=1)
    assert radius.max() < 1 + 6 * SPIRAL_NOISE
    assert radius.min() < 0.1
    along = np.linspace(0, 1, 2000)
    angle = 2 * np.pi * SPIRAL_TURNS * along + np.pi * spirals.targets[:, None]
    arm = along * np.exp(1j * angle)
    distance = np.abs(spirals.inputs @ [1, 1j] - arm.T).min(axis=0)
    assert distance.max() < 6 * SPIRAL_NOISE


def test_gaussian_examples_are_independent_of_their_targets():
    """Inputs and targets N(0, 1), means, variances and correlations within 5 standard errors."""
    dataset = load_dataset("gaussian", 4000)
    numbers = np.column_stack([dataset.inputs, dataset.targets])
    assert np.abs(numbers.mean(axis=0)).max() < 5 / np.sqrt(4000)
    assert np.abs(numbers.var(axis=0) - 1).max() < 5 * np.sqrt(2 / 4000)
    correlations = np.corrcoef(numbers.T) - np.eye(17)
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


def test_the_mean_square_of_the_features_leaves_the_ones_of_the_biases_out():
    """1 where all features vary and are standardized; digits have constant corners."""
    assert task_of("wine").input_mean_square == pytest.approx(1)
    digits = task_of("digits")
    varying = (np.ptp(digits.inputs[:-1], axis=1) > 0).mean()
    assert digits.input_mean_square == pytest.approx(varying)
