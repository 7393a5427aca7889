"""Training trials: the same numbers in any company, outcomes where they belong."""

from dataclasses import replace
from itertools import product
from math import isfinite

import numpy as np
import pytest

from core.datasets import Dataset, Task, baseline_loss, make_task
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Problem
from core.hidden_layers import NORMALIZATIONS, HiddenLayers
from core.initializers import INITIALIZERS, initial_params
from core.losses import LOSSES
from core.measuring.curvature import largest_curvature
from core.network import forward, layer_widths
from core.outcomes import CAUSES, INIT_PHASES, OUTCOMES
from core.results import CURVES, LAYERS, RESULTS
from core.settings import values_of
from core.theory.wide_signals import wide_signals
from core.trials import MEASUREMENTS, STOPS, Stop
from core.verdicts import judged

from ..trainings import of_trial, results, tables
from .networks import loss_of, plain_descent
from .trials import make_trial, mixed_trials, task_of


def train(*trials):
    return tables(trials, task_of(trials[0]))


def result(*trials, task=None):
    (row,) = results(trials, task or task_of(trials[0]))
    return row


def columns_of(found, place):
    """All that was found of the trial at a place, but for its time."""
    runs = {name: column[[place]] for name, column in found["runs"].items()}
    further = [of_trial(found[name], place) for name in ("layers", "curves")]
    del runs["wall_seconds"]
    return {(n, name): c for n, t in enumerate([runs, *further]) for name, c in t.items()}


@pytest.mark.parametrize(
    ("activation", "loss"), [("relu", "mse"), ("tanh", "cross_entropy"), ("gelu", "mse")]
)
def test_a_trial_has_the_same_bits_among_500_as_alone(activation, loss, monkeypatch):
    """All tables, in float32; in groups of 64, on both sides of the places where they end."""
    trials = mixed_trials(500, activation=activation, loss=loss)
    monkeypatch.setattr("core.training.MOST_NETWORKS", 64)
    together = train(*trials)
    assert len(set(together["runs"]["outcome"])) >= 4
    for place in {*range(0, 500, 25), 63, 64, 499}:
        expected = columns_of(train(trials[place]), 0)
        for name, column in columns_of(together, place).items():
            np.testing.assert_array_equal(column, expected[name], err_msg=str(name))


def test_only_a_stop_that_ends_what_has_trained_lets_it_leave(monkeypatch):
    """Whatever other names there are."""
    monkeypatch.setitem(STOPS, "other", Stop(once_trained=False))
    runs = {
        stop: result(make_trial(learning_rate=1.0, steps=200, trained_level=0.9, stop=stop))
        for stop in STOPS
    }
    assert {run.outcome for run in runs.values()} == {"trained"}
    left = [stop for stop, run in runs.items() if run.steps_run < 200]
    assert left == ["decided"]


def test_trainings_come_in_the_order_of_their_trials(monkeypatch):
    """Across groups, and whoever ended early: each has its own learning rate's first step."""
    monkeypatch.setattr("core.training.MOST_NETWORKS", 7)
    trials = [make_trial(learning_rate=rate, steps=1) for rate in np.geomspace(1e-3, 1, 20)]
    found = train(*trials)
    assert (np.diff(found["runs"]["final_loss"]) < 0).all()
    assert found["layers"]["place"].tolist() == np.repeat(range(20), 3).tolist()
    assert found["curves"]["place"].tolist() == np.repeat(range(20), 2).tolist()


@pytest.mark.parametrize("measure", [set(), *({name} for name in MEASUREMENTS)])
def test_every_table_has_the_columns_that_are_described(measure):
    """Whatever is measured, and where no network lives to its end."""
    for rate in (0.1, 1e12):
        found = train(make_trial(measure=frozenset(measure), learning_rate=rate))
        assert set(found["runs"]) == {column.name for column in RESULTS}
        for name, table in (("layers", LAYERS), ("curves", CURVES)):
            assert set(found[name]) == {"place", *(column.name for column in table.columns)}
        assert len(found["layers"]["place"]) == (3 if "signal" in measure else 0)
        known = np.isfinite(found["curves"]["sharpness"])
        assert known.any() == ("sharpness_curve" in measure)


