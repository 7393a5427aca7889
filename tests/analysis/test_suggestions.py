"""What a run's cause suggests to change: tried on fresh trainings where that is quick."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.advising.init_advice import init_advice
from analysis.explaining.causes import CAUSES, OUTCOMES
from analysis.explaining.explanation import as_run
from analysis.explaining.suggestions import SUGGESTIONS, suggestions
from core.datasets import Task, load_dataset, make_task
from core.settings import Trials, values_of
from core.training import train
from core.trials import Trial, trial_of

from ..core.trials import make_trial, task_of


@pytest.fixture
def run(runs):
    """A row with every number, to be given another ending."""
    return as_run(runs[(runs["outcome"] == "stalled") & (runs["depth"] == 12)].iloc[0])


def trained(trials, task):
    """The results of trials that may be trained together, a row each."""
    return pd.DataFrame(train(Trials.of(trials), task)["runs"])


def retrained(run, changes):
    """The result of the run's training with changed settings."""
    return retrained_together([run], changes).iloc[0]


def retrained_together(runs, changes):
    """The results of runs of one task that may be trained together, with changed settings."""
    trials = [trial_of({**run, **changes}) for run in runs]
    first = trials[0]
    dataset = load_dataset(first.dataset, first.examples)
    task = make_task(dataset, first.examples, first.features, first.targets)
    return trained(trials, task)


def test_every_ending_but_trained_has_a_remedy(run):
    """Each cause its own, and each outcome where the cause is not known."""
    assert set(SUGGESTIONS) == (set(CAUSES) | set(OUTCOMES)) - {"trained"}
    unlike = {**run, "activation": "relu", "init_scale": 0.3, "seed": 5, "lowest_step": 7}
    for ending in SUGGESTIONS:
        named = {"cause": ending} if ending in CAUSES else {"cause": None, "outcome": ending}
        for remedy in suggestions({**unlike, **named}):
            assert all(unlike[name] != value for name, value in remedy.changes.items())
            assert remedy.trial_id is None
            trial_of({**unlike, **remedy.changes})


def test_where_layers_differ_no_other_width_or_depth_is_suggested(run):
    """They would not go with the layers' widths; all else is."""
    own = {"width": 8, "depth": 4, "hidden_widths": "8-6-4"}
    for ending in ("vanishing", "dead", "plateau"):
        equal, different = (
            [remedy.changes for remedy in suggestions({**run, "cause": ending, **shape})]
            for shape in ({**own, "hidden_widths": "equal"}, own)
        )
        sizes = {"width", "depth"}
        assert different == [changes for changes in equal if sizes.isdisjoint(changes)] != equal


def test_saturated_outputs_are_freed_by_the_loss_that_passes_their_error():
    """The suggested loss trains the start on which the squared error of a softmax is stuck."""
    stuck = {"depth": 2, "loss": "softmax_mse", "init_scale_last": 300.0, "steps": 600}
    trial = make_trial(**stuck, dtype="float64")
    (row,) = trained([trial], task_of(trial)).to_dict("records")
    assert row["cause"] == "saturated_outputs"
    first, second, *_ = suggestions({**values_of(trial), **row})
    assert (first.changes, second.changes) == ({"loss": "cross_entropy"}, {"init_scale_last": 1.0})
    for remedy in (first, second):
        freed = replace(trial, **remedy.changes)
        assert trained([freed], task_of(freed)).iloc[0].outcome == "trained"


def test_theorys_start_divides_weights_by_the_fan_in(run):
    """Where weights have one deviation at all widths, the advice is to change that first."""
    for scale in (0.01, init_advice("tanh", 12).start):
        settings = {"activation": "tanh", "initializer": "weight_std", "init_scale": scale}
        first = suggestions({**run, **settings, "cause": "vanishing"})[0]
        assert first.changes["initializer"] == "gaussian"
        sigma_w = {**settings, **first.changes}["init_scale"]
        assert sigma_w == pytest.approx(init_advice("tanh", 12).start, rel=1e-3)


