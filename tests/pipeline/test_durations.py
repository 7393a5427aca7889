"""Durations are read as people write them, and written as they were meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.notation.durations import about, exact_words, rate, written_seconds

WRITTEN = {
    "90s": (90, "1 min 30 s"),
    "20m": (1200, "20 min"),
    "1.5h": (5400, "1 h 30 min"),
    "1h30m": (5400, "1 h 30 min"),
    " 1H30M ": (5400, "1 h 30 min"),
    "0.5s": (0.5, "0.5 s"),
    "1.1h": (3960, "1 h 6 min"),
    "2000h": (7_200_000, "2,000 h"),
}


@pytest.mark.parametrize(("text", "meant"), WRITTEN.items())
def test_hours_minutes_and_seconds_are_read(text, meant):
    """Alone or together, with a point or without; said again they are what was meant."""
    seconds, words = meant
    assert written_seconds(text) == seconds
    assert exact_words(seconds) == words


NONE = ["20", "", "0s", "-5m", "h", "1m1h", "5 minutes", "1e3s", "0.0001s", "9" * 400 + "h", "٣m"]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_duration_is_refused_with_the_forms(text):
    """A number without a unit above all: 20 of what?"""
    with pytest.raises(ValueError, match=r"is no duration; write it as 90s, 20m, 1\.5h or 1h30m"):
        written_seconds(text)


@given(st.integers(1, 10**7))
def test_no_second_is_lost_in_words(seconds):
    """Read again, the words are the duration."""
    text = exact_words(seconds).replace(",", "").replace("min", "m").replace(" ", "")
    assert written_seconds(text) == seconds


def test_a_rough_duration_has_the_unit_that_suits_it():
    """Two or three digits."""
    assert [about(s) for s in (0.4, 40, 89, 720, 11_520)] == [
        "0 s",
        "40 s",
        "89 s",
        "12 min",
        "3.2 h",
    ]


def test_a_slow_rate_is_not_zero():
    """Two digits are enough below ten."""
    assert [rate(count, 100.0) for count in (123_400, 1000, 999, 120, 3)] == [
        "1,234",
        "10",
        "10",
        "1.2",
        "0.03",
    ]