def test_a_step_with_weight_decay_has_a_closed_form():
    """It keeps (1 - eta lambda) of a weight; one start serves all rates and decays."""
    task = Task(np.vstack([np.eye(3), np.ones(3)]), np.zeros((1, 3)), None)
    settings = {"depth": 1, "loss": "mse", "activation": "linear", "bias_scale": 0.0, "steps": 1}
    trials = [
        make_trial(**settings, dtype="float64", learning_rate=rate, weight_decay=decay)
        for rate, decay in ((0.3, 0.0), (0.3, 2.0), (0.1, 2.0))
    ]
    weights = initial_params("gaussian", (3, 1), 0, 1.0, 0.0)[0][0, :-1]
    for trial, run in zip(trials, results(trials, task), strict=True):
        rate, decay = trial.learning_rate, trial.weight_decay
        after = (1 - rate * decay) * weights - rate * weights / 3
        bias = -rate * weights.mean()
        assert run.final_loss == pytest.approx(np.square(after + bias).sum() / 6)


def test_the_preconditioned_sharpness_is_that_of_the_steps():
    """lambda_max at the end with gd; a rate of 3 in both layers triples it, of 0 leaves one's."""
    sharpest = {"depth": 2, "steps": 0, "measure": frozenset({"preconditioned_sharpness"})}
    rates = [(1, 1), (3, 3), (0, 1)]
    trials = [
        make_trial(**sharpest, learning_rate_first=first, learning_rate_last=last)
        for first, last in rates
    ]
    task, params = task_of(trials[0]), initial_params("gaussian", (13, 8, 3), 0, 1.0, 0.1)
    problem = Problem(task.inputs, task.targets, "tanh", "cross_entropy", 1.0)
    plain, tripled, last = (run.final_preconditioned_sharpness for run in results(trials, task))
    assert plain == pytest.approx(largest_curvature(params, problem), rel=1e-6)
    assert tripled == pytest.approx(3 * plain, rel=1e-6)
    hidden = np.vstack([forward(params, task.inputs[:-1], problem.hidden)[1][1], np.ones(24)])
    convex = Problem(hidden, task.targets, "linear", "cross_entropy", 1.0)
    assert last == pytest.approx(largest_curvature(params[1:], convex), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "scale", "matched"),
    [("sigmoid_mse", 100.0, "binary_cross_entropy"), ("softmax_mse", 300.0, "cross_entropy")],
)
def test_saturated_outputs_are_told_from_a_low_rate(loss, scale, matched):
    """More steps do not free them; a loss that passes its error trains the same start."""
    changes = {"depth": 2, "dtype": "float64", "init_scale_last": scale}
    for steps in (200, 2000):
        stuck = result(make_trial(**changes, loss=loss, steps=steps))
        assert (stuck.outcome, stuck.cause) == ("stalled", "saturated_outputs")
        assert stuck.tail_loss > stuck.baseline_loss
    free = result(make_trial(**changes, loss=matched, steps=600))
    assert (free.outcome, free.final_output_slope) == ("trained", None)
    slow = result(make_trial(**changes, loss=loss, steps=200, learning_rate=1e-6))
    assert (slow.outcome, slow.cause) == ("stalled", "low_learning_rate")


def test_the_output_slope_is_that_of_the_outputs_function():
    """One layer of zeros: sigmoids of 1/2 have a slope of 1/4; a softmax of thirds has 1/3."""
    flat = {"depth": 1, "steps": 0, "init_scale": 0.0, "bias_scale": 0.0}
    for loss, slope in (("sigmoid_mse", 1 / 4), ("softmax_mse", 1 / 3), ("mse", None)):
        found = result(make_trial(**flat, loss=loss)).final_output_slope
        assert found == pytest.approx(slope, rel=1e-6) if slope else found is None


def test_weights_of_a_given_deviation_are_gaussian_ones_with_factors():
    """The same network, and the same theory: of sigma_w = std sqrt(width), and a first layer's."""
    shape = {"width": 20, "depth": 6, "dtype": "float64"}
    given = result(make_trial(**shape, initializer="weight_std", init_scale=0.2))
    gaussian = {"init_scale": 0.2 * 20**0.5, "init_scale_first": (13 / 20) ** 0.5}
    expected = result(make_trial(**shape, **gaussian))
    for name in ("final_loss", "chi_measured", "chi_theory"):
        assert getattr(given, name) == pytest.approx(getattr(expected, name), rel=1e-9)


