"""Coarse to fine: the ends and the middle of an axis first, then what lies between."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.trials import SETTINGS
from pipeline.grids.coarse_to_fine import axis_levels, levels_of_places


@pytest.mark.parametrize(
    ("count", "levels"),
    [
        (1, [0]),
        (2, [0, 0]),
        (3, [0, 0, 0]),
        (5, [0, 1, 0, 1, 0]),
        (9, [0, 2, 1, 2, 0, 2, 1, 2, 0]),
    ],
)
def test_each_level_halves_what_lies_between(count, levels):
    """By hand, where it comes out even."""
    assert levels_of_places(count).tolist() == levels


@given(st.integers(2, 5000))
def test_no_level_leaves_a_gap_much_wider_than_another(count):
    """Whatever the number: the ends are there, and gaps are half as wide as a level before."""
    levels = levels_of_places(count)
    for level in range(levels.max() + 1):
        places = np.flatnonzero(levels <= level)
        assert (places[0], places[-1]) == (0, count - 1)
        assert np.diff(places).max() <= np.ceil((count - 1) / 2 ** (level + 1))
    assert len(np.unique(levels)) == levels.max() + 1


def test_numbers_are_taken_by_size():
    """However their axis is written."""
    rates = (0.3, 100.0, 0.1, 1.0, 10.0)
    assert axis_levels(rates, SETTINGS["learning_rate"]).tolist() == [1, 0, 0, 0, 1]


def test_seeds_double_and_names_come_at_once():
    """Seeds are as good as one another; between names there is nothing."""
    assert axis_levels((7, 3, 9, 1, 2), SETTINGS["seed"]).tolist() == [0, 1, 2, 2, 3]
    names = ("linear", "tanh", "erf", "relu", "gelu")
    assert axis_levels(names, SETTINGS["activation"]).tolist() == [0] * 5
