"""Which cells are run: `where:` in a sweep file, as YAML reads it."""

import pytest
from pydantic import TypeAdapter

from pipeline.notation import strict_yaml
from pipeline.sweep_files.condition_texts import ConditionText
from pipeline.sweep_files.loading import SweepFileError


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("depth < 4", "depth < 4"),
        ("learning_rate * depth < 1  # small steps", "learning_rate * depth < 1"),
        ("depth in (2, 8) or seed == 1", "depth in (2, 8) or seed == 1"),
        ("activation == 'tanh'", "activation == 'tanh'"),
        ("\"activation == 'tanh'\"", "activation == 'tanh'"),
        ("[depth < 4]", "depth < 4"),
        ("[depth < 4, seed == 0 or width > 1]", "(depth < 4) and (seed == 0 or width > 1)"),
        ("\n  - depth in (2, 8)\n  - seed == 0", "(depth in (2, 8)) and (seed == 0)"),
        ("['depth < 4 # few', 'seed == 0 # one']", "(depth < 4) and (seed == 0)"),
        ("depth < 4\n  or seed == 0", "depth < 4 or seed == 0"),
        (">\n  depth < 4 or\n  dataset == 'a: #b'", "depth < 4 or dataset == 'a: #b'"),
        ("|\n  depth < 4 or\n  seed == 0", "depth < 4 or seed == 0"),
    ],
)
def test_a_condition_or_several_that_all_hold_are_one_text(written, text):
    """On one line or more, with and without quotes."""
    written = strict_yaml.parse(f"where: {written}")["where"]
    assert TypeAdapter(ConditionText).validate_python(written) == text


def test_without_a_condition_every_cell_is_run(write_sweep):
    """Then there is no text."""
    assert write_sweep().grid.where is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("true", "where: must be text, got True; a condition on a cell's settings, as in where: l"),
        ("8", "where: must be text, got 8; a condition"),
        ("[depth < 4, 8]", "where: must be text, got ['depth < 4', 8]; a condition"),
        (
            "['depth < 8) or (width > 9', 'seed == 0']",
            "where: cannot be read: 'depth < 8) or (width > 9', got ",
        ),
        ("['depth = 8', 'seed == 0']", "where: cannot be read: 'depth = 8', got "),
        ("[]", "where: must have a condition at least, got []; a condition"),
        ("", "where: is empty to YAML, got None; a condition"),
        (
            "# depth < 8",
            "one that YAML cuts at a colon, a # or a comma goes on lines of its own bel",
        ),
        ("{depth: 8}", "where: is a mapping to YAML; == compares, got {'depth': 8}; a condition"),
        ("\n  - seed: 0", "where: is a mapping to YAML; == compares, got [{'seed': 0}]"),
        (
            "dataset == 'a #b'",
            "where: opens ' and does not close it, got \"dataset == 'a\"; a cond",
        ),
        ("[depth in (2, 8)]", "where: opens ( and does not close it, got ['depth in (2', '8)']; a"),
        (
            "dataset == 'a: b'",
            "a colon before a space begins a mapping: put text that has one in qu",
        ),
        (
            "'tanh' == activation",
            "text that begins with a quote ends with it: put all of it in quo",
        ),
        (
            "[depth in [2, 8]]",
            "text with a bracket in a list goes in quotes, or on a line of its ow",
        ),
    ],
)
def test_what_yaml_makes_of_a_condition_is_said(write_sweep, written, said):
    """Where it is no text, or not all of it."""
    with pytest.raises(SweepFileError) as error:
        write_sweep(where=written)
    assert said in str(error.value)


@pytest.mark.parametrize("written", ["dpeth < 8", "depth <", "depth = 8"])
def test_what_is_no_condition_is_said_with_file_and_field(write_sweep, tmp_path, written):
    """Before anything is run."""
    with pytest.raises(SweepFileError) as error:
        write_sweep(where=written)
    assert str(error.value).startswith(f"{tmp_path / 'sweep.yaml'}: where: ")


def test_a_condition_that_holds_nowhere_is_said(write_sweep):
    """There would be nothing to run."""
    with pytest.raises(SweepFileError, match=r"where: .*depth > 99"):
        write_sweep(where="depth > 99")


def test_what_a_condition_leaves_out_need_not_fit_the_data(write_sweep):
    """As with a loss for each data set; what it leaves in must."""
    axes = {"dataset": "[digits, diabetes]", "loss": "[cross_entropy, mse]"}
    kept = write_sweep(**axes, where="dataset == 'digits' or loss == 'mse'").grid
    assert kept.size == 3 * 192
    with pytest.raises(SweepFileError, match="loss: diabetes has numbers as targets, no classes"):
        write_sweep(**axes, where="dataset == 'digits' or loss == 'cross_entropy'")