def test_adam_has_a_preconditioned_sharpness_after_its_first_step():
    """Before that, and where it diverged, there is none."""
    trials = [
        make_trial(optimizer="adam", measure=frozenset({"preconditioned_sharpness"}), **changes)
        for changes in ({"steps": 0}, {"steps": 1}, {"learning_rate": 1e12})
    ]
    known = [result(trial).final_preconditioned_sharpness is not None for trial in trials]
    assert known == [False, True, False]


@pytest.mark.parametrize(("residual", "factor"), [("0.5", 0.5), ("inverse_depth", 0.25)])
def test_a_residual_trial_is_trained_with_its_factor(residual, factor):
    """As the plain definition's descent, depth 4, and with curvatures of that network."""
    trial = make_trial(
        depth=4, dtype="float64", residual=residual, measure=frozenset({"signal", "sharpness"})
    )
    task = task_of(trial)
    baseline = baseline_loss(task, trial.loss)
    problem = Problem(task.inputs, task.targets, "tanh", trial.loss, baseline, factor)
    params = initial_params("gaussian", layer_widths(13, 8, 3, 4), 0, 1.0, 0.1)
    losses, _ = plain_descent(params, trial.learning_rate, trial.steps, problem)
    (run,) = results([trial], task)
    assert run.final_loss == pytest.approx(losses[-1], rel=1e-10)
    assert run.sharpness == largest_curvature(params, problem)
    first_q = task.input_mean_square + 0.01
    growth = wide_signals("tanh", 1.0, 0.01, first_q, 4, factor).growth
    assert run.chi_theory == pytest.approx(growth[1], rel=1e-12)


def test_where_there_is_no_theory_chi_theory_is_null():
    """ReLU beside residual connections, and batch normalization; not layer normalization alone."""
    changes = [{}, {"normalization": "layer"}, {"residual": "1"}, {"normalization": "batch"}]
    trials = [make_trial(activation="relu", bias_scale=0.0, depth=9, **each) for each in changes]
    found = [results([trial], task_of(trial))[0] for trial in trials]
    assert found[0].chi_theory == 0.5
    assert found[1].chi_theory == pytest.approx(1, rel=1e-4)
    assert found[2].chi_theory is found[3].chi_theory is None
    assert all(run.chi_measured is not None for run in found)


def test_a_trial_whose_layers_differ_is_trained_so():
    """As the plain definition's descent, with every measurement; its layers have rows."""
    own = {"width": 11, "depth": 4, "hidden_widths": "11-4-6"}
    measured = frozenset({"signal", "sharpness", "sharpness_curve", "ntk"})
    trial = make_trial(**own, dtype="float64", measure=measured)
    task = task_of(trial)
    problem = Problem(
        task.inputs, task.targets, "tanh", trial.loss, baseline_loss(task, trial.loss)
    )
    params = initial_params("gaussian", (13, 11, 4, 6, 3), 0, 1.0, 0.1)
    losses, after = plain_descent(params, trial.learning_rate, trial.steps, problem)
    found = tables([trial], task)
    (run,) = results([trial], task)
    assert run.final_loss == pytest.approx(losses[-1], rel=1e-10)
    assert found["layers"]["layer"].tolist() == [1, 2, 3, 4]
    assert np.isfinite(found["layers"]["log10_gradient_norm"]).all()
    assert found["curves"]["sharpness"][-1] == pytest.approx(
        largest_curvature(after, problem), rel=1e-6
    )
    assert run.sharpness > 0 < run.ntk_largest


def test_layers_that_differ_have_theory_where_all_have_one_sigma_w():
    """Orthogonal weights of a layer that widens, and those of a given deviation, have their own."""
    own = {"width": 11, "depth": 4, "hidden_widths": "4-6-11"}
    found = {
        (name, widths["width"]): result(make_trial(initializer=name, **widths)).chi_theory
        for name in ("gaussian", "orthogonal", "weight_std")
        for widths in (own, {"width": 8, "depth": 4})
    }
    assert found["gaussian", 11] == found["gaussian", 8] is not None
    assert found["orthogonal", 11] is found["weight_std", 11] is None
    assert found["orthogonal", 8] is not None is not found["weight_std", 8]


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_normalized_trial_is_trained_so(normalization):
    """As the plain definition's descent."""
    trial = make_trial(depth=4, dtype="float64", normalization=normalization)
    task = task_of(trial)
    baseline = baseline_loss(task, trial.loss)
    problem = Problem(
        task.inputs, task.targets, "tanh", trial.loss, baseline, normalization=normalization
    )
    params = initial_params("gaussian", layer_widths(13, 8, 3, 4), 0, 1.0, 0.1)
    losses, _ = plain_descent(params, trial.learning_rate, trial.steps, problem)
    (run,) = results([trial], task)
    assert run.final_loss == pytest.approx(losses[-1], rel=1e-10)


