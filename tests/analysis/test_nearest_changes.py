"""The trained run that needs the least change, for many runs at once."""

import numpy as np

from analysis.explaining.explanation import as_run
from analysis.explaining.nearest_changes import nearest_changes
from analysis.explaining.neighbors import nearest_trained
from analysis.explaining.remedies import remedies, remedies_of_each
from analysis.explaining.suggestions import NETWORK


def test_each_run_has_the_neighbor_that_it_has_alone(runs):
    """The first of nearest_trained that keeps the network, as found run by run."""
    failed, trained = (runs[runs["outcome"] != "trained"], runs[runs["outcome"] == "trained"])
    places = nearest_changes(failed, trained)
    for place, (_, row) in list(zip(places, failed.iterrows(), strict=True))[::5]:
        nearest = nearest_trained(as_run(row), runs, most=len(runs))
        kept = nearest[[NETWORK.isdisjoint(names) for names in nearest["changed"]]]
        expected = (nearest if kept.empty else kept).iloc[0]
        found = trained.iloc[place]
        changed = tuple(name for name in expected["changed"] if found[name] != row[name])
        assert changed == expected["changed"]
        for name in ("learning_rate", "init_scale"):
            sizes = [abs(np.log(each[name] / row[name])) for each in (found, expected)]
            assert sizes[0] <= sizes[1] + 1e-6


def test_the_order_of_the_rows_decides_nothing(runs):
    """Of two that are equally near, the one whose id comes first, wherever it stands."""
    failed, trained = runs[runs["outcome"] != "trained"], runs[runs["outcome"] == "trained"]
    shuffled = trained.sample(frac=1, random_state=0)
    ids = [
        each["trial_id"].to_numpy()[nearest_changes(failed, each)] for each in (trained, shuffled)
    ]
    assert list(ids[0]) == list(ids[1])


def test_a_run_that_was_judged_more_leniently_shows_nothing(runs):
    """Nor one on another task: there is no place then."""
    failed, trained = runs[runs["outcome"] != "trained"], runs[runs["outcome"] == "trained"]
    assert (nearest_changes(failed, trained) >= 0).all()
    for other in ({"trained_level": 0.5}, {"dataset": "wine"}, {"loss": "mse"}):
        assert (nearest_changes(failed, trained.assign(**other)) == -1).all()
    assert (nearest_changes(failed, trained[:0]) == -1).all()


def test_the_remedies_of_a_store_are_those_of_each_of_its_runs(runs):
    """Asked for at once or one by one, they are the same."""
    each = [as_run(row) for _, row in runs.iterrows()]
    everyone = list(remedies_of_each(each, runs))
    assert len(everyone) == len(runs)
    for run, suggested in list(zip(each, everyone, strict=True))[::7]:
        assert suggested == remedies(run, runs)
    only_failed = runs[runs["outcome"] != "trained"]
    nothing_trained = [as_run(row) for _, row in only_failed.iterrows()]
    for run, suggested in zip(
        nothing_trained, remedies_of_each(nothing_trained, only_failed), strict=True
    ):
        assert all(remedy.trial_id is None for remedy in suggested), run
