"""Training trials: the same numbers in any company, outcomes where they belong, no NaN ever."""

from dataclasses import astuple, fields
from itertools import product
from math import isfinite

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.datasets import Task, baseline_loss, load_dataset, make_task
from core.gradient_descent import Problem
from core.initializers import INITIALIZERS, initial_params
from core.losses import LOSSES
from core.network import forward, layer_widths
from core.outcomes import OUTCOMES
from core.training import train_trials
from core.trials import Trial

from .networks import plain_descent

SETTING = {
    "dataset": "wine",
    "examples": 24,
    "features": "standardized",
    "depth": 3,
    "width": 8,
    "activation": "tanh",
    "initializer": "gaussian",
    "init_scale": 1.0,
    "bias_scale": 0.1,
    "learning_rate": 0.1,
    "loss": "cross_entropy",
    "steps": 15,
    "seed": 0,
    "dtype": "float32",
    "measure": "signal",
}


def make_trial(**changes):
    return Trial(**{**SETTING, **changes})


def task_of(trial):
    dataset = load_dataset(trial.dataset, trial.examples)
    return make_task(dataset, trial.examples, trial.features)


def train(*trials):
    return list(train_trials(trials, task_of(trials[0])))


def mixed_trials(count, **changes):
    """Trials that train, vanish, diverge and overflow, in no order; several share a start."""
    rng = np.random.default_rng(11)
    scales, rates = np.geomspace(0.01, 30, 40), np.geomspace(1e-3, 300, count)
    return [
        make_trial(
            init_scale=float(rng.choice(scales)),
            bias_scale=float(rng.choice([0.0, 0.3])),
            learning_rate=float(rate),
            seed=int(rng.integers(3)),
            **changes,
        )
        for rate in rng.permutation(rates)
    ]


def assert_same_bits(found, expected):
    assert found.trial == expected.trial
    assert found.result == expected.result
    for array, other in zip(astuple(found.curve), astuple(expected.curve), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize(
    ("activation", "loss"), [("relu", "mse"), ("tanh", "cross_entropy"), ("gelu", "mse")]
)
def test_a_trial_has_the_same_bits_among_500_as_alone(activation, loss, monkeypatch):
    """Result and curve in float32; in groups of 64, on both sides of the places where they end."""
    trials = mixed_trials(500, activation=activation, loss=loss)
    monkeypatch.setattr("core.training.MOST_NETWORKS", 64)
    together = train(*trials)
    assert len({training.result.outcome for training in together}) >= 4
    for place in {*range(0, 500, 25), 63, 64, 499}:
        assert_same_bits(together[place], *train(trials[place]))


def test_trainings_come_in_the_order_of_their_trials():
    """Across groups, and whoever ended early."""
    trials = mixed_trials(500, steps=2)
    assert [training.trial for training in train(*trials)] == trials


@pytest.mark.parametrize(("factor", "outcome"), [(1.99, "trained"), (2.01, "diverged")])
def test_linear_regression_trains_below_two_over_lambda_max(factor, outcome):
    """Depth 1, MSE, labels that a plane can tell apart; lambda_max from numpy's eigvalsh."""
    trial = make_trial(depth=1, loss="mse", dtype="float64", steps=3000)
    inputs = task_of(trial).inputs
    lambda_max = np.linalg.eigvalsh(inputs @ inputs.T / trial.examples)[-1]
    rate = factor / float(lambda_max)
    (training,) = train(
        make_trial(depth=1, loss="mse", dtype="float64", steps=3000, learning_rate=rate)
    )
    assert training.result.outcome == outcome


def test_no_steps_give_an_untrained_baseline():
    """Its loss and accuracy at the start, at the only point of its curve."""
    (training,) = train(make_trial(steps=0))
    result, curve = training.result, training.curve
    assert (result.outcome, result.cause, result.steps_run) == ("untrained", None, 0)
    assert result.initial_loss == result.final_loss == result.tail_loss == result.peak_loss
    assert (curve.steps.tolist(), curve.losses.tolist()) == ([0], [result.initial_loss])
    assert result.final_accuracy is not None


@pytest.mark.parametrize("steps", [0, 12])
def test_the_accuracy_is_that_of_the_final_network(steps):
    """Against plain gradient descent of one network, classified by its largest output."""
    trial = make_trial(dataset="digits", examples=60, steps=steps, dtype="float64")
    task = task_of(trial)
    widths = layer_widths(task.features, trial.width, task.outputs, trial.depth)
    problem = Problem(task.inputs, task.targets, "tanh", "cross_entropy", 1.0)
    start = initial_params("gaussian", widths, 0, 1.0, 0.1)
    _, params = plain_descent(start, trial.learning_rate, steps, problem)
    outputs = forward(params, task.inputs[:-1], ACTIVATIONS["tanh"])[0][-1]
    right = np.mean(outputs.argmax(axis=0) == task.labels)
    (training,) = train(trial)
    assert training.result.final_accuracy == right
    assert 0 < right < 1


def test_a_regression_has_no_accuracy():
    """Nor has a classifier that was given up."""
    (regression,) = train(make_trial(dataset="diabetes", loss="mse"))
    (overflowed,) = train(make_trial(activation="relu", init_scale=1e5, depth=12))
    assert regression.result.final_accuracy is None
    assert overflowed.result.outcome == "overflow"
    assert overflowed.result.final_accuracy is None


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"learning_rate": 0.3}, "trained"),
        ({"activation": "relu", "init_scale": 1.4, "learning_rate": 0.3}, "trained"),
        ({"activation": "linear", "loss": "mse", "learning_rate": 3.0}, "diverged"),
        ({"learning_rate": 1000.0}, "diverged"),
        ({"activation": "sigmoid", "depth": 8}, "stalled"),
        ({"activation": "relu", "depth": 6, "init_scale": 0.01, "learning_rate": 0.3}, "stalled"),
        ({"learning_rate": 1e-8}, "stalled"),
        ({"learning_rate": 0.01}, "slow"),
        ({"activation": "relu", "loss": "mse", "depth": 12, "init_scale": 1e5}, "overflow"),
    ],
)
def test_digits_train_stall_and_diverge_where_they_should(changes, outcome):
    """64 digits, 100 steps: a map's regions have the names that they deserve."""
    setting = {"dataset": "digits", "examples": 64, "width": 16, "bias_scale": 0.0, "steps": 100}
    (training,) = train(make_trial(**setting, **changes))
    assert training.result.outcome == outcome