def test_the_critical_rate_is_that_of_the_runs_own_optimizer():
    """2 (1 + momentum) / lambda_max with a heavy ball; none where layers have their own rates."""
    changes = [
        {},
        {"optimizer": "momentum", "momentum": 0.5},
        {"weight_decay": 3.0},
        {"optimizer": "adam"},
        {"learning_rate_last": 2.0},
        {"parameterization": "mup", "base_width": 4},
    ]
    runs = [result(make_trial(measure=frozenset({"sharpness"}), **each)) for each in changes]
    sharpness = runs[0].sharpness
    expected = [2 / sharpness, 3 / sharpness, 2 / (sharpness + 3.0), None, None, None]
    for run, rate in zip(runs, expected, strict=True):
        assert run.critical_learning_rate == (None if rate is None else pytest.approx(rate))


def test_without_biases_a_regression_converges_where_its_weights_do():
    """The mean of the targets is out of reach: the bias' gradient stays, and says nothing."""
    inputs = np.array([[1.0, -1.0, 0.5, -0.5], [1.0, 1.0, 1.0, 1.0]])
    task = Task(inputs, np.array([[3.0, 1.0, 2.5, 1.5]]), None)
    settings = {"depth": 1, "loss": "mse", "activation": "linear", "learning_rate": 1.0}
    settings |= {"bias_scale": 0.0}
    run = result(make_trial(**settings, steps=200, biases="none"), task=task)
    assert (run.outcome, run.cause) == ("stalled", "converged")
    assert run.final_loss == pytest.approx(2.0)  # half of the mean targets' square, 4
    assert result(make_trial(**settings, steps=200), task=task).final_loss == pytest.approx(0)


def test_layers_have_init_scales_of_their_own():
    """Outputs that begin at 0, whatever the hidden layers are; a first layer twice as large."""
    run = result(make_trial(init_scale_last=0.0, bias_scale=0.0))
    assert run.initial_loss == pytest.approx(np.log(3))
    settings = {"bias_scale": 0.0}
    layers = [
        train(make_trial(**settings, init_scale_first=factor))["layers"] for factor in (1.0, 2.0)
    ]
    first, doubled = (each["log10_mean_square_h"][0] for each in layers)
    assert doubled - first == pytest.approx(np.log10(4))


@pytest.mark.parametrize(("factor", "outcome"), [(1.99, "trained"), (2.01, "diverged")])
def test_linear_regression_trains_below_two_over_lambda_max(factor, outcome):
    """Depth 1, MSE, labels that a plane can tell apart; lambda_max from numpy's eigvalsh."""
    trial = make_trial(depth=1, loss="mse", dtype="float64", steps=3000)
    inputs = task_of(trial).inputs
    lambda_max = np.linalg.eigvalsh(inputs @ inputs.T / trial.examples)[-1]
    rate = factor / float(lambda_max)
    assert result(replace(trial, learning_rate=rate)).outcome == outcome


def test_no_steps_give_an_untrained_baseline():
    """Its loss and accuracy at the start, at the only point of its curve."""
    trial = make_trial(steps=0)
    run, curve = result(trial), train(trial)["curves"]
    assert (run.outcome, run.cause, run.steps_run) == ("untrained", None, 0)
    assert run.initial_loss == run.final_loss == run.tail_loss == run.peak_loss
    assert (curve["step"].tolist(), curve["loss"].tolist()) == ([0], [run.initial_loss])
    assert run.final_accuracy is not None


