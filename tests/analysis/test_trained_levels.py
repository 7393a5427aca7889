"""The trained level of runs, and its words."""

import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.trained_levels import level_by_run, level_words, require_level


@pytest.mark.parametrize(
    ("levels", "words"),
    [([0.1, 0.1], "10%"), ([0.5, 0.1, 0.3], "10% to 50%"), ([0.025], "2.5%"), ([0.07], "7%")],
)
def test_the_levels_of_runs_in_words(make_runs, levels, words):
    """One where they agree, else the lowest and the highest."""
    assert level_words(make_runs(trained_level=levels)) == words


def test_a_run_of_before_there_was_a_level_has_the_default(make_runs):
    """Whether its column is missing, or its value."""
    runs = make_runs(outcome=["slow", "trained"])
    assert level_by_run(runs).tolist() == [0.1, 0.1]
    assert level_by_run(runs.assign(trained_level=[None, 0.5])).tolist() == [0.1, 0.5]
    assert level_words(runs) == "10%"


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 50.0, float("nan"), float("inf")])
def test_a_level_that_is_no_share_below_one_is_refused(level):
    """With its value and an example."""
    with pytest.raises(UnsuitableRunsError, match=r"above 0 and below 1, got .*--trained-level 0"):
        require_level(level)


def test_any_share_between_is_a_level():
    """However near to an end."""
    for level in (1e-300, 0.5, 1 - 2**-53):
        require_level(level)
        assert level_words(pd.DataFrame({"trained_level": [level]})).endswith("%")
