"""The commands `figure`, `table` and `theory`, as a user types them."""

import json

import pytest
from typer.testing import CliRunner

from analysis.figures.named import FIGURES, TABLES
from core.theory.mean_field import critical_weight_variance, mean_field
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


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"edge_of_stability", "dimension"}))
def test_a_table_is_json_on_request(store, name):
    """One document, a list of rows; of those tables that the small store has."""
    result = phasesweep("table", name, store, "--format", "json")
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), list)


def test_a_table_without_rows_says_so(make_store, runs):
    """And a number that does not exist is no nan."""
    unmeasured = make_store(runs.assign(sharpness=None, critical_learning_rate=None), "unmeasured")
    empty = phasesweep("table", "catapult", unmeasured)
    assert (empty.exit_code, empty.stdout) == (
        0,
        f"no rows: no run in {unmeasured} has what catapult shows\n",
    )
    brackets = phasesweep("table", "critical_learning_rate", unmeasured).stdout
    assert "nan" not in brackets.lower()


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
    assert json.loads(result.stdout) == vars(theory) | {
        "critical_weight_variance": critical,
        "other_limits": [],
    }
    assert json.loads(result.stdout)["q_star"] is None


def test_theory_refuses_what_it_does_not_know():
    """An activation and a variance that do not exist: name, value, remedy."""
    unknown = phasesweep("theory", "--activation", "tahn", "--weight-variance", 1)
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "'tahn' is unknown; did you mean 'tanh'?" in unknown.stderr
    negative = phasesweep("theory", "--activation", "tanh", "--weight-variance", -1)
    assert negative.exit_code == 2
    assert "weight_variance must lie between" in negative.stderr


GELU = ("theory", "--activation", "GELU", "--weight-variance", 2.2)


def test_theory_names_the_other_limit_and_the_inputs_that_end_there():
    """As a sentence and in --json; each is the other's other."""
    unit, small = phasesweep(*GELU), phasesweep(*GELU, "--input-mean-square", 0.27)
    assert "square of the features is below\n0.783, q_star is 0 and chi is 0.55." in unit.stdout
    assert "is above\n0.783, the variance grows without bound and chi is 1.1." in small.stdout
    numbers = json.loads(phasesweep(*GELU, "--json").stdout)
    (other,) = numbers["other_limits"]
    assert (numbers["q_star"], numbers["chi"]) == (None, pytest.approx(1.1))
    assert (other["q_star"], other["chi"]) == (0, pytest.approx(0.55))
    assert (other["smallest_input"], other["largest_input"]) == (0, pytest.approx(0.782924))


def test_theory_says_that_softplus_at_two_has_no_fixed_point():
    """And writes no line of more than 80 characters."""
    setting = ("--weight-variance", 2, "--bias-variance", 0.1)
    told = phasesweep("theory", "--activation", "softplus", *setting).stdout
    assert told.startswith("q_star                            none  ")
    assert max(map(len, told.splitlines())) <= 80


def test_theory_accepts_what_a_linear_regression_starts_from():
    """No weights: everything is forgotten at once, and nothing crashes."""
    result = phasesweep("theory", "--activation", "linear", "--weight-variance", 0, "--json")
    assert (result.exit_code, json.loads(result.stdout)["chi"]) == (0, 0)