@pytest.mark.parametrize("steps", [0, 12])
def test_the_accuracy_is_that_of_the_final_network(steps):
    """Against plain gradient descent of one network, classified by its largest output."""
    trial = make_trial(dataset="digits", examples=60, steps=steps, dtype="float64")
    task = task_of(trial)
    widths = layer_widths(task.feature_count, trial.width, task.outputs, trial.depth)
    problem = Problem(task.inputs, task.targets, "tanh", "cross_entropy", 1.0)
    start = initial_params("gaussian", widths, 0, 1.0, 0.1)
    _, params = plain_descent(start, trial.learning_rate, steps, problem)
    outputs = forward(params, task.inputs[:-1], HiddenLayers(ACTIVATIONS["tanh"]))[0][-1]
    right = np.mean(outputs.argmax(axis=0) == task.labels)
    assert result(trial).final_accuracy == right
    assert 0 < right < 1


@pytest.mark.parametrize(
    ("dataset", "loss"), [("digits", "cross_entropy"), ("digits", "mse"), ("diabetes", "mse")]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_held_out_examples_are_measured_on_the_final_network(dataset, loss, dtype):
    """Against plain gradient descent of one network; every other number keeps its bits."""
    setting = {"dataset": dataset, "loss": loss, "examples": 60, "learning_rate": 0.05}
    trial = make_trial(**setting, dtype=dtype, test_examples=30)
    task, run = task_of(trial), result(trial)
    widths = layer_widths(task.feature_count, trial.width, task.outputs, trial.depth)
    problem = Problem(task.inputs, task.targets, "tanh", loss, 1.0)
    start = initial_params("gaussian", widths, 0, 1.0, 0.1)
    _, params = plain_descent(start, trial.learning_rate, trial.steps, problem)
    others = replace(problem, inputs=task.held_out.inputs, targets=task.held_out.targets)
    expected = float(loss_of(params, others)[0])
    assert run.test_loss == pytest.approx(expected, rel=1e-9 if dtype == "float64" else 1e-4)
    assert run.generalization_gap == pytest.approx(run.test_loss - run.final_loss, rel=1e-12)
    outputs = forward(params, others.inputs[:-1], HiddenLayers(ACTIVATIONS["tanh"]))[0][-1]
    right = np.mean(outputs.argmax(axis=0) == task.held_out.labels)
    assert run.test_accuracy == (right if task.labels is not None else None)
    alone = result(replace(trial, test_examples=0))
    assert alone.test_loss is alone.test_accuracy is alone.generalization_gap is None
    measured = ("test_loss", "test_accuracy", "generalization_gap", "wall_seconds")
    for column in RESULTS:
        if column.name not in measured:
            assert getattr(alone, column.name) == getattr(run, column.name), column.name


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "sigmoid_mse"])
def test_one_output_classifies_two_classes_by_its_sign(loss):
    """breast_cancer: the network of plain descent has one output, positive for class 1."""
    trial = make_trial(
        dataset="breast_cancer", loss=loss, dtype="float64", steps=40, examples=60, test_examples=30
    )
    task, run = task_of(trial), result(trial)
    labels, others = task.labels[None].astype(float), task.held_out
    problem = Problem(task.inputs, labels, "tanh", loss, 1.0)
    start = initial_params("gaussian", layer_widths(30, trial.width, 1, trial.depth), 0, 1.0, 0.1)
    losses, params = plain_descent(start, trial.learning_rate, trial.steps, problem)
    assert run.initial_loss == pytest.approx(losses[0], rel=1e-12)
    assert run.final_loss == pytest.approx(losses[-1], rel=1e-10)
    share = task.labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    best = entropy if loss == "binary_cross_entropy" else share * (1 - share) / 2
    assert run.baseline_loss == pytest.approx(best, rel=1e-12)
    for accuracy, inputs, known in (
        (run.final_accuracy, task.inputs, task.labels),
        (run.test_accuracy, others.inputs, others.labels),
    ):
        outputs = forward(params, inputs[:-1], HiddenLayers(ACTIVATIONS["tanh"]))[0][-1]
        assert outputs.shape[0] == 1
        assert accuracy == np.mean((outputs[0] > 0) == known)
        assert accuracy > 0.8
    held_out = replace(problem, inputs=others.inputs, targets=others.labels[None].astype(float))
    assert run.test_loss == pytest.approx(float(loss_of(params, held_out)[0]), rel=1e-9)


