"""Lists in the place of values: `width: [[128, 64, 32]]`."""

import pytest

from core.training import FULLY_CONNECTED
from pipeline.sweep_files.listed_values import spelled_out
from pipeline.sweep_files.loading import SweepFileError

SWEEP = """
name: small
dataset: digits
activation: tanh
learning_rate: 0.1
"""
LISTS = "[[8, 4, 2], [6, 6, 6]]"


def shapes(grid):
    return list(dict.fromkeys((t.width, t.hidden_widths, t.depth) for t in grid))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"width": "[[8, 4, 2]]"}, [(8, "8-4-2", 4)]),
        ({"width": LISTS}, [(8, "8-4-2", 4), (6, "equal", 4)]),
        ({"width": "[[4, 8], [8, 4], [8, 8]]"}, [(8, "4-8", 3), (8, "8-4", 3), (8, "equal", 3)]),
        ({"width": "[[6, 6], [4, 4]]"}, [(6, "equal", 3), (4, "equal", 3)]),
        ({"width": "[[9], [8, 4], [6, 6, 6]]"}, [(9, "equal", 2), (8, "8-4", 3), (6, "equal", 4)]),
        ({"width": "[[8, 4, 2], 6]", "depth": "4"}, [(8, "8-4-2", 4), (6, "equal", 4)]),
        (
            {"width": "[[8, 4], 6]", "depth": "[3, 9]", "zip": "[depth, width]"},
            [(8, "8-4", 3), (6, "equal", 9)],
        ),
        (
            {
                "width": "[[8, 4], 6]",
                "depth": "[3, 9]",
                "where": "depth == 3 or hidden_widths == 'equal'",
            },
            [(8, "8-4", 3), (6, "equal", 3), (6, "equal", 9)],
        ),
        (
            {"width": "[[8, 4], [8, 4], 6]", "depth": "3", "zip": "[width, learning_rate]"}
            | {"learning_rate": "[0.1, 0.2, 0.3]"},
            [(8, "8-4", 3), (6, "equal", 3)],
        ),
        ({"hidden_widths": "8-4-2", "width": "8", "depth": "4"}, [(8, "8-4-2", 4)]),
    ],
)
def test_a_list_is_a_network_whose_layers_differ(write_sweep, written, expected):
    """Width, depth and the widths; what they follow from need not be written."""
    grid = write_sweep(SWEEP, **written).grid
    assert sorted(shapes(grid)) == sorted(expected)
    assert grid.size == 3 if "learning_rate" in written else len(expected)


def test_a_list_of_equal_widths_is_the_trial_that_it_was(write_sweep):
    """With the same settings, and so the same id."""
    listed, plain = {"width": "[[6, 6, 6]]"}, {"width": "6", "depth": "4"}
    assert list(write_sweep(SWEEP, **listed).grid) == list(write_sweep(SWEEP, **plain).grid)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            {"width": LISTS, "depth": "5"},
            "width: [8, 4, 2] goes with depth: 4, got depth: 5; set depth: 4",
        ),
        (
            {"width": "[[6, 6]]", "depth": "[3, 5]"},
            "width: [6, 6] goes with depth: 3, got depth: 5",
        ),
        ({"width": "[[8, 4], 6]"}, "depth: is missing; add weight matrices"),
        (
            {"width": "[[8, 4], 6]", "depth": "[9, 3]", "zip": "[depth, width]"},
            "width: [8, 4] goes with depth: 3, got depth: 9",
        ),
        ({"width": "[[8, 4], [8, 4]]"}, "width: [8, 4] is listed twice"),
        ({"width": "[[6, 6], 6]", "depth": "3"}, "width: 6 is listed twice"),
        ({"width": "[[8, -4]]"}, "width: a list in the list has the width of each hidden layer"),
        ({"width": "[[]]"}, "width: a list in the list has the width of each hidden layer"),
        ({"width": "[[[8, 4]]]"}, "width: a list in the list has the width of each hidden layer"),
        ({"width": "[[8, 4], 6.5]", "depth": "3"}, "width: must be a whole number, got 6.5"),
        ({"depth": "[[2, 4]]"}, "depth: must be a whole number"),
        (
            {"width": "[[8, 4]]", "hidden_widths": "equal"},
            "hidden_widths: follows from the lists in width; leave out hidden_widths",
        ),
        (
            {"width": "[[8, 4]]", "residual": "[none, 1]"},
            "hidden_widths: 8-4 goes with residual: none, got residual: 1; set residual: none",
        ),
        (
            {"hidden_widths": "8-4", "width": "6", "depth": "3"},
            "hidden_widths: 8-4 goes with width: 8, got width: 6; set width: 8",
        ),
        (
            {"hidden_widths": "8-8", "depth": "3"},
            "hidden_widths: must be widths of hidden layers that differ, got '8-8'; shorter as wid",
        ),
        ({"width": "[[8, 4], [6, 6]]", "zip": "width"}, "zip: must be a list of two axes or more"),
    ],
)
def test_what_does_not_agree_is_refused(write_sweep, written, said):
    """By the field as it is written, with what to write."""
    with pytest.raises(SweepFileError) as error:
        write_sweep(SWEEP, **written)
    assert f"sweep.yaml: {said}" in str(error.value)


@pytest.mark.parametrize("width", [32, [8, 16], [], None, "x", {"linspace": [1, 2, 2]}])
def test_a_file_without_lists_is_left_as_it_is(width):
    """Whatever stands there is for other checks."""
    content = {"width": width, "depth": [[3]]}
    assert spelled_out(content, FULLY_CONNECTED.settings) == (content, [])
