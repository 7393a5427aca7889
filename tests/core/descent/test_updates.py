"""Optimizers, schedules, clipping and minibatches: their steps, and where they are stable."""

import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.descent.orders import Orders
from core.descent.trainer import NetworkTrainer
from core.gradient_descent import LAST_POINTS, Problem, Update, logged_steps
from core.initializers import initial_params
from core.network import layer_widths
from core.optimization.optimizers import OPTIMIZERS, largest_stable_rate
from core.optimization.schedules import SCHEDULES, rate_factors

STEPS, RATE, EXAMPLES, BATCH = 40, 0.02, 21, 8

UPDATES = {
    **{name: Update(optimizer=name) for name in OPTIMIZERS},
    **{f"decayed {name}": Update(optimizer=name, weight_decay=0.1) for name in OPTIMIZERS},
    **{f"clipped {name}": Update(optimizer=name, clip_norm=0.3) for name in OPTIMIZERS},
    **{f"{name} in batches": Update(optimizer=name, batch_size=BATCH) for name in OPTIMIZERS},
    **{name: Update(schedule=name) for name in SCHEDULES},
    "slow momentum": Update(optimizer="momentum", momentum=0.5),
    "impatient adam": Update(optimizer="adam", momentum=0.5, beta2=0.9, epsilon=1e-3),
    "small steps": Update(schedule="step", decay_steps=7, decay_factor=0.5),
    "no warm-up": Update(schedule="cosine", warmup_steps=0),
    "all at once": Update(
        optimizer="adam",
        weight_decay=0.1,
        clip_norm=0.3,
        schedule="cosine",
        batch_size=5,
        order_seed=3,
    ),
}


# A quarter as wide as the base, so that each power of the width is another number.
RATES = {"first": [(3, 3), (1, 1), (1, 1), (1, 1)], "last": [(1, 1), (1, 1), (1, 1), (0.2, 0.2)]}
MUP, MUP_ADAM = ((1 / 4, 1, 1, 4), (1 / 4, 1 / 4, 1 / 4, 1)), ((1, 4, 4, 4), (1, 1, 1, 1))
NTK, NTK_ADAM = ((1, 4, 4, 4), (1, 1, 1, 1)), ((1, 2, 2, 2), (1, 1, 1, 1))
FACTORS = {
    "mup": list(zip(*MUP, strict=True)),
    "mup adam": list(zip(*MUP_ADAM, strict=True)),
    "ntk": list(zip(*NTK, strict=True)),
    "ntk adam": list(zip(*NTK_ADAM, strict=True)),
    "a fast first layer": RATES["first"],
    "a slow last layer": RATES["last"],
}
UPDATES |= {
    "mup": Update(parameterization="mup", base_width=36),
    "mup adam": Update(optimizer="adam", parameterization="mup", base_width=36),
    "ntk": Update(parameterization="ntk", base_width=36),
    "ntk adam": Update(optimizer="adam", parameterization="ntk", base_width=36),
    "a fast first layer": Update(learning_rate_first=3.0, optimizer="momentum"),
    "a slow last layer": Update(learning_rate_last=0.2, weight_decay=0.1, optimizer="nesterov"),
    "no biases": Update(clip_norm=0.3, optimizer="adam"),
}


@pytest.fixture(scope="module")
def problem():
    task = make_task(load_dataset("wine", EXAMPLES), EXAMPLES, "standardized", "standardized")
    baseline = baseline_loss(task, "cross_entropy")
    return Problem(task.inputs, task.targets, "tanh", "cross_entropy", baseline)


@pytest.fixture(scope="module")
def params():
    return initial_params("gaussian", layer_widths(13, 9, 3, 4), 4, 1.5, 0.1)


