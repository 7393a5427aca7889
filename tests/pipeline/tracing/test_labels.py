"""Labels of rows, and of vertices whose seeds disagree."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from core.training import FULLY_CONNECTED
from pipeline.tracing.labels import UNDECIDED, UNKNOWN, labelings, majorities

ONE_STANDARD_ERROR = float(np.diff(stats.norm.cdf([-1, 1]))[0])


def labels(name, values):
    return labelings(FULLY_CONNECTED)[name].labels(pa.array(values)).tolist()


def test_every_column_of_names_or_truths_can_be_traced():
    assert set(labelings(FULLY_CONNECTED)) == {
        "outcome", "cause", "init_phase", "fractal_converged", "trained", "diverged",
    }  # fmt: skip


def test_rows_have_the_label_of_what_is_traced():
    """An overflow has diverged too; NULL is a label of its own."""
    outcomes = ["trained", "overflow", "slow", "diverged"]
    assert len(set(labels("outcome", outcomes))) == 4
    trained, diverged = labels("trained", outcomes), labels("diverged", outcomes)
    assert [each == trained[0] for each in trained] == [True, False, False, False]
    assert [each == diverged[1] for each in diverged] == [False, True, False, True]
    assert len(set(labels("fractal_converged", [True, False, None]))) == 3
    assert len(set(labels("init_phase", ["vanishing", "critical", "exploding", None]))) == 4


def test_a_single_seed_decides():
    votes = np.array([[0], [1], [UNKNOWN]], np.int8)
    assert majorities(votes, 2).tolist() == [0, 1, UNKNOWN]


@pytest.mark.parametrize("seeds", [2, 3, 5, 8, 20])
def test_a_share_close_to_one_half_is_undecided(seeds):
    """Exactly where the Wilson interval of one standard error contains one half."""
    for ones in range(seeds + 1):
        votes = np.array([[1] * ones + [0] * (seeds - ones)], np.int8)
        test = stats.binomtest(ones, seeds)
        interval = test.proportion_ci(ONE_STANDARD_ERROR, method="wilson")
        straddles = interval.low < 0.5 - 1e-9 and interval.high > 0.5 + 1e-9
        expected = UNDECIDED if straddles else int(2 * ones > seeds)
        assert majorities(votes, 2).tolist() == [expected]


def test_seeds_that_are_missing_do_not_vote():
    votes = np.array([[2, UNKNOWN, 2], [UNKNOWN] * 3, [0, 1, 2]], np.int8)
    assert majorities(votes, 3).tolist() == [2, UNKNOWN, UNDECIDED]
