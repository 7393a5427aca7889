"""Verdicts on small trainings whose end is known: least squares, XOR, dead units, few steps."""

from dataclasses import replace

import numpy as np
import pytest

from core.datasets import Task, load_dataset, make_task
from core.trials import Trial

from ..trainings import results
from .trials import make_trial, task_of

SETTING = Trial(
    dataset="made",
    examples=4,
    features="standardized",
    depth=2,
    width=2,
    activation="tanh",
    initializer="gaussian",
    init_scale=1.0,
    bias_scale=0.0,
    learning_rate=1.0,
    loss="cross_entropy",
    steps=3000,
    seed=0,
    dtype="float32",
    measure=frozenset({"signal"}),
)


def standardized(numbers):
    return (numbers - numbers.mean(axis=-1, keepdims=True)) / numbers.std(axis=-1, keepdims=True)


def with_ones(inputs):
    return np.concatenate([inputs, np.ones((1, inputs.shape[1]))])


def line():
    """Eight points around a line; least squares leaves a loss of 0.17857."""
    x, y = np.arange(1.0, 9.0), np.array([1.5, 0.5, 2.5, 1.5, 3.5, 2.5, 4.5, 3.5])
    return Task(with_ones(standardized(x[None])), standardized(y[None]), None)


def xor():
    corners = np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]])
    labels = np.array([0, 1, 1, 0])
    return Task(with_ones(corners), np.eye(2)[labels].T.copy(), labels)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_least_squares_has_converged_at_its_minimum(rate, dtype):
    """It is above the trained level, and no signal vanished: there is one layer."""
    shape = replace(SETTING, depth=1, activation="linear", loss="mse", steps=100, examples=8)
    (result,) = results([replace(shape, learning_rate=rate, dtype=dtype)], line())
    assert result.tail_loss == pytest.approx(0.17857, abs=1e-5)
    assert (result.outcome, result.cause) == ("stalled", "converged")


@pytest.mark.parametrize("rate", [1e-5, 1e-7])
def test_a_tiny_rate_has_not_converged(rate):
    """It changes the loss as little as a minimum does, but every example pulls one way."""
    shape = replace(SETTING, depth=1, activation="linear", loss="mse", steps=100, examples=8)
    (result,) = results([replace(shape, learning_rate=rate)], line())
    assert (result.outcome, result.cause) == ("stalled", "low_learning_rate")


def test_xor_in_a_local_minimum_has_converged():
    """Two tanh units, seeds 0 and 6: half of ln 2 is left, since two corners stay as one."""
    trials = [replace(SETTING, seed=seed) for seed in range(10)]
    found = results(trials, xor())
    stuck = [result for result in found if result.outcome != "trained"]
    assert len(stuck) == 2
    for result in stuck:
        assert result.tail_loss == pytest.approx(np.log(2) / 2, rel=1e-3)
        assert (result.outcome, result.cause) == ("stalled", "converged")


def test_xor_on_a_plateau_may_go_on():
    """Three sigmoid layers: 4 of 10 seeds sit on the constant at 300 steps, train by 3,000."""
    shape = replace(SETTING, depth=3, width=4, activation="sigmoid", learning_rate=0.5)
    trials = [replace(shape, seed=seed) for seed in range(10)]
    early = results([replace(trial, steps=300) for trial in trials], xor())
    sitting = [place for place, result in enumerate(early) if result.outcome == "stalled"]
    assert [early[place].cause for place in sitting] == ["plateau"] * 4
    late = results(trials, xor())
    assert [late[place].outcome for place in sitting] == ["trained"] * 4


def test_a_relu_network_with_dead_units_is_dead():
    """A unit a layer: nine of ten seeds leave one that passes no gradient for any example."""
    shape = replace(SETTING, depth=3, width=1, activation="relu", loss="mse", steps=500)
    found = results([replace(shape, seed=seed) for seed in range(10)], xor())
    dead = [result for result in found if result.final_active_fraction == 0]
    assert len(dead) == 9
    assert {(result.outcome, result.cause) for result in dead} == {("stalled", "dead")}


def test_four_steps_that_taught_much_are_no_stall():
    """Digits, ReLU, rate 0.5: a change over no step is no number."""
    task = make_task(load_dataset("digits", 128), 128, "standardized", "standardized")
    shape = replace(SETTING, dataset="digits", examples=128, depth=3, width=32, activation="relu")
    (result,) = results([replace(shape, init_scale=1.4, learning_rate=0.5, steps=4)], task)
    assert result.final_loss < result.initial_loss / 2
    assert result.late_change > 0.1
    assert (result.outcome, result.cause) == ("slow", None)


@pytest.mark.parametrize(("depth", "init_scale"), [(40, 1e-12), (100, 1e-6)])
def test_a_stall_has_a_cause_where_its_gradients_have_no_size(depth, init_scale):
    """They are too small for any number, so none says how the examples' compare."""
    small = {"init_scale": init_scale, "bias_scale": 0.0}
    trial = make_trial(activation="relu", depth=depth, width=32, **small)
    (result,) = results([trial], task_of(trial))
    assert result.final_gradient_alignment is None
    assert (result.outcome, result.cause) == ("stalled", "vanishing")


def test_a_constant_target_can_be_trained():
    """The best constant makes no error; a network that learns it has trained."""
    task = Task(with_ones(np.linspace(-1, 1, 4)[None]), np.zeros((1, 4)), None)
    (result,) = results([replace(SETTING, loss="mse", steps=100, learning_rate=0.1)], task)
    assert (result.baseline_loss, result.outcome) == (0.0, "trained")


def test_a_convex_problem_just_above_its_critical_rate_fails_by_the_rate():
    """At 2.01 / lambda_max the loss falls for a while, then the steepest direction wins."""
    inputs = line().inputs
    largest = np.linalg.eigvalsh(inputs @ inputs.T / 8)[-1]
    shape = replace(SETTING, depth=1, activation="linear", loss="mse", examples=8, steps=4000)
    for measure in ({"signal"}, {"signal", "sharpness"}):
        steep = replace(shape, learning_rate=2.01 / float(largest), measure=frozenset(measure))
        (result,) = results([replace(steep, dtype="float64")], line())
        assert result.outcome in ("diverged", "overflow")
        assert result.cause == "learning_rate"