def test_a_run_that_overflowed_has_no_final_loss():
    """It ends at the step it names, with the largest finite loss seen before."""
    trial = make_trial(activation="relu", loss="mse", learning_rate=1e12)
    (training,) = train(trial)
    result, curve = training.result, training.curve
    assert result.outcome == "overflow"
    assert result.final_loss is result.tail_loss is None
    assert result.overflow_step == result.steps_run == curve.steps[-1]
    assert not isfinite(curve.losses[-1])
    assert result.peak_loss >= result.initial_loss


def test_a_bias_of_minus_infinity_is_an_overflow_though_the_loss_is_finite():
    """A ReLU makes it a 0: without a look at the parameters the run would pass for alive."""
    x, labels = 2e-38 * np.array([[1.0, 1.0, -1.0]]), np.array([1, 1, 0])
    task = Task(np.concatenate([x, np.ones((1, 3))]), np.eye(2)[labels].T, labels)
    # The first bias moves by twice 3000 / 3 x init_scale^8, beyond float32; its weight by 40.
    steep = {"activation": "relu", "initializer": "scaled_identity", "depth": 9, "width": 1}
    trial = make_trial(**steep, init_scale=3e4, bias_scale=0.0, learning_rate=3e3, examples=3)
    (training,) = train_trials([trial], task)
    assert isfinite(training.curve.losses[-1])
    assert training.result.outcome == "overflow"
    assert training.result.final_loss is None


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_number_of_a_result_is_nan_or_infinite(activation, loss, initializer):
    """Over every init scale and learning rate that a sweep may ask for, without a warning."""
    harsh = {"activation": activation, "loss": loss, "initializer": initializer}
    grid = product((0.0, 1e-5, 1.0, 300.0, 1e5), (1e-12, 1.0, 1e4, 1e12))
    trials = [
        make_trial(**harsh, init_scale=s, learning_rate=r, width=4, measure="signal+sharpness")
        for s, r in grid
    ]
    for training in train(*trials):
        result, curve = training.result, training.curve
        values = {field.name: getattr(result, field.name) for field in fields(result)}
        numbers = {n: v for n, v in values.items() if v is not None and not isinstance(v, str)}
        assert [name for name, number in numbers.items() if not isfinite(number)] == []
        assert {type(number) for number in numbers.values()} <= {bool, int, float}
        assert result.outcome in OUTCOMES
        assert result.baseline_loss == baseline_loss(task_of(training.trial), loss)
        assert curve.steps[-1] == result.steps_run
        assert len(curve.steps) == len(curve.losses) == len(curve.gradient_norms)


def test_chi_theory_starts_from_the_inputs_own_size():
    """GELU at sigma_w^2 = 2.2 forgets raw spirals (mean square 0.27) and amplifies unit inputs.

    q* = 0 has chi = 2.2 / 4; the variance of standardized spirals grows, chi tends to 2.2 / 2.
    """
    setting = {"dataset": "spirals", "activation": "gelu", "init_scale": 2.2**0.5}
    deep = setting | {"bias_scale": 0.0, "depth": 30, "width": 100, "steps": 0}
    small, unit = (
        train(make_trial(features=features, **deep))[0].result
        for features in ("raw", "standardized")
    )
    assert small.chi_theory == pytest.approx(0.55)
    assert small.chi_measured < 0.7
    assert unit.chi_theory == pytest.approx(1.1)
