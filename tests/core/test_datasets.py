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
    targets = LOSSES[loss].encoded(task.targets)

    def loss_of(constant):
        outputs = np.repeat(constant[None, :, None], task.examples, axis=2)
        return float(LOSSES[loss](outputs, targets)[0])

    return minimize(loss_of, np.zeros(len(targets)), method="BFGS", options={"gtol": 1e-9}).fun


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


def test_several_targets_are_scaled_each_by_itself():
    """A row of the task for each; the best constant's loss is the sum of theirs."""
    numbers = np.random.default_rng(4).normal([5, -3], [2, 40], size=(60, 2))
    mine = Dataset("mine.csv-0", numbers**2, numbers, None)
    task = make_task(mine, 40, "raw", "standardized", 15)
    raw = make_task(mine, 40, "raw", "raw", 15)
    assert (mine.info.outputs, task.outputs, task.held_out.outputs) == (2, 2, 2)
    for column in range(2):
        single = Dataset("mine.csv-0", numbers**2, numbers[:, column], None)
        alone = make_task(single, 40, "raw", "standardized", 15)
        np.testing.assert_allclose(task.targets[[column]], alone.targets, rtol=1e-12)
        held_out = task.held_out.targets[[column]]
        np.testing.assert_allclose(held_out, alone.held_out.targets, rtol=1e-12)
    assert baseline_loss(task, "mse") == pytest.approx(1, rel=1e-12)
    assert baseline_loss(raw, "mse") == pytest.approx(raw.targets.var(axis=1).sum() / 2)


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


def held_out_of(name, examples=50, test_examples=20, scaling="raw", targets="raw"):
    task = make_task(load_dataset(name, examples), examples, scaling, targets, test_examples)
    return task, task.held_out


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("name", DATASETS)
def test_held_out_examples_leave_the_training_ones_alone(name, scaling):
    """To the last bit; and however few there are, they are the first of more."""
    alone = make_task(load_dataset(name, 50), 50, scaling, "standardized")
    assert alone.held_out is None
    task, held_out = held_out_of(name, scaling=scaling, targets="standardized")
    np.testing.assert_array_equal(task.inputs, alone.inputs)
    np.testing.assert_array_equal(task.targets, alone.targets)
    fewer = held_out_of(name, test_examples=7, scaling=scaling, targets="standardized")[1]
    np.testing.assert_array_equal(held_out.inputs[:, :7], fewer.inputs)
    np.testing.assert_array_equal(held_out.targets[:, :7], fewer.targets)
    assert (held_out.examples, held_out.feature_count, held_out.outputs) == (
        20,
        task.feature_count,
        task.outputs,
    )
    assert (held_out.labels is None) == (task.labels is None)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "diabetes"])
def test_training_and_held_out_examples_are_the_data_set(name):
    """Each of its examples stands in one of the two, with its own answer."""
    dataset = load_dataset(name, 1)
    count = len(dataset.inputs)
    task, held_out = held_out_of(name, 100, count - 100)
    together = np.concatenate([task.inputs[:-1], held_out.inputs[:-1]], axis=1).T
    answers = np.concatenate([task.targets, held_out.targets], axis=1)
    answers = answers[0] if task.labels is None else answers.argmax(axis=0)
    found = np.column_stack([together, answers])
    known = np.column_stack([dataset.inputs, dataset.targets])
    np.testing.assert_array_equal(found[np.lexsort(found.T)], known[np.lexsort(known.T)])


@pytest.mark.parametrize("name", ["gaussian", "spirals"])
def test_held_out_examples_of_what_is_drawn_are_drawn_next(name):
    """None of them is trained on: they are the ones that a larger data set has more."""
    task, held_out = held_out_of(name)
    more = load_dataset(name, 70)
    np.testing.assert_array_equal(held_out.inputs[:-1].T, more.inputs[50:])
    trained = task.inputs[:-1].T
    np.testing.assert_array_equal(
        trained[np.lexsort(trained.T)], more.inputs[:50][np.lexsort(more.inputs[:50].T)]
    )


def test_held_out_examples_are_scaled_as_the_training_ones():
    """By their means and deviations, features and numbers alike; a constant feature stays 0."""
    numbers = np.random.default_rng(3).normal(5, 2, size=(60, 2))
    mine = Dataset("mine.csv-0", np.column_stack([numbers, np.full(60, 7.0)]), numbers[:, 0], None)
    raw = make_task(mine, 40, "raw", "raw", 20)
    others = raw.held_out.inputs[0]
    mine.inputs[np.isin(numbers[:, 0], others), 2] = 9
    held_out = make_task(mine, 40, "standardized", "standardized", 20).held_out
    scaled = (others - raw.inputs[0].mean()) / raw.inputs[0].std()
    assert abs(scaled.mean()) > 0.01
    np.testing.assert_allclose(held_out.inputs[0], scaled, rtol=1e-12)
    np.testing.assert_allclose(held_out.targets[0], scaled, rtol=1e-12)
    assert held_out.inputs[2:].tolist() == [[0] * 20, [1] * 20]
    centered = make_task(mine, 40, "centered", "raw", 20).held_out
    np.testing.assert_allclose(centered.inputs[0], others - raw.inputs[0].mean(), rtol=1e-12)


def test_own_classes_get_their_share_of_the_held_out_examples():
    """Of the 3 positives that are left 1 is among 50, and a class that is used up is no harm."""
    labels = (np.arange(300) % 50 == 5).astype(np.int64)
    labels[7] = 2
    mine = Dataset("mine.csv-0", np.arange(300.0)[:, None], labels, 3)
    task = make_task(mine, 128, "raw", "raw", 50)
    held_out = task.held_out
    assert np.bincount(task.labels).tolist() == [125, 2, 1]
    assert np.bincount(held_out.labels).tolist() == [49, 1]
    assert not {*task.inputs[0]} & {*held_out.inputs[0]}
    np.testing.assert_array_equal(labels[held_out.inputs[0].astype(int)], held_out.labels)
    everything = make_task(mine, 128, "raw", "raw", 172).held_out
    assert len({*everything.inputs[0]} | {*task.inputs[0]}) == 300


def test_the_held_out_examples_are_pinned():
    """A stored result names them by their number alone, as it does the training examples."""
    assert held_out_of("digits")[1].labels[:12].tolist() == [6, 6, 3, 5, 4, 3, 8, 3, 7, 9, 0, 1]
    assert held_out_of("spirals")[1].labels[:4].tolist() == [0, 1, 0, 1]


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
