"""Widths of hidden layers as a setting's text."""

import re
from dataclasses import replace

import pytest

from core.hidden_widths import (
    goes_with,
    hidden_widths_text,
    listed_widths,
    units_of_hidden,
)
from core.settings import trial_id

from .trials import make_trial


@pytest.mark.parametrize(
    ("written", "width", "text", "depth"),
    [
        ([128, 64, 32], 128, "128-64-32", 4),
        ([3, 9, 9], 9, "3-9-9", 4),
        ([64, 64, 64], 64, "equal", 4),
        ([500], 500, "equal", 2),
    ],
)
def test_a_list_is_three_settings(written, width, text, depth):
    """And they are the list again; equally wide layers need no text."""
    assert listed_widths(written) == {"width": width, "hidden_widths": text, "depth": depth}
    assert units_of_hidden(width, depth, text) == written
    asked = {} if text == "equal" else {"width": width, "depth": depth, "residual": "none"}
    assert goes_with(text) == asked


@pytest.mark.parametrize("written", [[], [0], [8, 10**5 + 1], [True, 8], [8.0, 4], ["8", 4], [[8]]])
def test_what_is_no_list_of_widths_is_refused(written):
    """With what there must be."""
    with pytest.raises(ValueError, match=r"width of each hidden layer, .* from 1 to 100,000"):
        listed_widths(written)


@pytest.mark.parametrize(
    "written", ["", "64", "64-64", "64-", "-64-32", "64x32", "8-0", 64, [8, 4]]
)
def test_what_is_no_text_of_widths_that_differ_is_refused(written):
    """What has a form has one only."""
    with pytest.raises(ValueError, match="width"):
        hidden_widths_text(written)
    assert hidden_widths_text("064-32") == "64-32"


def test_settings_that_do_not_agree_make_no_network():
    """Both are named."""
    said = "hidden_widths: 8-4 goes with width 8 and depth 3, got 8 and 4"
    with pytest.raises(ValueError, match=re.escape(said)):
        units_of_hidden(8, 4, "8-4")


def test_equal_widths_have_the_ids_that_they_had():
    """The setting is a part of the id only where layers differ."""
    trial = make_trial(width=6, depth=3)
    assert trial_id(trial) == "40bfca23a291a10841b84e02"
    ids = {trial_id(replace(trial, hidden_widths=text)) for text in ("6-4", "4-6", "equal")}
    assert len(ids) == 3
