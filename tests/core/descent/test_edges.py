"""Where sharpness ends late in training, with each optimizer and batch size."""

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.descent.trainer import NetworkTrainer
from core.gradient_descent import Problem, Update
from core.initializers import initial_params
from core.measuring.curvature import largest_curvature
from core.network import layer_widths
from core.optimization.optimizers import edges, largest_stable_rate

from ..networks import gradients_of

WIDTH, DEPTH = 32, 4


@pytest.fixture(scope="module")
def problem():
    task = make_task(load_dataset("digits", 128), 128, "standardized", "standardized")
    return Problem(task.inputs, task.targets, "tanh", "mse", baseline_loss(task, "mse"))


@pytest.fixture(scope="module")
def params():
    return initial_params("gaussian", layer_widths(64, WIDTH, 10, DEPTH), 0, 1.0, 0.0)


def sharpness_after(steps, params, problem, rate, update):
    trainer = NetworkTrainer(problem, WIDTH, DEPTH, "float64")
    found = trainer.descend(params, rate, steps, update=update)
    return largest_curvature(found.params, problem)


@pytest.mark.parametrize(
    ("optimizer", "rate", "warmup"), [("momentum", 0.5, 400), ("nesterov", 0.2, 1)]
)
def test_with_momentum_sharpness_ends_just_below_its_own_bound(
    optimizer, rate, warmup, params, problem
):
    """Cohen et al. (2021), arXiv:2103.00065, appendix B: far from that of gradient descent."""
    update = Update(optimizer=optimizer, schedule="warmup", warmup_steps=warmup)
    sharpness = sharpness_after(3000, params, problem, rate, update)
    bound = largest_stable_rate([optimizer], np.array([sharpness]), np.array([0.9]))[0]
    assert 0.9 < rate / bound < 1.02
    assert abs(sharpness * rate / 2 - 1) > 0.25


def test_smaller_batches_end_flatter(params, problem):
    """arXiv:2412.20553: sharpness rises with the batch size, and stays below 2 / rate."""
    found = [
        sharpness_after(3000, params, problem, 0.2, Update(batch_size=size)) for size in (8, 32, 0)
    ]
    assert found == sorted(found)
    assert found[0] < 0.7 * found[-1] < found[-1] < 2 / 0.2


def test_adams_preconditioned_sharpness_hovers_at_38_over_the_rate(params, problem):
    """(2 + 2 beta1) / ((1 - beta1) rate): Cohen et al. (2022), arXiv:2207.14484, within 10%."""
    rate, update = 2e-3, Update(optimizer="adam", beta2=0.99, epsilon=1e-7)
    trainer = NetworkTrainer(problem, WIDTH, DEPTH, "float64")
    ratios = []
    for steps in (700, 1100, 1500):
        found = trainer.descend(params, rate, steps, update=update)
        sharpness = largest_curvature(found.params, problem, found.preconditioner)
        ratios.append(sharpness * rate / edges(["adam"], [0.9])[0])
    np.testing.assert_allclose(ratios, 1, atol=0.1)
    assert edges(["adam"], [0.9]) == pytest.approx(38)


def test_adams_preconditioner_is_that_of_its_steps(params, problem):
    """Of a replay by the plain network: w <- w - eta P^-1 m with its own running means."""
    rate, beta, beta2, epsilon = 2e-3, 0.9, 0.99, 1e-3
    update = Update(optimizer="adam", beta2=beta2, epsilon=epsilon)
    found = NetworkTrainer(problem, WIDTH, DEPTH, "float64").descend(
        params, rate, 20, update=update
    )
    moving, means, squares = [p.copy() for p in params], [0.0] * DEPTH, [0.0] * DEPTH
    for step in range(1, 21):
        for layer, slope in enumerate(gradients_of(moving, problem)):
            means[layer] = beta * means[layer] + (1 - beta) * slope
            squares[layer] = beta2 * squares[layer] + (1 - beta2) * slope**2
        roots = [np.sqrt(each / (1 - beta2**step)) + epsilon for each in squares]
        each = [(1 - beta**step) * root for root in roots]
        moving = [p - rate * m / own for p, m, own in zip(moving, means, each, strict=True)]
    for layer in range(DEPTH):
        np.testing.assert_allclose(found.params[layer], moving[layer], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.preconditioner[layer], each[layer], rtol=1e-7)
