"""The commands `figure`, `table` and `theory`, as a user types them."""

import json

import pytest
from typer.testing import CliRunner

from analysis.named import FIGURES, TABLES
from core.mean_field import critical_weight_variance, mean_field
from pipeline.cli import app


def phasesweep(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["chi", "catapult", "thresholds", "critical_learning_rate"])
def test_a_figure_is_drawn_to_the_path_that_is_printed(store, tmp_path, name):
    """The folder is made; the path stands on stdout."""
    out = tmp_path / "new" / f"{name}.png"
    result = phasesweep("figure", name, store, "--out", out)
    assert (result.exit_code, result.stdout.strip()) == (0, str(out))
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"edge_of_stability"}))
def test_a_table_is_json_on_request(store, name):
    """One document, a list of rows."""
    result = phasesweep("table", name, store, "--format", "json")
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), list)


def test_a_wrong_name_lists_the_right_ones(store):
    """For figures and tables; nothing on stdout."""
    for command, known in (("figure", FIGURES), ("table", TABLES)):
        result = phasesweep(command, "chii", store)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert all(name in result.stderr for name in known)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    """With the remedy, on stderr."""
    result = phasesweep("table", "chi", tmp_path)
    assert result.exit_code == 2
    assert "is no phasesweep store" in result.stderr


def test_theory_prints_the_numbers_of_the_core():
    """--json has every number by name, null where there is none."""
    result = phasesweep(
        "theory", "--activation", "relu", "--weight-variance", 2, "--bias-variance", 0, "--json"
    )
    theory, critical = mean_field("relu", 2.0, 0.0), critical_weight_variance("relu", 0.0)
    assert json.loads(result.stdout) == vars(theory) | {"critical_weight_variance": critical}
    assert json.loads(result.stdout)["q_star"] is None


def test_theory_refuses_what_it_does_not_know():
    """An activation and a variance that do not exist: name, value, remedy."""
    unknown = phasesweep("theory", "--activation", "tahn", "--weight-variance", 1)
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "'tahn' is unknown; choose from" in unknown.stderr
    negative = phasesweep("theory", "--activation", "tanh", "--weight-variance", -1)
    assert negative.exit_code == 2
    assert "weight_variance must lie between" in negative.stderr
