"""Axes that move together: `zip:` in a sweep file."""

import pytest

from pipeline.sweep_files.axis_groups import moving_with, names_in
from pipeline.sweep_files.loading import SweepFileError


def test_axes_in_a_group_move_together(write_sweep):
    """As many cells as one of them has values; all other axes go with each."""
    grid = write_sweep(zip="[depth, init_scale]", depth="[2, 4, 8, 16]").grid
    assert grid.together == (("depth", "init_scale"),)
    assert grid.size == 4 * 2 * 6 * 2


def test_there_may_be_several_groups(write_sweep):
    """Each moves on its own."""
    grid = write_sweep(zip="[[depth, activation], [seed, width]]", width="[6, 8]").grid
    assert grid.together == (("depth", "activation"), ("seed", "width"))
    assert grid.size == 2 * 2 * 4 * 6


def test_values_repeat_in_a_group(write_sweep):
    """The pairs are different; a range of whole numbers is as long as it says."""
    axes = write_sweep(zip="[depth, init_scale]", depth="[2, 2, 4, 4]").grid.axes
    assert axes["depth"] == (2, 2, 4, 4)
    depths = "{geomspace: [1, 3, 6]}"
    axes = write_sweep(zip="[depth, learning_rate]", depth=depths).grid.axes
    assert axes["depth"] == (1, 1, 2, 2, 2, 3)
    assert write_sweep(depth=depths).grid.axes["depth"] == (1, 2, 3)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "depth",
            "zip: must be a list of two axes or more, or several such lists, got 'depth'; ax",
        ),
        ("[depth]", "zip: must be a list of two axes or more"),
        ("[]", "zip: must be a list of two axes or more"),
        ("", "got None; axes that move together, as in zip: [depth, learning_rate]"),
        ("true", "zip: must be a list of two axes or more"),
        ("[2, 3]", "zip: must be a list of two axes or more"),
        ("{depth: seed}", "zip: must be a list of two axes or more"),
        ("[[depth, seed], steps]", "zip: must be a list of two axes or more"),
        ("[depth, seeed]", "zip: seeed: no such field; did you mean seed?"),
        ("[depth, lr]", "zip: lr: no such field; phasesweep calls it learning_rate"),
        (
            "[depth, width]",
            "zip: width has one value, 6, and does not move; the axes of this sweep",
        ),
        ("[depth, target]", "zip: target is no axis; the axes of this sweep are depth, activation"),
        ("[depth, measure]", "zip: measure is a list and no axis; the axes of this sweep are dep"),
        ("[depth, depth]", "zip: depth is named twice; an axis moves in one group: name it once"),
        ("[[depth, seed], [activation, depth]]", "zip: depth is named twice"),
        (
            "[depth, learning_rate, init_scale]",
            "zip: depth has 2 values, learning_rate 6, init_scale 4; axes that move together need ",
        ),
    ],
)
def test_what_cannot_move_together_is_refused(write_sweep, written, said):
    """With the axis, and both lengths where they differ."""
    with pytest.raises(SweepFileError) as error:
        write_sweep(zip=written, measure="[signal, sharpness]")
    assert said in str(error.value)


def test_a_combination_is_listed_once(write_sweep):
    """It would be the same cells twice."""
    with pytest.raises(SweepFileError, match="zip: depth: 2, seed: 0 is listed twice; each comb"):
        write_sweep(zip="[depth, seed]", depth="[2, 3, 2]", seed="[0, 1, 0]")


def test_data_sets_move_with_their_numbers_of_examples(write_sweep):
    """Each may have its own, all of it for one; what one has too few of, another may have."""
    together = {"zip": "[dataset, examples]", "dataset": "[digits, wine]"}
    assert write_sweep(**together, examples="[1000, 178]").grid.size == 2 * 192
    assert write_sweep(**together, examples="all").grid.axes["examples"] == (1797, 178)
    twice = {"dataset": "[wine, digits, wine]", "depth": "[2, 4, 8]"}
    axes = write_sweep(**twice, examples="all", zip="[dataset, examples, depth]").grid.axes
    assert axes["examples"] == (178, 1797, 178)
    with pytest.raises(SweepFileError, match="examples: wine has 178 examples, got 1,000; set"):
        write_sweep(**together, examples="[178, 1000]")


def test_a_file_moves_as_the_data_set_that_it_is(write_sweep, tmp_path):
    """It may stand there twice then, with another number of examples."""
    (tmp_path / "a.csv").write_text("x,target\n1,a\n2,b\n3,a\n4,b\n5,b\n")
    sweep = write_sweep(
        "depth: 2\nactivation: tanh\nlearning_rate: 1",
        file="[a.csv, a.csv]",
        examples="[4, 5]",
        zip="[file, examples]",
    )
    (name,) = sweep.data_files
    assert sweep.grid.axes["dataset"] == (name, name)
    assert sweep.grid.together == (("dataset", "examples"),)


def test_a_loss_moves_with_the_data_that_it_is_for(write_sweep):
    """Only the combinations that are cells must fit."""
    axes = {"dataset": "[digits, diabetes]", "loss": "[cross_entropy, mse]"}
    assert write_sweep(zip="[dataset, loss]", **axes).grid.size == 2 * 192
    with pytest.raises(SweepFileError, match="loss: diabetes has numbers as targets, no classes"):
        write_sweep(**axes)
    with pytest.raises(SweepFileError, match="loss: diabetes has numbers as targets, no classes"):
        write_sweep(zip="[dataset, loss]", **axes | {"loss": "[mse, cross_entropy]"})


def test_the_others_of_a_group_are_found():
    """None for an axis that moves alone."""
    groups = (("depth", "steps", "seed"), ("width", "loss"))
    assert moving_with("steps", groups) == ["depth", "seed"]
    assert moving_with("stop", groups) == []


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (["depth", "steps"], {"depth", "steps"}),
        ([["depth", "steps"], "width"], {"depth", "steps", "width"}),
        (["file", "steps"], {"file", "dataset", "steps"}),
        ({"depth": 3}, set()),
        (None, set()),
    ],
)
def test_names_are_found_in_whatever_stands_there(written, names):
    """So that a mistake in `zip:` alone is said, not that values of its axes repeat."""
    assert names_in(written) == names
