"""The compiled trainer: the plain network's descent, in any precision, shape and company."""

from itertools import product

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.descent.trainer import NetworkTrainer
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem, Update
from core.hidden_widths import EQUAL, goes_with
from core.initializers import initial_params
from core.losses import LOSSES
from core.network import layer_widths
from core.outcomes import THRESHOLDS

from ..gradients import central_differences
from ..networks import loss_of, plain_descent

LEVEL = 0.1  # of the best constant's loss: what counts as trained


def make_problem(activation="tanh", loss="mse", dataset="gaussian", examples=24, **hidden):
    task = make_task(load_dataset(dataset, examples), examples, "standardized", "standardized")
    return Problem(task.inputs, task.targets, activation, loss, baseline_loss(task, loss), **hidden)


def start(problem, width=12, depth=3, seed=0, init_scale=1.0, bias_scale=0.1, hidden_widths=EQUAL):
    sizes = len(problem.inputs) - 1, width, len(problem.targets), depth
    widths = layer_widths(*sizes, hidden_widths)
    return initial_params("gaussian", widths, seed, init_scale, bias_scale)


def assert_same_bits(found, other):
    np.testing.assert_array_equal(found.losses, other.losses)
    np.testing.assert_array_equal(found.gradient_norms, other.gradient_norms)
    assert (found.params is None) == (other.params is None)
    for layer, same in zip(found.params or (), other.params or (), strict=True):
        np.testing.assert_array_equal(layer, same)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_descent_follows_the_plain_network(activation, loss, dtype, bound):
    """Fused passes and updates inside the products change rounding only."""
    problem = make_problem(activation, loss, "wine")
    params = start(problem)
    found = NetworkTrainer(problem, 12, 3, dtype).descend(params, 0.05, 30)
    losses, after = plain_descent(params, 0.05, 30, problem)
    np.testing.assert_allclose(found.losses, losses, rtol=bound)
    for layer, expected in zip(found.params, after, strict=True):
        np.testing.assert_allclose(layer, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize(
    ("width", "depth", "examples"),
    [(1, 1, 1), (1, 4, 3), (7, 1, 5), (5, 2, 1), (64, 4, 256), (129, 3, 300), (100, 2, 130)],
)
def test_every_shape_trains(width, depth, examples, dtype, bound):
    """No hidden layer, one unit, one example; products that are cut into blocks, and primes."""
    problem = make_problem("tanh", examples=examples)
    params = start(problem, width, depth)
    found = NetworkTrainer(problem, width, depth, dtype).descend(params, 0.01, 8)
    np.testing.assert_allclose(
        found.losses, plain_descent(params, 0.01, 8, problem)[0], rtol=bound, atol=bound
    )


HIDDEN = (
    {"factor": 0.5},
    {"normalization": "layer"},
    {"normalization": "batch"},
    {"factor": 0.5, "normalization": "layer"},
    {"factor": 0.5, "normalization": "batch"},
)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(
    ("width", "depth", "examples"),
    [(1, 1, 1), (1, 4, 3), (5, 2, 1), (7, 3, 5), (64, 5, 256), (129, 4, 300), (100, 2, 130)],
)
def test_every_shape_of_other_hidden_layers_trains(width, depth, examples, hidden, dtype, bound):
    """As the plain definition does, with slopes that are kept and slopes from values."""
    for activation in ("tanh", "gelu"):
        problem = make_problem(activation, examples=examples, **hidden)
        params = start(problem, width, depth)
        found = NetworkTrainer(problem, width, depth, dtype).descend(params, 0.01, 8)
        losses, after = plain_descent(params, 0.01, 8, problem)
        np.testing.assert_allclose(found.losses, losses, rtol=bound, atol=bound)
        for layer, expected in zip(found.params, after, strict=True):
            np.testing.assert_allclose(layer, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize("hidden", [each for each in ({}, *HIDDEN) if "factor" not in each])
@pytest.mark.parametrize(
    ("hidden_widths", "examples"),
    [("2-1", 1), ("1-7-7-3", 5), ("129-64-200", 300), ("17-100", 130)],
)
def test_layers_that_differ_train(hidden_widths, examples, hidden, dtype, bound):
    """As the plain definition does, with slopes that are kept and slopes from values."""
    sizes = goes_with(hidden_widths)
    width, depth = sizes["width"], sizes["depth"]
    for activation in ("tanh", "gelu"):
        problem = make_problem(activation, examples=examples, **hidden)
        params = start(problem, width, depth, hidden_widths=hidden_widths)
        trainer = NetworkTrainer(problem, width, depth, dtype, hidden_widths)
        found = trainer.descend(params, 0.01, 8)
        losses, after = plain_descent(params, 0.01, 8, problem)
        np.testing.assert_allclose(found.losses, losses, rtol=bound, atol=bound)
        for layer, expected in zip(found.params, after, strict=True):
            np.testing.assert_allclose(layer, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize("hidden", HIDDEN)
def test_other_hidden_layers_train_after_others_as_they_would_alone(hidden):
    """Networks that diverged or overflowed before it in the same memory change no bit."""
    problem = make_problem("relu", **hidden)
    trainer, params = NetworkTrainer(problem, 12, 5, "float32"), start(problem, depth=5)
    alone = trainer.descend(params, 0.05, 25)
    for scale, rate in ((1e15, 1e6), (1e38, 1.0), (np.nan, 1.0)):
        assert trainer.descend([scale * p for p in params], rate, 25).params is None
    assert_same_bits(trainer.descend(params, 0.05, 25), alone)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize("depth", [1, 3])
def test_weights_decay_and_biases_do_not(depth, dtype, bound):
    """As in the plain network's descent; the losses recorded are those without the penalty."""
    problem = make_problem("tanh", "cross_entropy", "wine")
    params = start(problem, depth=depth)
    found = NetworkTrainer(problem, 12, depth, dtype).descend(
        params, 0.05, 30, update=Update(weight_decay=0.3)
    )
    losses, after = plain_descent(params, 0.05, 30, problem, weight_decay=0.3)
    np.testing.assert_allclose(found.losses, losses, rtol=bound)
    for layer, expected in zip(found.params, after, strict=True):
        np.testing.assert_allclose(layer, expected, rtol=0, atol=bound * np.abs(expected).max())


def test_weight_decay_descends_the_penalized_loss():
    """A step against central differences of loss + lambda / 2 |W|^2, the biases left out."""
    problem, rate, decay = make_problem("tanh", "cross_entropy", "wine"), 0.05, 0.3
    params = start(problem)

    def penalized(params):
        return loss_of(params, problem) + decay / 2 * sum((p[:, :-1] ** 2).sum() for p in params)

    gradients = central_differences(penalized, [p.copy() for p in params])
    found = NetworkTrainer(problem, 12, 3, "float64").descend(
        params, rate, 1, update=Update(weight_decay=decay)
    )
    for before, after, gradient in zip(params, found.params, gradients, strict=True):
        np.testing.assert_allclose((before - after) / rate, gradient, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_network_trains_after_others_as_it_would_alone(activation, dtype):
    """Networks that diverged, overflowed or vanished before it in the same memory."""
    problem, rates = make_problem(activation), np.geomspace(1e-3, 300, 40)
    scales = np.geomspace(0.01, 20, 40)[np.random.default_rng(0).permutation(40)]
    trainer = NetworkTrainer(problem, 12, 3, dtype)
    together = [
        trainer.descend(start(problem, init_scale=scale, seed=n), rate, 25)
        for n, (scale, rate) in enumerate(zip(scales, rates, strict=True))
    ]
    assert any(descent.params is None for descent in together)
    for n in range(0, 40, 3):
        alone = NetworkTrainer(problem, 12, 3, dtype).descend(
            start(problem, init_scale=scales[n], seed=n), rates[n], 25
        )
        assert_same_bits(together[n], alone)


@pytest.mark.parametrize(("factor", "falls"), [(1.99, True), (2.01, False)])
def test_linear_regression_trains_below_two_over_the_largest_eigenvalue(factor, falls):
    """Quadratic loss: stable exactly below 2 / lambda_max, lambda_max from numpy's eigvalsh."""
    problem = make_problem("linear")
    hessian = problem.inputs @ problem.inputs.T / problem.inputs.shape[1]
    rate = factor / np.linalg.eigvalsh(hessian)[-1]
    params = start(problem, depth=1)
    losses = NetworkTrainer(problem, 1, 1, "float64").descend(params, rate, 3000).losses
    assert (losses[-1] < losses[0]) is np.bool_(falls)
    if falls:
        least = np.linalg.lstsq(problem.inputs.T, problem.targets[0], rcond=None)[0]
        residual = problem.inputs.T @ least - problem.targets[0]
        assert losses[-1] == pytest.approx((residual @ residual) / 48, rel=1e-6)


def test_the_catapult_follows_its_recursion():
    """Two linear layers, one sample, target 0: Lewkowycz et al. (2020), arXiv:2003.02218.

    With f the output and lambda = (|u|^2 + |v|^2) / n, a step of size eta gives
    f' = (1 - eta lambda + eta^2 f^2 / n) f and lambda' = lambda + eta f^2 / n (eta lambda - 4).
    """
    n, steps = 20, 20
    v, u = np.random.default_rng(3).standard_normal((2, n))
    # Their f = v.u / sqrt(n) on x = 1 is our network with both layers over n^(1/4), whose
    # learning rate is theirs over sqrt(n), and whose biases are put back to 0 after each step.
    for eta_lambda in (0.5, 3.0):
        f, lam = v @ u / np.sqrt(n), (v @ v + u @ u) / n
        eta = eta_lambda / lam
        params = [np.zeros((n, 2)), np.zeros((1, n + 1))]
        params[0][:, 0], params[1][0, :-1] = u / n**0.25, v / n**0.25
        problem = Problem(np.array([[1.0], [1.0]]), np.zeros((1, 1)), "linear", "mse", 1.0)
        trainer, expected, found = NetworkTrainer(problem, n, 2, "float64"), [], []
        for _ in range(steps):
            expected.append(f * f / 2)
            f, lam = (
                (1 - eta * lam + eta**2 * f**2 / n) * f,
                lam + eta * f**2 / n * (eta * lam - 4),
            )
            step = trainer.descend(params, eta / np.sqrt(n), 1)
            found.append(step.losses[0])
            params = step.params
            for p in params:
                p[:, -1] = 0
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-20)


@pytest.mark.parametrize("depth", [1, 3])
def test_no_steps_measure_the_start(depth):
    """Steps 0 is an untrained baseline: its loss and gradient norm, its parameters kept."""
    problem = make_problem()
    before = start(problem, depth=depth)
    found = NetworkTrainer(problem, 12, depth, "float64").descend(before, 0.1, 0)
    assert found.losses.shape == found.gradient_norms.shape == (1,)
    assert np.isfinite(found.gradient_norms).all()
    for layer, kept in zip(found.params, before, strict=True):
        np.testing.assert_array_equal(layer, kept)


@pytest.mark.parametrize("rate", [1e-12, 1e-3, 1e6])
@pytest.mark.parametrize("init_scale", [1e-5, 1.0, 1e4])
def test_gradient_norms_do_not_underflow_where_their_squares_do(init_scale, rate):
    """float32 norms agree with float64 ones, though steps and gradients may be tiny or huge."""
    problem = make_problem("linear")
    params = start(problem, init_scale=init_scale)
    narrow, wide = (
        NetworkTrainer(problem, 12, 3, dtype).descend(params, rate, 0).gradient_norms
        for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(narrow, wide, rtol=1e-4)


def test_a_start_that_overflows_is_decided_at_step_0():
    """An infinite first loss costs no step, and leaves no parameters."""
    problem = make_problem("relu")
    found = NetworkTrainer(problem, 12, 3, "float64").descend(
        start(problem, init_scale=1e200), 1e-3, 10
    )
    assert found.steps_run == 0
    assert not np.isfinite(found.losses[0])
    assert found.params is found.outputs is None


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_an_infinite_output_is_an_overflow(loss, target):
    """Also where its sigmoid is a number."""
    problem = Problem(np.array([[2.0], [1.0]]), np.array([[target]]), "linear", loss, 1.0)
    found = NetworkTrainer(problem, 1, 1, "float64").descend([np.array([[1e308, 0.0]])], 1e-3, 10)
    assert found.steps_run == 0
    assert not np.isfinite(found.losses[0])


def test_a_loss_a_million_times_the_start_is_decided_at_that_step():
    """It is the last loss, and the one before it was below the bound."""
    problem = make_problem("linear")
    found = NetworkTrainer(problem, 12, 3, "float64").descend(start(problem), 1.0, 500)
    bound = THRESHOLDS.diverged_at_once * max(found.losses[0], problem.baseline)
    assert found.steps_run < 500
    assert found.losses[-1] > bound >= found.losses[-2]
    assert found.params is None


def test_a_decided_run_ends_after_a_tail_of_low_losses():
    """The first twenty in a row at or below the level; the full run goes on with the same bits."""
    problem = make_problem("tanh", "cross_entropy", "wine")
    trainer, params = NetworkTrainer(problem, 12, 3, "float32"), start(problem)
    decided = trainer.descend(params, 0.5, 400, trained_loss=LEVEL * problem.baseline)
    full = trainer.descend(params, 0.5, 400)
    low = full.losses <= THRESHOLDS.surely_trained_factor * LEVEL * problem.baseline
    tails = np.convolve(low, np.ones(THRESHOLDS.tail_losses), "valid") == THRESHOLDS.tail_losses
    first = int(np.flatnonzero(tails)[0]) + THRESHOLDS.tail_losses - 1
    assert decided.steps_run == first < 400
    np.testing.assert_array_equal(decided.losses, full.losses[: first + 1])
    shorter = trainer.descend(params, 0.5, first)
    for layer, same in zip(decided.params, shorter.params, strict=True):
        np.testing.assert_allclose(layer, same, rtol=1e-5, atol=1e-6)


def test_low_losses_decide_only_in_a_row():
    """Of runs at large rates whose loss dips, rises and falls, each ends at its first tail."""
    problem, interrupted = make_problem("tanh", "cross_entropy", "wine"), 0
    trainer = NetworkTrainer(problem, 12, 3, "float64")
    for seed, rate in product((3, 4, 7), (4.0, 12.0, 16.0)):
        params = start(problem, seed=seed)
        full = trainer.descend(params, rate, 400)
        low = full.losses <= THRESHOLDS.surely_trained_factor * LEVEL * problem.baseline
        tails = np.convolve(low, np.ones(THRESHOLDS.tail_losses), "valid")
        first = np.append(np.flatnonzero(tails == THRESHOLDS.tail_losses), 400)[0]
        expected = min(int(first) + THRESHOLDS.tail_losses - 1, 400)
        assert (
            trainer.descend(params, rate, 400, trained_loss=LEVEL * problem.baseline).steps_run
            == expected
        )
        interrupted += bool(low[: expected - THRESHOLDS.tail_losses].any())
    assert interrupted


@pytest.mark.parametrize("level", [None, LEVEL])
def test_an_observer_changes_no_bit_and_sees_every_logged_step(level):
    """It is told the parameters before the step; those of the last one are the final ones."""
    problem, seen = make_problem("tanh", "cross_entropy", "wine"), {}
    trainer, params = NetworkTrainer(problem, 12, 3, "float32"), start(problem)
    loss = level and level * problem.baseline
    watched = trainer.descend(params, 0.5, 300, loss, lambda step, p: seen.update({step: p}))
    assert_same_bits(watched, trainer.descend(params, 0.5, 300, loss))
    assert list(seen) == watched.logged_steps.tolist()
    if level is None:
        for layer, last in zip(watched.params, seen[300], strict=True):
            np.testing.assert_array_equal(layer, last)


def test_outputs_are_those_of_the_last_network():
    """The plain network's, at the parameters that the descent ended with."""
    problem = make_problem("tanh", "cross_entropy", "wine")
    found = NetworkTrainer(problem, 12, 1, "float64").descend(start(problem, depth=1), 0.1, 5)
    np.testing.assert_allclose(found.outputs, found.params[0] @ problem.inputs, rtol=1e-12)
