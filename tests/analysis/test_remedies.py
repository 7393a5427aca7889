"""What to change in a run: known from its store, else suggested by its cause."""

import pandas as pd
import pytest

from analysis.causes import CAUSES, OUTCOMES
from analysis.explanation import as_run
from analysis.init_advice import init_advice
from analysis.remedies import SUGGESTIONS, remedies, suggestions
from core.datasets import load_dataset, make_task
from core.training import train_trials
from core.trials import trial_of


@pytest.fixture
def run(runs):
    """A row with every number, to be given another ending."""
    return as_run(runs[(runs["outcome"] == "stalled") & (runs["depth"] == 12)].iloc[0])


def retrained(run, changes):
    """The result of the run's training with changed settings."""
    trial = trial_of({**run, **changes})
    task = make_task(load_dataset(trial.dataset, trial.examples), trial.examples, trial.features)
    (training,) = train_trials([trial], task)
    return training.result


def test_every_ending_but_trained_has_a_remedy(run):
    """Each cause its own, and each outcome where the cause is not known."""
    assert set(SUGGESTIONS) == (set(CAUSES) | set(OUTCOMES)) - {"trained"}
    unlike = {**run, "activation": "relu", "init_scale": 0.3, "seed": 5, "lowest_step": 7}
    for ending in SUGGESTIONS:
        named = {"cause": ending} if ending in CAUSES else {"cause": None, "outcome": ending}
        for remedy in suggestions({**unlike, **named}):
            assert any(unlike[name] != value for name, value in remedy.changes.items())
            assert remedy.trial_id is None
            trial_of({**unlike, **remedy.changes})


def test_what_trained_in_the_store_comes_first(runs):
    """The nearest change that did, with how many runs like it trained: it can be looked up."""
    failed = as_run(runs[(runs["depth"] == 2) & (runs["cause"] == "learning_rate")].iloc[0])
    (remedy,) = remedies(failed, runs)
    found = runs[runs["trial_id"] == remedy.trial_id].iloc[0]
    assert found["outcome"] == "trained"
    assert all(found[name] == value for name, value in remedy.changes.items())
    own = ["activation", "depth", "init_scale", "learning_rate"]
    alike = runs[(runs[own] == found[own]).all(axis=1)]
    trained = (alike["outcome"] == "trained").sum()
    assert remedy.reason.startswith(f"{trained} of {len(alike)} runs with these settings trained")
    assert retrained(failed, remedy.changes).outcome == "trained"


def test_the_network_is_kept_where_that_is_known_to_train(runs):
    """Two changes of the training are nearer to what was wanted than another depth."""
    table = runs.iloc[[0, 0, 0]].assign(
        trial_id=["own", "shallow", "kept"],
        outcome=["stalled", "trained", "trained"],
        depth=[30, 2, 30],
        learning_rate=[0.1, 0.1, 1.0],
        init_scale=[1.0, 1.0, 2.0],
    )
    own = as_run(table.iloc[0])
    assert [remedy.trial_id for remedy in remedies(own, table)] == ["kept"]
    assert [remedy.trial_id for remedy in remedies(own, table[:2])] == ["shallow"]


def test_another_data_set_is_no_remedy(runs):
    """What trained on other data tells nothing of these."""
    failed = runs[runs["cause"] == "learning_rate"].iloc[0]
    elsewhere = pd.concat(
        [runs[runs["outcome"] != "trained"], runs[runs["outcome"] == "trained"].assign(examples=99)]
    )
    assert all(remedy.trial_id is None for remedy in remedies(as_run(failed), elsewhere))


def test_a_run_that_trained_needs_none(runs):
    """Nothing to change."""
    assert remedies(as_run(runs[runs["outcome"] == "trained"].iloc[0]), runs) == []


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


def test_a_lost_signal_is_sent_to_theorys_scale(run):
    """Where that is not its own; and to fewer layers, or an activation that passes it."""
    lost = {**run, "cause": "vanishing", "activation": "tanh", "init_scale": 0.3}
    first, *others = suggestions(lost)
    assert first.changes["init_scale"] == pytest.approx(init_advice("tanh", 12).start, rel=1e-3)
    assert first.needs_a_rate
    assert {"depth"} in [set(remedy.changes) for remedy in others]
    critical = suggestions({**lost, "init_scale": 1.0})
    assert "init_scale" not in critical[0].changes


def test_a_linear_model_that_converged_needs_a_hidden_layer(run):
    """Another seed or more steps end at the same loss."""
    done = {**run, "cause": "converged", "depth": 1, "activation": "relu"}
    (remedy,) = suggestions(done)
    assert remedy.changes == {"depth": 2, "activation": "tanh"}
    (remedy,) = suggestions({**done, "depth": 3, "activation": "linear"})
    assert remedy.changes == {"activation": "tanh"}
    deep = suggestions({**done, "depth": 3})
    assert [list(each.changes) for each in deep][:2] == [["seed"], ["width"]]
    assert not any("steps" in remedy.changes for remedy in deep)


def test_an_identity_keeps_its_initializer(run):
    """A multiple of the identity is kept at its size by 1, whatever theory says of draws."""
    identity = {**run, "cause": "vanishing", "initializer": "scaled_identity", "init_scale": 0.5}
    assert suggestions(identity)[0].changes == {"init_scale": 1.0}
