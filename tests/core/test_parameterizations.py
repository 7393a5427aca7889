"""Parameterizations: what each layer takes of the init scale and the learning rate."""

import numpy as np
import pytest

from core.datasets import baseline_loss, load_dataset, make_task
from core.descent.trainer import NetworkTrainer
from core.gradient_descent import Problem, Update
from core.initializers import initial_params
from core.network import forward, layer_widths
from core.optimization.parameterizations import PARAMETERIZATIONS, LayerFactors

WIDTHS = (64, 128, 256, 512)
DEPTH = 4


@pytest.mark.parametrize("name", PARAMETERIZATIONS)
@pytest.mark.parametrize("adaptive", [False, True])
def test_at_the_base_width_all_are_the_standard_one(name, adaptive):
    """Every factor is 1, whatever the width is."""
    factors = LayerFactors(parameterization=name, base_width=48)
    widths = layer_widths(64, 48, 10, DEPTH)
    weights, biases = factors.of_rates(widths, adaptive)
    assert (np.r_[weights, biases, factors.of_init(widths)] == 1).all()


def test_a_layers_own_factor_is_its_alone():
    """And a single layer, which is the first and the last one, takes both."""
    factors = LayerFactors(first=2.0, last=5.0)
    np.testing.assert_array_equal(factors.of_init([3, 7, 7, 7, 4]), [2, 1, 1, 5])
    np.testing.assert_array_equal(factors.of_init([3, 7, 4]), [2, 5])
    np.testing.assert_array_equal(factors.of_init([3, 4]), [10])
    mup = LayerFactors(parameterization="mup", first=2.0, last=5.0)
    np.testing.assert_array_equal(mup.of_rates([64, 10], False)[0], [10])


@pytest.mark.parametrize(
    ("name", "adaptive", "init", "rates", "bias_rates"),
    [
        ("standard", False, [1, 1, 1], [1, 1, 1], [1, 1, 1]),
        ("ntk", False, [1, 1, 1], [1, 1 / 4, 1 / 2], [1, 1, 1]),
        ("ntk", True, [1, 1, 1], [1, 1 / 2, 2**-0.5], [1, 1, 1]),
        ("mup", False, [1, 1, 2**-0.5], [4, 1, 1 / 2], [4, 2, 1]),
        ("mup", True, [1, 1, 2**-0.5], [1, 1 / 4, 1 / 2], [1, 1, 1]),
    ],
)
def test_where_layers_differ_each_goes_with_its_own_widths(name, adaptive, init, rates, bias_rates):
    """Weights with the fan-in, those of the inputs and biases with the fan-out: 13-32-16-3."""
    factors, widths = LayerFactors(parameterization=name, base_width=8), (13, 32, 16, 3)
    np.testing.assert_allclose(factors.of_init(widths), init)
    found = factors.of_rates(widths, adaptive)
    np.testing.assert_allclose(found, [rates, bias_rates])


def changes(parameterization, optimizer, rate, seed=0):
    """Rms change of each layer's pre-activations in a step, (widths, layers)."""
    task = make_task(load_dataset("digits", 32), 32, "standardized", "standardized")
    baseline = baseline_loss(task, "cross_entropy")
    problem = Problem(task.inputs, task.targets, "tanh", "cross_entropy", baseline)
    found = []
    for width in WIDTHS:
        factors = LayerFactors(parameterization=parameterization, base_width=64)
        widths = layer_widths(64, width, 10, DEPTH)
        params = initial_params("gaussian", widths, seed, 1.0, 0.0, factors.of_init(widths))
        update = Update(parameterization=parameterization, base_width=64, optimizer=optimizer)
        trained = NetworkTrainer(problem, width, DEPTH, "float64").descend(
            params, rate, 3, update=update
        )
        before, after = (
            forward(p, problem.inputs[:-1], problem.hidden)[0] for p in (params, trained.params)
        )
        found.append([np.sqrt(np.square(b - a).mean()) for a, b in zip(before, after, strict=True)])
    return np.array(found)


def slopes(found):
    """Of the logarithm of each layer's change against that of the width."""
    return np.polyfit(np.log(WIDTHS), np.log(found), 1)[0]


@pytest.mark.parametrize(("optimizer", "rate"), [("gd", 0.1), ("momentum", 0.1), ("adam", 1e-3)])
def test_in_mup_every_layer_changes_as_much_at_any_width(optimizer, rate):
    """Yang et al. (2021), arXiv:2203.03466: the exponent of the width is 0, within 0.1."""
    found = np.mean([slopes(changes("mup", optimizer, rate, seed)) for seed in range(4)], axis=0)
    np.testing.assert_allclose(found, 0, atol=0.1)


def test_in_the_standard_parameterization_the_outputs_change_more_in_wider_networks():
    """With Adam about in proportion to the width: what mup is for."""
    assert slopes(changes("standard", "adam", 1e-3))[-1] > 0.7


def best_rates(parameterization, rates):
    """The learning rate with the lowest last loss at each width, after forty steps of Adam."""
    task = make_task(load_dataset("digits", 128), 128, "standardized", "standardized")
    baseline = baseline_loss(task, "cross_entropy")
    problem = Problem(task.inputs, task.targets, "tanh", "cross_entropy", baseline)
    update = Update(optimizer="adam", parameterization=parameterization)
    factors, best = LayerFactors(parameterization=parameterization), []
    for width in (64, 256):
        widths = layer_widths(64, width, 10, DEPTH)
        params = initial_params("gaussian", widths, 0, 1.0, 0.0, factors.of_init(widths))
        trainer = NetworkTrainer(problem, width, DEPTH, "float32")
        ends = [trainer.descend(params, rate, 40, update=update).losses[-1] for rate in rates]
        best.append(rates[int(np.argmin(ends))])
    return best


def test_the_best_rate_moves_with_the_width_in_the_standard_parameterization_alone():
    """At most half an octave from width 64 to 256 in mup; an octave for each doubling else."""
    rates = np.geomspace(0.005, 0.32, 13)  # half an octave apart
    of_mup, of_standard = (best_rates(name, rates) for name in ("mup", "standard"))
    assert abs(np.log2(of_mup[1] / of_mup[0])) < 0.6
    assert -3 < np.log2(of_standard[1] / of_standard[0]) < -1