def test_half_of_what_the_curvature_allows_descends(runs):
    """Runs that diverged by their learning rate go down with the suggested one."""
    diverged = runs[runs["cause"] == "learning_rate"]
    for _, row in diverged.iloc[:: len(diverged) // 8].iterrows():
        failed = as_run(row)
        (remedy,) = suggestions(failed)
        half = failed["critical_learning_rate"] / 2
        assert remedy.changes["learning_rate"] == pytest.approx(half, rel=1e-2)
        result = retrained(failed, remedy.changes)
        assert result.tail_loss < result.initial_loss


def test_a_lost_signal_is_sent_to_theorys_start(run):
    """Where that is not its own; else to an activation that passes it, or to fewer layers."""
    lost = {**run, "cause": "vanishing", "activation": "tanh", "init_scale": 0.3}
    first, *others = suggestions(lost)
    assert first.changes["init_scale"] == pytest.approx(init_advice("tanh", 12).start, rel=1e-3)
    assert first.needs_a_rate
    assert {"depth"} in [set(remedy.changes) for remedy in others]
    at_start = suggestions({**lost, **first.changes})
    assert set(at_start[0].changes) == {"activation", "init_scale"}
    (gelu, *_) = suggestions({**lost, "activation": "gelu"})
    assert gelu.changes["bias_scale"] > 0


def test_a_narrow_network_that_starts_dead_is_widened(trained_store):
    """Half of the single units that see positive numbers start off; eight seldom all do."""
    rows = "".join(f"{0.1 + 0.05 * n:.2f},{0.5 + 0.1 * n:.4f}\n" for n in range(20))
    store = trained_store(ONE_UNIT, line="x,target\n" + rows)
    runs = pd.read_parquet(store / "runs")
    dead = runs[(runs["cause"] == "dead") & (runs["peak_loss"] == runs["initial_loss"])]
    assert len(dead) > 10
    remedy = suggestions(as_run(dead.iloc[0]))[0]
    assert remedy.changes == {"width": 8}
    wide = trained_store(ONE_UNIT.replace("width: 1", "width: 8"), line="x,target\n" + rows)
    after = pd.read_parquet(wide / "runs").set_index("seed")["outcome"]
    assert (after[dead["seed"]] == "trained").mean() > 0.6


ONE_UNIT = """
file: line.csv
features: raw
examples: 20
depth: 2
width: 1
activation: relu
learning_rate: 0.1
loss: mse
steps: 300
seed: {linspace: [0, 31, 32]}
"""


def test_a_layer_that_long_steps_killed_takes_shorter_ones(run):
    """Another draw or activation would meet the same steps."""
    dead = {**run, "cause": "dead", "peak_loss": 100.0, "initial_loss": 2.0}
    (remedy,) = suggestions(dead)
    assert remedy.changes == {"learning_rate": pytest.approx(run["learning_rate"] / 10)}


def test_a_linear_model_that_converged_needs_a_hidden_layer(run):
    """Another seed or more steps end at the same loss."""
    done = {**run, "cause": "converged", "depth": 1, "activation": "relu"}
    scale = init_advice("tanh", 2).start
    (remedy,) = suggestions({**done, "init_scale": scale})
    assert remedy.changes == {"depth": 2, "activation": "tanh"}
    (remedy,) = suggestions({**done, "depth": 3, "activation": "linear"})
    assert remedy.changes == {"activation": "tanh"}
    deep = suggestions({**done, "depth": 3})
    assert [list(each.changes) for each in deep][:2] == [["width"], ["seed"]]
    assert not any("steps" in remedy.changes for remedy in deep)


def test_more_width_trains_most_networks_that_ended_in_a_bad_minimum():
    """XOR on two ReLU units: far more than another seed, which is therefore named second."""
    first = [replace(UNITS, seed=seed) for seed in range(30)]
    converged = trained(first, XOR)["cause"] == "converged"
    stuck = [trial for trial, is_stuck in zip(first, converged, strict=True) if is_stuck]
    assert len(stuck) > 10
    helped = {}
    for name in ("width", "seed"):
        changed = []
        for trial in stuck:
            run = {**values_of(trial), "cause": "converged", "outcome": "stalled"}
            (changes,) = [r.changes for r in suggestions(run) if set(r.changes) == {name}]
            changed.append(replace(trial, **changes))
        helped[name] = (trained(changed, XOR)["outcome"] == "trained").mean()
    assert helped["width"] > 0.5 > helped["seed"]


CORNERS = np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
LABELS = np.array([0, 1, 1, 0])
XOR = Task(CORNERS, np.eye(2)[LABELS].T.copy(), LABELS)
UNITS = Trial(
    dataset="xor",
    examples=4,
    features="raw",
    depth=2,
    width=2,
    activation="relu",
    initializer="gaussian",
    init_scale=1.0,
    bias_scale=0.0,
    learning_rate=0.3,
    loss="cross_entropy",
    steps=2000,
    seed=0,
    dtype="float32",
    measure=frozenset({"signal"}),
)


def test_what_a_run_has_already_is_no_change(run):
    """A tanh model of one layer needs another layer, not another activation."""
    done = {**run, "cause": "converged", "depth": 1, "activation": "tanh"}
    (remedy,) = suggestions(done)
    assert remedy.changes["depth"] == 2
    assert "activation" not in remedy.changes


def test_saturated_units_are_not_sent_to_a_larger_scale(run):
    """Theory's start is a remedy where it is the smaller one."""
    saturated = {**run, "cause": "saturated", "activation": "tanh", "bias_scale": 0.0}
    start = init_advice("tanh", run["depth"]).start
    small = suggestions({**saturated, "init_scale": start / 2})
    assert not any(set(remedy.changes) == {"init_scale"} for remedy in small)
    first, *_ = suggestions({**saturated, "init_scale": 3 * start})
    assert first.changes == {"init_scale": pytest.approx(start, rel=1e-3)}


def test_a_hidden_layer_does_not_start_from_zero_weights(run):
    """A linear model trains from them; two layers would answer with the constant for ever."""
    zero = {"depth": 1, "activation": "linear", "init_scale": 0.0, "learning_rate": 0.1}
    line = {**run, **zero, "dataset": "wine", "examples": 178, "steps": 300, "loss": "mse"}
    (remedy,) = suggestions({**line, "cause": "converged"})
    assert retrained(line, remedy.changes).tail_loss < retrained(line, {}).tail_loss


def test_a_wide_network_that_long_steps_drove_to_rest_takes_shorter_ones(run):
    """Tanh, depth 30: at a rate of 1 a tenth of the seeds rest far above the trained level.

    Which ones depends on the processor's matrix products: training is chaotic there. Of 82, on
    two kinds of them, 73 came lower by shorter steps, and 29 of these trained.
    """
    settings = {"dataset": "digits", "examples": 128, "loss": "cross_entropy", "measure": "signal"}
    deep = {"activation": "tanh", "depth": 30, "width": 32, "init_scale": 1.0}
    runs = [
        {**run, **settings, **deep, "learning_rate": 1.0, "steps": 100, "seed": seed}
        for seed in range(60)
    ]
    ends = retrained_together(runs, {})
    at_rest = (ends["cause"] == "converged").to_numpy()
    rested = [each for each, is_at_rest in zip(runs, at_rest, strict=True) if is_at_rest]
    assert rested
    for rest in rested:
        shorter = suggestions({**rest, "cause": "converged"})[0]
        assert shorter.changes == {"learning_rate": 0.1, "steps": 1000}
    after = retrained_together(rested, {"learning_rate": 0.1, "steps": 1000})
    lower = after["tail_loss"].to_numpy() < ends["tail_loss"][at_rest].to_numpy()
    assert lower.mean() > 0.5


def test_an_identity_keeps_its_initializer(run):
    """A multiple of the identity is kept at its size by 1, whatever theory says of draws."""
    identity = {**run, "cause": "vanishing", "initializer": "scaled_identity", "init_scale": 0.5}
    assert suggestions(identity)[0].changes == {"init_scale": 1.0}


def test_another_optimizers_remedies_name_its_own_bound_and_whose_shares_they_quote(run):
    """What was measured with plain gradient descent is said to be so, where it is quoted."""
    diverged = {"outcome": "diverged", "cause": "learning_rate", "critical_learning_rate": 0.01}
    plain = suggestions({**run, **diverged, "learning_rate": 0.1})[0]
    assert plain.reason == "half of 2 / lambda_max of the start; all of 23 such runs descended so"
    heavy = suggestions({**run, **diverged, "learning_rate": 0.1, "optimizer": "momentum"})[0]
    assert heavy.reason.startswith("half of 2 (1 + momentum) / lambda_max of the start; all of 23")
    assert heavy.reason.endswith(", all of them by plain gradient descent")
