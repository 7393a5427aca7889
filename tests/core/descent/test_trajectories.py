"""Whole trainings in float64 against JAX: losses, gradient norms and weights to 1e-9."""

from itertools import product

import pytest

from core.descent.trainer import NetworkTrainer
from core.functions.activations import ACTIVATIONS
from core.initializers import INITIALIZERS
from core.losses import LOSSES

from .automatic import (
    RATE,
    STEPS,
    WIDTH,
    make_problem,
    relative_errors,
    start,
    trajectories,
)

BOUND = 1e-9
DEPTHS = (1, 2, 7, 20)
# A loss begins where the last layer ends: those that came later meet one activation.
# The other one is gaussian with a factor for each layer.
DRAWN = [name for name in INITIALIZERS if name != "weight_std"]
PAIRS = [
    (activation, loss)
    for activation, loss in product(ACTIVATIONS, LOSSES)
    if activation == "tanh" or loss in ("mse", "cross_entropy")
]


@pytest.fixture(scope="module")
def expected(request):
    """The trajectory of every setting that is tested, by JAX."""
    tests = [item for item in request.session.items if item.path == request.path]
    of_tests = [item.callspec.params for item in tests if hasattr(item, "callspec")]
    asked = {(each["activation"], each["loss"], each["depth"]) for each in of_tests}
    asked.add(("tanh", "mse", 7))
    settings = [(*each, initializer) for each in sorted(asked) for initializer in DRAWN]
    problems = [make_problem(activation, loss) for activation, loss, _, _ in settings]
    starts = [start(initializer, depth, name) for name, _, depth, initializer in settings]
    return dict(zip(settings, trajectories(problems, starts), strict=True))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_a_training_follows_automatic_differentiation(activation, loss, depth, expected):
    """Every activation, loss, initializer and depth, step by step."""
    problem = make_problem(activation, loss)
    trainer = NetworkTrainer(problem, WIDTH, depth, "float64")
    for initializer in DRAWN:
        params = start(initializer, depth, activation)
        found = trainer.descend(params, RATE, STEPS)
        assert found.steps_run == STEPS
        by_jax = expected[activation, loss, depth, initializer]
        assert relative_errors(found, *by_jax) < BOUND


def test_the_check_catches_an_error_of_a_twentieth_of_a_percent(expected):
    """A learning rate, or one layer's start, that is wrong by 0.05% would not pass."""
    problem = make_problem("tanh", "mse")
    params = start("gaussian", 7, "tanh")
    by_jax = expected["tanh", "mse", 7, "gaussian"]
    trainer = NetworkTrainer(problem, WIDTH, 7, "float64")
    wrong = [p * 1.0005 if layer == 3 else p for layer, p in enumerate(params)]
    for found in (
        trainer.descend(params, 1.0005 * RATE, STEPS),
        trainer.descend(wrong, RATE, STEPS),
    ):
        assert relative_errors(found, *by_jax) > 1e3 * BOUND
