"""Conditions on runs: they keep what pandas keeps; the error for a wrong one says what to write."""

import pytest

from analysis.reading.conditions import condition
from analysis.reading.stores import UnsuitableRunsError


@pytest.fixture
def some(make_runs):
    """Runs of four depths and learning rates as a geometric axis has them."""
    return make_runs(
        depth=[2, 4, 8, 16],
        learning_rate=[0.1, 0.32987697769322355, 1.0, 1.3195],
        activation=["tanh", "relu", "silu", "leaky_relu"],
        batch_size=[0, 0, 8, 8],
        init_scale=[1.0, 2**0.5, 1.0, 2.0],
        outcome="slow",
    )


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("depth=4", [1]),
        ("depth == 4", [1]),
        ("depth=2,16", [0, 3]),
        ("depth=[2, 16]", [0, 3]),
        ("depth!=2,16", [1, 2]),
        ("depth<8", [0, 1]),
        ("depth<=8", [0, 1, 2]),
        ("depth>4.5", [2, 3]),
        ("depth >= 8", [2, 3]),
        ("learning_rate=0.33", [1]),
        ("learning_rate=1", [2]),
        ("learning_rate=1.32", [3]),
        ("learning_rate=1e-1", [0]),
        ("activation=ReLU", [1]),
        ("activation=Swish,LeakyReLU", [2, 3]),
        ("activation!=tanh", [1, 2, 3]),
        ("batch_size=full", [0, 1]),
        ("batch_size!=full", [2, 3]),
        ("init_scale=he", [1]),
        ("outcome=slow", [0, 1, 2, 3]),
    ],
)
def test_a_condition_keeps_the_runs_that_meet_it(some, text, places):
    """Numbers as figures show them, names as people write them."""
    assert list(condition(text).kept(some).index) == places


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth=5", "no run has depth 5; the nearest are 4 and 8"),
        ("depth=1", "no run has depth 1; the nearest are 2"),
        ("depth!=5", "no run has depth 5; the nearest are 4 and 8"),
        ("learning_rate=0.2", "the nearest are 0.1 and 0.33"),
        ("depth=four", "'four' is no number"),
        ("depth>100", "--where depth>100: no run is left; it has 2, 4, 8, 16"),
        ("activation=tahn", "did you mean tanh"),
        ("activation<tanh", "activation has names and no order; write activation=NAME"),
        ("batch_size=16", "the nearest are 8"),
        ("batch_size>8", "no run is left; it has full, 8"),
        ("dept=2", r"'dept' is no setting of these runs \(did you mean depth\?\)"),
        ("depth", "'depth' is no condition; write one as in --where width=32"),
        ("depth=", "is no condition"),
        ("depth=2,,4", "is no condition"),
        ("depth<2,4", "< takes one number"),
    ],
)
def test_a_wrong_condition_is_told_what_would_do(some, text, message):
    """The values that come nearest, the setting that is meant, an example."""
    with pytest.raises(UnsuitableRunsError, match=message):
        condition(text).kept(some)
