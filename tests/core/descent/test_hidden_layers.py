"""Whole trainings of other than plain hidden layers in float64 against JAX, to 1e-8."""

from itertools import product

import pytest

from core.descent.trainer import NetworkTrainer
from core.functions.activations import ACTIVATIONS

from .automatic import (
    RATE,
    STEPS,
    WIDTH,
    asked_activations,
    make_problem,
    relative_errors,
    start,
    trajectories,
)

BOUND = 1e-8
LOSSES = ("mse", "cross_entropy")
# By depth: one branch and several, normalizations without and with them.
HIDDEN = (
    (3, {"factor": 1.0}),
    (8, {"factor": 0.2}),
    (2, {"normalization": "layer"}),
    (5, {"normalization": "batch"}),
    (5, {"factor": 1.0, "normalization": "layer"}),
    (5, {"factor": 0.4, "normalization": "batch"}),
)


# Neither knows of the other: every activation with one loss, every loss with one activation.
CASES = [*product(ACTIVATIONS, ["mse"]), *(("tanh", loss) for loss in LOSSES if loss != "mse")]


def name(depth, hidden):
    """A key of hidden layers."""
    return depth, *hidden.items()


@pytest.fixture(scope="module")
def expected(request):
    """The trajectory of every setting that is tested, by JAX."""
    asked = asked_activations(request)
    cases = [case for case in CASES if case[0] in asked]
    settings = [(*case, hidden) for case, hidden in product(cases, HIDDEN)]
    problems = [make_problem(*names, **hidden) for *names, (_, hidden) in settings]
    starts = [start("gaussian", depth, activation) for activation, _, (depth, _) in settings]
    keys = [(activation, loss, name(*hidden)) for activation, loss, hidden in settings]
    return dict(zip(keys, trajectories(problems, starts), strict=True))


@pytest.mark.parametrize(("depth", "hidden"), HIDDEN)
@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_a_training_follows_automatic_differentiation(activation, loss, depth, hidden, expected):
    """Every activation and loss, step by step."""
    trainer = NetworkTrainer(make_problem(activation, loss, **hidden), WIDTH, depth, "float64")
    found = trainer.descend(start("gaussian", depth, activation), RATE, STEPS)
    assert found.steps_run == STEPS
    by_jax = expected[activation, loss, name(depth, hidden)]
    assert relative_errors(found, *by_jax) < BOUND


@pytest.mark.parametrize(("depth", "hidden"), HIDDEN)
def test_the_check_catches_hidden_layers_that_are_plain(depth, hidden, expected):
    """As a training of a plain network would not pass."""
    found = NetworkTrainer(make_problem("tanh", "mse"), WIDTH, depth, "float64").descend(
        start("gaussian", depth, "tanh"), RATE, STEPS
    )
    assert relative_errors(found, *expected["tanh", "mse", name(depth, hidden)]) > 1e3 * BOUND