@pytest.fixture(scope="module")
def trajectories(problem, params):
    """Losses and last parameters of each of UPDATES, by JAX and Optax."""
    trainings = []
    for name, update in UPDATES.items():
        size = update.batch_size
        order = Orders(update.order_seed, EXAMPLES, size).next(STEPS) if size else None
        data = (problem.inputs[:-1], problem.targets)
        factors = FACTORS.get(name, [(1, 0 if name == "no biases" else 1)] * 4)
        trainings.append((params, *data, STEPS, asdict(update), RATE, factors, order))
    command = [sys.executable, str(Path(__file__).parent / "optax_trajectories.py")]
    done = subprocess.run(
        command, input=pickle.dumps(trainings), stdout=subprocess.PIPE, check=True
    )
    return dict(zip(UPDATES, pickle.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", UPDATES)
def test_a_training_follows_optax(name, problem, params, trajectories):
    """Losses and parameters, step by step, to 1e-9; smaller batches' losses are of all examples."""
    problem = replace(problem, biases=name != "no biases")
    trainer = NetworkTrainer(problem, 9, 4, "float64")
    found = trainer.descend(params, RATE, STEPS, update=UPDATES[name])
    losses, last = trajectories[name]
    np.testing.assert_allclose(found.losses, losses[found.loss_steps], rtol=1e-9)
    for layer, expected in zip(found.params, last, strict=True):
        np.testing.assert_allclose(layer, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("name", UPDATES)
def test_a_training_in_float32_stays_near(name, problem, params, trajectories):
    """The same loss at the end, to float32's precision."""
    problem = replace(problem, biases=name != "no biases")
    trainer = NetworkTrainer(problem, 9, 4, "float32")
    found = trainer.descend(params, RATE, STEPS, update=UPDATES[name])
    assert found.losses[-1] == pytest.approx(trajectories[name][0][-1], rel=2e-3)


def test_every_update_is_its_own(trajectories):
    """Each setting that is tried changes the course; `constant` and `gd` are the same."""
    ends = [losses[-1] for name, (losses, _) in trajectories.items() if name != "constant"]
    assert len(set(ends)) == len(ends)


@pytest.mark.parametrize("name", UPDATES)
def test_a_training_leaves_nothing_to_the_next(name, problem, params):
    """Sums, means and orders begin anew: the same bits again, after any other update."""
    trainer = NetworkTrainer(problem, 9, 4, "float32")
    first = trainer.descend(params, RATE, STEPS, update=UPDATES[name])
    trainer.descend(params, RATE, STEPS, update=UPDATES["all at once"])
    again = trainer.descend(params, RATE, STEPS, update=UPDATES[name])
    np.testing.assert_array_equal(first.losses, again.losses)


@pytest.mark.parametrize("name", ["momentum", "adam", "all at once"])
def test_an_observer_changes_no_bit(name, problem, params):
    """Steps are cut at the logged ones where somebody watches; orders and means go on."""
    trainer, seen = NetworkTrainer(problem, 9, 4, "float32"), []
    alone = trainer.descend(params, RATE, STEPS, update=UPDATES[name])
    watched = trainer.descend(
        params, RATE, STEPS, observe=lambda step, _: seen.append(step), update=UPDATES[name]
    )
    np.testing.assert_array_equal(alone.losses, watched.losses)
    assert seen == logged_steps(STEPS).tolist()


def test_many_steps_are_cut_without_a_trace(problem, params, monkeypatch):
    """Rates and orders of a few steps at a time; the same bits as at once."""
    update, trainer = UPDATES["all at once"], NetworkTrainer(problem, 9, 4, "float32")
    at_once = trainer.descend(params, RATE, STEPS, update=update)
    monkeypatch.setattr("core.descent.trainer.MOST_STEPS", 7)
    np.testing.assert_array_equal(
        trainer.descend(params, RATE, STEPS, update=update).losses, at_once.losses
    )


def test_a_batch_of_all_examples_is_the_full_batch(problem, params):
    """The same bits, and every loss."""
    trainer = NetworkTrainer(problem, 9, 4, "float32")
    full = trainer.descend(params, RATE, STEPS)
    found = trainer.descend(params, RATE, STEPS, update=Update(batch_size=EXAMPLES))
    np.testing.assert_array_equal(found.losses, full.losses)


def test_batches_find_losses_at_logged_steps_and_the_last_ones(problem, params):
    """As many as say how the training ended, and the gradient's norm of all examples."""
    trainer = NetworkTrainer(problem, 9, 4, "float64")
    found = trainer.descend(params, RATE, 300, update=Update(batch_size=5))
    expected = np.union1d(logged_steps(300), np.arange(300 - LAST_POINTS, 301))
    np.testing.assert_array_equal(found.loss_steps, expected)
    assert np.isfinite(found.losses).all()
    start = trainer.descend(params, RATE, 0)
    assert found.gradient_norms[0] == start.gradient_norms[0]


def test_a_diverging_batch_ends_the_training(problem, params):
    """At the step at which the loss of all examples is found to be lost."""
    found = NetworkTrainer(problem, 9, 4, "float32").descend(
        params, 1e12, 200, update=Update(batch_size=5)
    )
    assert found.params is None
    assert found.steps_run < 200
    assert found.loss_steps[-1] == found.steps_run


def test_batches_take_every_example_as_often(problem):
    """Pass by pass in an order of its own, by the seed alone."""
    orders = Orders(seed=7, examples=10, batch=4)
    stream = np.concatenate([orders.next(3), orders.next(2)]).ravel()
    for first in range(0, 20, 10):
        assert sorted(stream[first : first + 10]) == list(range(10))
    np.testing.assert_array_equal(Orders(7, 10, 4).next(5).ravel(), stream)
    assert not np.array_equal(Orders(8, 10, 4).next(5).ravel(), stream)


def quadratic():
    """A least-squares problem, its start and its largest curvature."""
    task = make_task(load_dataset("gaussian", 24), 24, "standardized", "standardized")
    problem = Problem(task.inputs, task.targets, "linear", "mse", baseline_loss(task, "mse"))
    hessian = problem.inputs @ problem.inputs.T / problem.inputs.shape[1]
    widths = layer_widths(len(problem.inputs) - 1, 1, len(problem.targets), 1)
    return problem, initial_params("gaussian", widths, 0, 1.0, 0.1), np.linalg.eigvalsh(hessian)[-1]


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov"])
@pytest.mark.parametrize("momentum", [0.5, 0.9])
@pytest.mark.parametrize(("factor", "falls"), [(0.99, True), (1.01, False)])
def test_a_quadratic_is_stable_below_the_bound(optimizer, momentum, factor, falls):
    """2 / lambda_max, and with momentum the bounds of arXiv:2103.00065."""
    problem, params, curvature = quadratic()
    bound = largest_stable_rate([optimizer], np.array([curvature]), np.array([momentum]))[0]
    found = NetworkTrainer(problem, 1, 1, "float64").descend(
        params, factor * bound, 4000, update=Update(optimizer=optimizer, momentum=momentum)
    )
    assert (found.losses[-1] < found.losses[0]) is np.bool_(falls)


@pytest.mark.parametrize(("factor", "falls"), [(0.99, True), (1.01, False)])
def test_a_decayed_quadratic_is_stable_below_its_bound(factor, falls):
    """2 / (lambda_max + decay), where the bias has no part in the steepest direction."""
    problem, params, _ = quadratic()
    inputs = problem.inputs[:-1]
    curvature = np.linalg.eigvalsh(inputs @ inputs.T / inputs.shape[1])[-1]
    bound = largest_stable_rate(["gd"], np.array([curvature + 0.7]), np.array([0.9]))[0]
    found = NetworkTrainer(problem, 1, 1, "float64").descend(
        params, factor * bound, 4000, update=Update(weight_decay=0.7)
    )
    assert (found.losses[-1] < 2 * found.losses[0]) is np.bool_(falls)


@pytest.mark.parametrize(("excess", "falls"), [(37.5, True), (38.5, False)])
def test_adam_with_a_frozen_preconditioner_is_stable_below_38(excess, falls):
    """(2 + 2 beta1) / ((1 - beta1) eta) = 38 / eta at beta1 = 0.9: arXiv:2207.14484.

    A huge epsilon freezes the preconditioner: m / (sqrt(s) + epsilon) is m / epsilon.
    """
    problem, params, curvature = quadratic()
    epsilon = 1e4
    # Before the running mean has filled a step is ten times as long: the rate rises slowly.
    update = Update(
        optimizer="adam", beta2=0.0, epsilon=epsilon, schedule="warmup", warmup_steps=400
    )
    found = NetworkTrainer(problem, 1, 1, "float64").descend(
        params, excess / curvature * epsilon, 4000, update=update
    )
    assert (found.losses[-1] < found.losses[0]) is np.bool_(falls)


def test_the_bound_is_nan_where_there_is_none():
    """Nothing curves upward, or so little that the rate overflows; Adam's is another."""
    curvature = np.array([8.0, -1.0, 0.0, 1e-308, np.nan])
    rates = largest_stable_rate(["gd"] * 5, curvature, np.full(5, 0.9))
    np.testing.assert_array_equal(rates, [0.25, np.nan, np.nan, np.nan, np.nan])
    assert np.isnan(largest_stable_rate(["adam"], np.array([8.0]), np.array([0.9]))).all()


def test_schedules_have_their_closed_forms():
    """Ten warm-up steps in equal parts, then constant, or half a cosine to 0 after the last."""
    constant, warmup, cosine, step = (
        rate_factors(Update(schedule=name), 110, np.arange(110)) for name in SCHEDULES
    )
    assert (constant == 1).all()
    np.testing.assert_allclose(warmup[:10], np.arange(1, 11) / 10)
    assert (warmup[10:] == 1).all()
    np.testing.assert_allclose(cosine[:10], warmup[:10])
    assert cosine[60] == pytest.approx(0.5)
    assert cosine[-1] == pytest.approx((1 + np.cos(np.pi * 0.99)) / 2)
    np.testing.assert_allclose(step, np.repeat([1, 0.1, 0.01, 0.001], [30, 30, 30, 20]))
