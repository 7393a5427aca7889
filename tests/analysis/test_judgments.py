"""Runs judged at another trained level are what they would be, had they been trained at it."""

import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError, read_runs
from analysis.reading.thresholds import JudgedBy
from analysis.tables.judgments import judged_at, read_judged
from core.outcomes import THRESHOLDS
from core.trials import DEFAULTS, TRIAL_FIELDS

NOT_COMPARED = ["trial_id", "wall_seconds", "batch_id"]
OURS = JudgedBy({None: THRESHOLDS})
SEEDS = "[0, 1, 2]"
LEVELS = (0.02, 0.5, 0.9)


def in_order(runs, dropped=()):
    """The rows in the order of their settings, without what differs from run to run."""
    kept = runs.drop(columns=[*NOT_COMPARED, *dropped])
    return kept.sort_values([n for n in TRIAL_FIELDS if n in kept], ignore_index=True)


@pytest.fixture(scope="module")
def at_level(run_small):
    """Runs of the small sweep with each of LEVELS as their own."""
    return {
        level: read_runs(run_small(trained_level=level, steps=60, seed=SEEDS)) for level in LEVELS
    }


@pytest.fixture(scope="module")
def at_default(run_small):
    """The same at the default level."""
    return read_runs(run_small(steps=60, seed=SEEDS))


@pytest.mark.parametrize("level", LEVELS)
def test_a_run_is_what_training_it_at_the_level_would_say(at_default, at_level, level):
    """Outcome, cause and every other column; some runs do change."""
    judged = judged_at(at_default, level, OURS)
    pd.testing.assert_frame_equal(in_order(judged), in_order(at_level[level]), check_exact=True)
    assert (judged["outcome"] != at_default["outcome"]).sum() > 5
    pd.testing.assert_frame_equal(
        in_order(judged_at(at_level[level], 0.1, OURS)), in_order(at_default), check_dtype=False
    )


def test_without_a_level_the_runs_are_as_recorded(store):
    """And at their own level, too."""
    recorded = read_runs(store)
    bound = THRESHOLDS.diverged_at_end
    pd.testing.assert_frame_equal(read_judged(store), recorded.assign(diverged_at_end=bound))
    pd.testing.assert_frame_equal(judged_at(recorded, 0.1, OURS), recorded)
    for level in (None, 0.5):
        few = read_judged(store, level, ["outcome", "depth"])
        assert list(few) == ["outcome", "depth", "diverged_at_end"]


def test_runs_of_several_levels_become_one_training_each(at_default, at_level):
    """Where the level alone differs, the training is the same and is counted once."""
    mixed = pd.concat([at_level[0.5], at_default, at_level[0.9]], ignore_index=True)
    judged = judged_at(mixed, 0.5, OURS)
    assert len(mixed) == 3 * len(judged)
    pd.testing.assert_frame_equal(in_order(judged), in_order(at_level[0.5]))


def test_an_older_store_is_judged(at_default, at_level, make_store):
    """Its rows lack the later settings, and what was not measured yet."""
    older = make_store(at_default.drop(columns=[*DEFAULTS, "rare_rise", "final_active_fraction"]))
    judged = read_judged(older, 0.5)
    same = judged.set_index("trial_id")["outcome"]
    expected = judged_at(at_default, 0.5, OURS).set_index("trial_id")["outcome"]
    assert same.to_dict() == expected.to_dict()


@pytest.fixture(scope="module")
def decided(run_small):
    """The small sweep, left by what has trained beyond doubt at 0.5."""
    return read_runs(run_small(trained_level=0.5, steps=60, seed=SEEDS, stop="decided"))


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_a_run_that_left_is_trained_at_every_higher_level(decided, at_level, level):
    """As the full runs are."""
    settings = [name for name in TRIAL_FIELDS if name not in ("stop", "trained_level")]
    judged = judged_at(decided, level, OURS).set_index(settings)["outcome"]
    full = at_level[level].set_index(settings)["outcome"]
    assert judged.sort_index().to_dict() == full.sort_index().to_dict()
    assert (decided["steps_run"] < 60).sum() > 20


def test_at_a_lower_level_a_run_that_left_is_refused_with_a_remedy_that_works(decided):
    """Its losses end before anyone could know."""
    with pytest.raises(UnsuitableRunsError, match=r"left once they had trained at 0\.5: nobody"):
        judged_at(decided, 0.3, OURS)
    early = (decided["outcome"] == "trained") & (decided["steps_run"] < 60)
    with pytest.raises(UnsuitableRunsError, match=rf"^{early.sum()} of {len(decided)} runs"):
        judged_at(decided, 0.3, OURS)
    assert len(judged_at(decided, 0.5, OURS)) == len(decided)
    assert len(judged_at(decided[~early], 0.3, OURS)) == len(decided) - early.sum()


def test_a_longer_run_of_the_same_training_speaks_for_one_that_left_early(decided, run_small):
    """Of runs that differ in their level alone, the one of the lowest is looked at."""
    lower = read_runs(run_small(trained_level=0.02, steps=60, seed=SEEDS, stop="decided"))
    judged = judged_at(pd.concat([decided, lower], ignore_index=True), 0.02, OURS)
    assert in_order(judged)["outcome"].tolist() == in_order(lower)["outcome"].tolist()
