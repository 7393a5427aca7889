"""What to change in a run: known from its store, else suggested."""

import pandas as pd
import pytest

from analysis.explaining.explanation import as_run
from analysis.explaining.remedies import remedies


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


@pytest.mark.parametrize("other", [{"dataset": "wine"}, {"examples": 99}, {"loss": "mse"}])
def test_another_task_is_no_remedy(runs, other):
    """What trained on other data, or for another loss, tells nothing of these."""
    failed = as_run(runs[runs["cause"] == "learning_rate"].iloc[0])
    trained = runs["outcome"] == "trained"
    elsewhere = pd.concat([runs[~trained], runs[trained].assign(**other)])
    assert remedies(failed, runs)[0].trial_id
    assert all(remedy.trial_id is None for remedy in remedies(failed, elsewhere))


def test_a_run_that_trained_needs_none(runs):
    """Nothing to change."""
    assert remedies(as_run(runs[runs["outcome"] == "trained"].iloc[0]), runs) == []