def test_a_network_has_an_output_for_each_of_several_targets():
    """Its losses are those of plain gradient descent; there is no accuracy."""
    trial = make_trial(dataset="mine.csv-0", loss="mse", dtype="float64", test_examples=9)
    numbers = np.random.default_rng(6).normal(size=(40, 5))
    task = make_task(
        Dataset(trial.dataset, numbers[:, :3], numbers[:, 3:], None), 24, "raw", "raw", 9
    )
    problem = Problem(task.inputs, task.targets, "tanh", "mse", 1.0)
    start = initial_params("gaussian", layer_widths(3, trial.width, 2, trial.depth), 0, 1.0, 0.1)
    losses, params = plain_descent(start, trial.learning_rate, trial.steps, problem)
    run = result(trial, task=task)
    assert run.initial_loss == pytest.approx(losses[0], rel=1e-12)
    assert run.final_loss == pytest.approx(losses[-1], rel=1e-10)
    others = replace(problem, inputs=task.held_out.inputs, targets=task.held_out.targets)
    assert run.test_loss == pytest.approx(float(loss_of(params, others)[0]), rel=1e-9)
    assert run.final_accuracy is run.test_accuracy is None


def test_what_was_given_up_has_no_held_out_loss():
    """Nor an accuracy; those that ended beside it have."""
    harsh = {"activation": "relu", "depth": 12, "test_examples": 10}
    ended, overflowed = results(
        [make_trial(**harsh), make_trial(**harsh, init_scale=1e5)], task_of(make_trial(**harsh))
    )
    assert overflowed.outcome == "overflow"
    assert overflowed.test_loss is overflowed.test_accuracy is None
    assert overflowed.generalization_gap is None
    assert ended.test_loss > 0
    assert ended.test_accuracy is not None


def test_many_held_out_examples_go_through_in_parts(monkeypatch):
    """With the numbers of all at once."""
    trial = make_trial(test_examples=100)
    whole = result(trial)
    monkeypatch.setattr("core.measuring.held_out.PART_BYTES", 16 * 19 * 7)
    in_parts = result(trial)
    assert in_parts.test_loss == pytest.approx(whole.test_loss, rel=1e-12)
    assert in_parts.test_accuracy == whole.test_accuracy


def test_a_regression_has_no_accuracy():
    """Nor has a classifier that was given up."""
    regression = result(make_trial(dataset="diabetes", loss="mse"))
    overflowed = result(make_trial(activation="relu", init_scale=1e5, depth=12))
    assert regression.final_accuracy is None
    assert overflowed.outcome == "overflow"
    assert overflowed.final_accuracy is None


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
    assert result(make_trial(**setting, **changes)).outcome == outcome


def test_a_run_that_overflowed_has_no_final_loss():
    """It ends at the step it names, with the largest finite loss seen before."""
    trial = make_trial(activation="relu", loss="mse", learning_rate=1e12)
    run, curve = result(trial), train(trial)["curves"]
    assert run.outcome == "overflow"
    assert run.final_loss is run.tail_loss is None
    assert run.overflow_step == run.steps_run == curve["step"][-1]
    assert not isfinite(curve["loss"][-1])
    assert run.peak_loss >= run.initial_loss


def test_a_bias_of_minus_infinity_is_an_overflow_though_the_loss_is_finite():
    """A ReLU makes it a 0: without a look at the parameters the run would pass for alive."""
    x, labels = 2e-38 * np.array([[1.0, 1.0, -1.0]]), np.array([1, 1, 0])
    task = Task(np.concatenate([x, np.ones((1, 3))]), np.eye(2)[labels].T, labels)
    # The first bias moves by twice 3000 / 3 x init_scale^8, beyond float32; its weight by 40.
    steep = {"activation": "relu", "initializer": "scaled_identity", "depth": 9, "width": 1}
    trial = make_trial(**steep, init_scale=3e4, bias_scale=0.0, learning_rate=3e3, examples=3)
    found = tables([trial], task)
    assert isfinite(found["curves"]["loss"][-1])
    assert found["runs"]["outcome"] == ["overflow"]
    assert np.isnan(found["runs"]["final_loss"]).all()


