"""The values of a setting: their order, and an even choice of many."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.reading.setting_values import evenly_chosen, is_number, ordered

VALUES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12, unique=True).map(sorted)


@given(VALUES, st.integers(2, 8))
def test_an_even_choice_keeps_the_ends_and_the_order(values, most):
    """All where they fit, else exactly so many, none twice."""
    chosen = evenly_chosen(values, most)
    assert len(chosen) == min(most, len(values))
    assert (chosen[0], chosen[-1]) == (values[0], values[-1])
    assert chosen == sorted(set(chosen) & set(values))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("depth", [8, 2, 8, 4], [2, 4, 8]),
        ("activation", ["tanh", "relu", "tanh"], ["tanh", "relu"]),
        ("seed", [2, 0, 1], [0, 1, 2]),
    ],
)
def test_numbers_ascend_and_names_stay_in_their_order(name, values, expected):
    """As a sweep file lists the names."""
    assert ordered(pd.Series(values, name=name)) == expected


def test_a_seed_is_no_number():
    """No seed is larger than another: none lies twice as far along an axis."""
    assert [is_number(n) for n in ("depth", "init_scale", "seed", "activation")] == [
        True,
        True,
        False,
        False,
    ]
