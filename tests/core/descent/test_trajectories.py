"""Whole trainings in float64 against JAX: losses, gradient norms and weights to 1e-9."""

import pickle
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.descent.trainer import NetworkTrainer
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.initializers import INITIALIZERS, initial_params
from core.losses import LOSSES
from core.network import layer_widths

WIDTH, EXAMPLES, STEPS, RATE = 9, 21, 12, 0.02
# A start where each activation's signal neither dies nor explodes over 20 layers.
INIT_SCALES = {"relu": 1.4, "leaky_relu": 1.4, "gelu": 1.4, "silu": 1.6, "sigmoid": 3.0}
BOUND = 1e-9
DEPTHS = (1, 2, 7, 20)
# A loss begins where the last layer ends: those that came later meet one activation.
PAIRS = [
    (activation, loss)
    for activation, loss in product(ACTIVATIONS, LOSSES)
    if activation == "tanh" or loss in ("mse", "cross_entropy")
]


def make_problem(activation, loss):
    task = make_task(load_dataset("wine", EXAMPLES), EXAMPLES, "standardized", "standardized")
    return Problem(task.inputs, task.targets, activation, loss, baseline_loss(task, loss))


def start(initializer, depth, activation):
    widths = layer_widths(13, WIDTH, 3, depth)
    scale = 1.0 if initializer == "scaled_identity" else INIT_SCALES.get(activation, 1.0)
    return initial_params(initializer, widths, 4, scale, 0.1)


@pytest.fixture(scope="module")
def trajectories(request):
    """Losses, gradient norms and last parameters of every setting that is tested, by JAX."""
    tests = [item for item in request.session.items if item.path == request.path]
    of_tests = [item.callspec.params for item in tests if hasattr(item, "callspec")]
    asked = {(each["activation"], each["loss"], each["depth"]) for each in of_tests}
    asked.add(("tanh", "mse", 7))
    settings = [(*each, initializer) for each in sorted(asked) for initializer in INITIALIZERS]
    trainings = []
    for activation, loss, depth, initializer in settings:
        problem = make_problem(activation, loss)
        data = (problem.inputs[:-1], problem.targets, activation, loss, RATE, STEPS)
        trainings.append((start(initializer, depth, activation), *data))
    command = [sys.executable, str(Path(__file__).parent / "trajectories.py")]
    done = subprocess.run(
        command, input=pickle.dumps(trainings), stdout=subprocess.PIPE, check=True
    )
    return dict(zip(settings, pickle.loads(done.stdout), strict=True))


def relative_errors(descent, losses, norms, params):
    """Of the losses, the gradient norms and each layer's parameters, the largest."""
    errors = [np.abs(descent.losses / losses - 1).max()]
    errors.append(np.abs(descent.gradient_norms / norms[descent.logged_steps] - 1).max())
    errors += [
        np.abs(found - expected).max() / np.abs(expected).max()
        for found, expected in zip(descent.params, params, strict=True)
    ]
    return max(errors)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_a_training_follows_automatic_differentiation(activation, loss, depth, trajectories):
    """Every activation, loss, initializer and depth, step by step."""
    problem = make_problem(activation, loss)
    trainer = NetworkTrainer(problem, WIDTH, depth, "float64")
    for initializer in INITIALIZERS:
        params = start(initializer, depth, activation)
        found = trainer.descend(params, RATE, STEPS)
        assert found.steps_run == STEPS
        expected = trajectories[activation, loss, depth, initializer]
        assert relative_errors(found, *expected) < BOUND


def test_the_check_catches_an_error_of_a_twentieth_of_a_percent(trajectories):
    """A learning rate, or one layer's start, that is wrong by 0.05% would not pass."""
    problem = make_problem("tanh", "mse")
    params = start("gaussian", 7, "tanh")
    expected = trajectories["tanh", "mse", 7, "gaussian"]
    trainer = NetworkTrainer(problem, WIDTH, 7, "float64")
    wrong = [p * 1.0005 if layer == 3 else p for layer, p in enumerate(params)]
    for found in (
        trainer.descend(params, 1.0005 * RATE, STEPS),
        trainer.descend(wrong, RATE, STEPS),
    ):
        assert relative_errors(found, *expected) > 1e3 * BOUND