@pytest.mark.parametrize("initializer", [n for n in INITIALIZERS if n != "weight_std"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_result_is_what_its_column_says_or_nothing(activation, loss, initializer):
    """Over every init scale and learning rate that a sweep may ask for, without a warning."""
    harsh = {"activation": activation, "loss": loss, "initializer": initializer}
    grid = product((0.0, 1e-5, 1.0, 300.0, 1e5), (1e-12, 1.0, 1e4, 1e12))
    trials = [
        make_trial(
            **harsh,
            init_scale=s,
            learning_rate=r,
            width=4,
            measure=frozenset({"signal", "sharpness"}),
        )
        for s, r in grid
    ]
    found = train(*trials)
    for column in RESULTS:
        values = found["runs"][column.name]
        if column.kind is str:
            assert set(values) <= {None, *column.choices}, column.name
            continue
        numbers = values[~np.isnan(values)]
        assert np.isfinite(numbers).all(), column.name
        assert column.kind is float or (numbers == numbers.astype(column.kind)).all(), column.name
        assert not column.required or len(numbers) == len(trials), column.name
    assert set(found["runs"]["baseline_loss"]) == {baseline_loss(task_of(trials[0]), loss)}
    last = np.diff(found["curves"]["place"], append=len(trials)) == 1
    assert found["curves"]["step"][last].tolist() == found["runs"]["steps_run"].tolist()


def varied_trials():
    """Shapes of trials that come to every outcome, for every cause."""
    yield mixed_trials(100, activation="relu", loss="mse")
    yield mixed_trials(100)
    yield mixed_trials(5, steps=0)
    harsh = product((0.0, 1e-5, 1.0, 300.0, 1e5), (1e-12, 1.0, 1e4, 1e12))
    measure = frozenset({"signal", "sharpness"})
    small = {"width": 4, "measure": measure}
    yield [make_trial(init_scale=s, learning_rate=r, **small) for s, r in harsh]
    yield [make_trial(init_scale=s, measure=frozenset({"sharpness"})) for s in (1.0, 1e5)]
    saturated = {"activation": "sigmoid", "init_scale": 300.0, "bias_scale": 0.0, "width": 4}
    yield [
        make_trial(**saturated, depth=2, dataset="spirals", learning_rate=r) for r in (1e-12, 1e-6)
    ]
    yield [make_trial(loss="softmax_mse", depth=2, steps=200, init_scale_last=300.0)]
    line = {"depth": 1, "activation": "linear", "dataset": "spirals", "steps": 300}
    yield [make_trial(**line, learning_rate=rate) for rate in (0.5, 1.0)]
    yield mixed_trials(20, dataset="diabetes", loss="mse", stop="decided", trained_level=0.9)


def test_a_row_judged_again_has_the_verdict_that_it_has():
    """From its own columns, as a store gives them: None where there is no number."""
    outcomes, causes, phases = set(), set(), set()
    for trials in varied_trials():
        found = train(*trials)["runs"]
        settings = [values_of(trial) for trial in trials]
        columns = {name: np.array([each[name] for each in settings]) for name in settings[0]}
        for name, column in found.items():
            if name not in ("outcome", "cause", "init_phase"):
                columns[name] = np.where(np.isnan(column), np.array(None), column.astype(object))
        again = judged(columns)
        for name, column in again.items():
            assert column.tolist() == found[name].tolist(), name
        outcomes |= {*again["outcome"]}
        causes |= {*again["cause"]}
        phases |= {*again["init_phase"]}
    assert outcomes == {*OUTCOMES}
    assert causes == {*CAUSES, None}
    assert phases == {*INIT_PHASES, None}


def test_chi_theory_starts_from_the_inputs_own_size():
    """GELU at sigma_w^2 = 2.2 forgets raw spirals (mean square 0.27) and amplifies unit inputs.

    q* = 0 has chi = 2.2 / 4; the variance of standardized spirals grows, chi tends to 2.2 / 2.
    """
    setting = {"dataset": "spirals", "activation": "gelu", "init_scale": 2.2**0.5}
    deep = setting | {"bias_scale": 0.0, "depth": 30, "width": 100, "steps": 0}
    small, unit = (
        result(make_trial(features=features, **deep)) for features in ("raw", "standardized")
    )
    assert small.chi_theory == pytest.approx(0.55)
    assert small.chi_measured < 0.7
    assert unit.chi_theory == pytest.approx(1.1)
