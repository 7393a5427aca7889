"""An axis: one value, a list or a range, as distinct values."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.notation.axis_values import Counts, Names, Numbers

names = TypeAdapter(Names[str]).validate_python
counts = TypeAdapter(Counts[int]).validate_python
numbers = TypeAdapter(Numbers[float]).validate_python


def test_one_value_is_an_axis_of_one():
    """No brackets needed."""
    assert names("tanh") == ("tanh",)
    assert counts(3) == (3,)
    assert numbers(0.5) == (0.5,)


def test_a_list_keeps_its_order():
    """The grid's order is the file's."""
    assert names(["tanh", "relu", "elu"]) == ("tanh", "relu", "elu")
    assert counts([32, 2, 8]) == (32, 2, 8)


def test_ranges_hold_both_ends():
    """Geometric and linear, one value included."""
    assert numbers({"geomspace": [0.25, 4, 5]}) == (0.25, 0.5, 1.0, 2.0, 4.0)
    assert numbers({"linspace": [-1, 1, 3]}) == (-1.0, 0.0, 1.0)
    assert numbers({"linspace": [3, 9, 1]}) == (3.0,)


def test_range_values_have_12_digits():
    """So that a trial's id does not hang on the last bit of a processor's exp."""
    assert numbers({"geomspace": [1e-4, 10, 16]})[1] == 0.000215443469003


def test_exponents_without_a_point_are_numbers():
    """YAML reads 1e-4 as text; the field's reader need not know."""
    assert numbers({"geomspace": ["1e-4", "1e2", 2]}) == (1e-4, 100.0)


def test_a_range_of_counts_is_whole_numbers_each_once():
    """A geometric range of small counts rounds neighbors to the same one."""
    assert counts({"geomspace": [1, 8, 7]}) == (1, 2, 3, 4, 6, 8)
    assert counts({"linspace": [0, 1, 5]}) == (0, 1)


def test_a_negative_zero_is_zero():
    """They are equal, and must not be hashed to two ids."""
    assert math.copysign(1, numbers(-0.0)[0]) == 1
    with pytest.raises(ValidationError, match="listed twice"):
        numbers([0.0, -0.0])


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([], "needs a value at least"),
        (True, "must not be true or false"),
        ([0.1, False], "must not be true or false"),
        ([0.1, 0.2, 0.1], "0.1 is listed twice"),
        ([1, 1.0], "1.0 is listed twice"),
        ([[0.1]], "valid number"),
        ({}, "a range is {geomspace"),
        ({"logspace": [1, 2, 3]}, "a range is {geomspace"),
        ({"geomspace": [1, 2]}, "a range is {geomspace"),
        ({"geomspace": [1, 2, 3], "linspace": [1, 2, 3]}, "a range is {geomspace"),
        ({"geomspace": 3}, "a range is {geomspace"),
        ({"linspace": [1, None, 3]}, "a range needs three numbers"),
        ({"linspace": [1, 10**400, 3]}, "a range needs three numbers"),
        ({"linspace": [1, 2, math.nan]}, "a range needs three numbers"),
        ({"linspace": [1, 2, True]}, "must not be true or false"),
        ({"linspace": [math.nan, 2, 3]}, r"ends within \+-1e\+100"),
        ({"linspace": [1, math.inf, 3]}, r"ends within \+-1e\+100"),
        ({"linspace": [-1.7e308, 1.7e308, 3]}, r"ends within \+-1e\+100"),
        ({"geomspace": [0, 1, 3]}, "two ends above 0; use linspace"),
        ({"geomspace": [-1, -2, 3]}, "two ends above 0"),
        ({"linspace": [1, 2, 0]}, "1 to 1,000,000 values"),
        ({"linspace": [1, 2, 2.5]}, "1 to 1,000,000 values, a whole number"),
        ({"linspace": [1, 2, 1_000_001]}, "1 to 1,000,000 values"),
        ({"linspace": [1, 1, 2]}, "1.0 is listed twice"),
    ],
)
def test_what_is_no_axis_is_refused(written, reason):
    """The error states the rule."""
    with pytest.raises(ValidationError, match=reason):
        numbers(written)


ends = st.floats(1e-6, 1e6)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(ends, ends, st.integers(2, 200), st.sampled_from(["geomspace", "linspace"]))
def test_a_range_runs_from_end_to_end(first, last, count, kind):
    """So many distinct values, rising or falling all the way."""
    assume(not math.isclose(first, last, rel_tol=1e-6))  # 12 digits would not tell them apart
    values = numbers({kind: [first, last, count]})
    assert len(values) == count
    assert math.isclose(values[0], first, rel_tol=1e-11)
    assert math.isclose(values[-1], last, rel_tol=1e-11)
    assert list(values) == sorted(values, reverse=first > last)
