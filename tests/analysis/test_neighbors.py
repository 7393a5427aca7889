"""The trained runs nearest to a run."""

import numpy as np

from analysis.explaining.explanation import as_run
from analysis.explaining.neighbors import nearest_trained


def test_the_nearest_neighbor_changes_least(runs):
    """As found by comparing every trained run with every setting."""
    run = as_run(runs[runs["outcome"] != "trained"].iloc[7])
    axes = ["depth", "activation", "init_scale", "learning_rate", "seed"]
    trained = runs[runs["outcome"] == "trained"]
    changes = sum((trained[name] != run[name]).astype(int) for name in axes)
    nearest = nearest_trained(run, runs)
    assert len(nearest["changed"].iloc[0]) == changes.min()
    first = nearest.iloc[0]
    assert set(first["changed"]) == {name for name in axes if first[name] != run[name]}
    same = trained[
        np.logical_and.reduce([(trained[n] == run[n]) == (n not in first["changed"]) for n in axes])
    ]
    own_distance = abs(np.log(first["learning_rate"] / run["learning_rate"]))
    if first["changed"] == ("learning_rate",):
        assert own_distance <= abs(np.log(same["learning_rate"] / run["learning_rate"])).min()


def test_no_remedy_has_a_change_too_many(make_runs):
    """Where a new learning rate alone trains, a new seed beside it is no advice."""
    runs = make_runs(
        trial_id=["own", "rate", "rate_and_seed", "scale"],
        outcome=["stalled", "trained", "trained", "trained"],
        learning_rate=[0.1, 1.0, 0.2, 0.1],
        init_scale=[1.0, 1.0, 1.0, 2.0],
        seed=[0, 0, 1, 0],
        trained_level=0.1,
    )
    nearest = nearest_trained(as_run(runs.iloc[0]), runs)
    assert list(nearest["trial_id"]) == ["scale", "rate"]


def test_nothing_trained_is_an_answer(make_runs):
    """An empty table, not an error."""
    runs = make_runs(trial_id=["own"], outcome=["stalled"], learning_rate=[0.1], trained_level=0.1)
    assert nearest_trained(as_run(runs.iloc[0]), runs).empty


def test_a_run_held_to_a_higher_level_shows_no_remedy(make_runs):
    """What is called trained at half of the constant's loss may have stalled at a tenth of it."""
    runs = make_runs(
        trial_id=["own", "lenient", "strict"],
        outcome=["stalled", "trained", "trained"],
        learning_rate=[0.1, 0.2, 1.0],
        trained_level=[0.1, 0.5, 0.05],
    )
    nearest = nearest_trained(as_run(runs.iloc[0]), runs)
    assert list(nearest["trial_id"]) == ["strict"]
    assert nearest["changed"].tolist() == [("learning_rate",)]
