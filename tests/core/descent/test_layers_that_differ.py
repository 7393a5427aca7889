"""Trainings of hidden layers of different widths in float64 against JAX, to 1e-9.

One activation and loss: a program for JAX to compile costs as much as all other tests here, and
test_trainer.py has the others beside the plain network.
"""

import pytest

from core.descent.trainer import NetworkTrainer
from core.hidden_widths import goes_with

from .automatic import RATE, STEPS, make_problem, relative_errors, start, trajectories

BOUND = 1e-9
ACTIVATION, LOSS = "gelu", "cross_entropy"
# The widest hidden layer within and first, and some that are alike among others.
LAYERS = {"4-14-9-9-3": {}, "12-5": {"normalization": "layer"}}


@pytest.fixture(scope="module")
def expected():
    """The trajectory of each, by JAX."""
    problems = [make_problem(ACTIVATION, LOSS, **hidden) for hidden in LAYERS.values()]
    starts = [start("gaussian", layers, ACTIVATION) for layers in LAYERS]
    return dict(zip(LAYERS, trajectories(problems, starts), strict=True))


@pytest.mark.parametrize("layers", LAYERS)
def test_a_training_follows_automatic_differentiation(layers, expected):
    """Step by step; with one layer's start 0.05% off it would not pass."""
    sizes, params = goes_with(layers), start("gaussian", layers, ACTIVATION)
    problem = make_problem(ACTIVATION, LOSS, **LAYERS[layers])
    trainer = NetworkTrainer(problem, sizes["width"], sizes["depth"], "float64", layers)
    found = trainer.descend(params, RATE, STEPS)
    assert found.steps_run == STEPS
    assert relative_errors(found, *expected[layers]) < BOUND
    wrong = [p * 1.0005 if layer == 1 else p for layer, p in enumerate(params)]
    assert relative_errors(trainer.descend(wrong, RATE, STEPS), *expected[layers]) > 1e3 * BOUND
