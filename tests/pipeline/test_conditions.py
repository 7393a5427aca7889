"""Conditions on a cell's settings: what they mean, and what is said where they mean nothing."""

from dataclasses import dataclass

import numpy as np
import pytest

from core.settings import setting, settings_of
from core.trials import Trial
from pipeline.grids.condition_terms import ConditionError
from pipeline.grids.conditions import MOST_LETTERS, conditions
from pipeline.grids.grid import Grid

AXES = {
    "depth": (2, 4, 7, 30),
    "width": (1, 8, 64),
    "activation": ("tanh", "relu", "gelu"),
    "init_scale": (0.0, 0.5, 1.41421356237),
    "learning_rate": (1e-4, 0.1, 3.0),
    "seed": (0, 2**62, 2**62 + 1),
}


@pytest.fixture
def cells(grid_of):
    """Says of a condition which cells it leaves in, as dictionaries."""
    axes = grid_of(**AXES).axes

    def kept(where):
        grid = Grid(Trial, axes, where=where)
        return [{name: getattr(trial, name) for name in AXES} for trial in grid]

    return kept


@pytest.mark.parametrize(
    "where",
    [
        "learning_rate * depth < 1",
        "depth == 4 or width >= 8 and not activation == 'tanh'",
        "(depth == 4 or width >= 8) and activation != 'tanh'",
        "2 < depth <= 7 < width",
        "depth % 2 == 0 and depth // 4 > 0",
        "depth in [2, 30] and activation in ('relu', 'gelu')",
        "activation not in ['relu'] and width not in {8, 64}",
        "init_scale ** 2 * depth > 1 - -1",
        "abs(init_scale - 1) / 2 <= 0.25 + depth - depth",
        "seed == 4611686018427387905",
        "seed % 2 == 1",
        "seed // 2 == 2305843009213693952 and seed > 0",
        "depth > +2",
        "seed > 4611686018427387904 or seed < 1.5",
        "(depth > 2) == (width > 8)",
        "(depth > 2) != False",
    ],
)
def test_a_condition_means_what_it_means_in_python(cells, where):
    """Of all cells those stay for which it holds."""
    everything = cells(None)
    expected = [cell for cell in everything if eval(where, {}, dict(cell))]
    assert sorted(map(repr, cells(where))) == sorted(map(repr, expected))
    assert 0 < len(expected) < len(everything)


@pytest.mark.parametrize("function", ["exp", "log", "log10", "log2", "sqrt", "abs"])
def test_functions_are_numpys(cells, function):
    """Also where they have no value: a comparison with none does not hold."""
    found = {cell["init_scale"] for cell in cells(f"{function}(init_scale) < 0.1")}
    with np.errstate(all="ignore"):
        assert found == {s for s in AXES["init_scale"] if getattr(np, function)(s) < 0.1}


@pytest.mark.parametrize(
    ("where", "scales"),
    [
        ("init_scale == 2 ** 0.5", {1.41421356237}),
        ("init_scale != sqrt(2)", {0.0, 0.5}),
        ("init_scale < sqrt(2)", {0.0, 0.5}),
        ("init_scale <= sqrt(2)", {0.0, 0.5, 1.41421356237}),
        ("init_scale > sqrt(2)", set()),
        ("init_scale >= sqrt(2)", {1.41421356237}),
        ("init_scale in [sqrt(2)]", {1.41421356237}),
        ("init_scale < 0.5000001", {0.0, 0.5}),
        ("init_scale == 'he'", {1.41421356237}),
        ("'he' != init_scale", {0.0, 0.5}),
    ],
)
def test_numbers_that_differ_by_rounding_are_the_same(cells, where, scales):
    """Values are written with 12 digits; a name for one stands for it."""
    assert {cell["init_scale"] for cell in cells(where)} == scales


@pytest.mark.parametrize(
    ("where", "rates"),
    [
        ("learning_rate % 0.1 == 0", {0.1, 0.2, 0.3, 0.7}),
        ("learning_rate // 0.1 == 3", {0.3, 0.35}),
        ("learning_rate // 0.1 == 2", {0.2}),
        ("log(learning_rate) / log(10) % 1 == 0", {1e-4, 0.1}),
        ("learning_rate ** 3 * init_scale ** 3 == 2e-8", {0.00215443469003}),
        ("learning_rate * 3 - 0.3 == 0", {0.1}),
        ("0.2 < learning_rate + 0.1 and learning_rate * 3 - 0.9 <= 0", {0.2, 0.3}),
        ("-0.3 + 3 * learning_rate > 0 and learning_rate < 0.3", {0.2}),
    ],
)
def test_rounding_moves_no_cell_over_an_edge(grid_of, where, rates):
    """A quotient that is whole but for rounding is whole; a sum that is 0 but for it is 0."""
    axes = {"learning_rate": (1e-4, 0.00215443469003, 0.1, 0.2, 0.3, 0.35, 0.7)}
    axes = grid_of(**axes, init_scale=(1.25992104989,)).axes
    assert {trial.learning_rate for trial in Grid(Trial, axes, where=where)} == rates


def test_a_value_may_be_called_as_in_a_sweep_file(cells):
    """In any of its spellings, beside a setting that takes it."""
    assert {cell["activation"] for cell in cells("activation == 'ReLU'")} == {"relu"}
    assert len(cells("activation != 'Swish'")) == len(cells(None))


def test_conditions_are_split_at_and(grid_of):
    """Each on its own settings, so that axes which it does not name stay free."""
    text = "(depth < 8 and width > 1) and (seed == 0 or not (depth == 2 and seed == 1))"
    found = conditions(text, grid_of(**AXES).axes, settings_of(Trial))
    assert [each.names for each in found] == [("depth",), ("width",), ("depth", "seed")]


@dataclass(frozen=True, kw_only=True)
class Switched:
    """A trial with a setting that is true or false."""

    fast: bool = setting("whether it is fast")
    size: int = setting("its size", differs_within="batch")


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("fast", 2),
        ("not fast", 2),
        ("fast == true", 2),
        ("fast or size > 1", 3),
        ("false or size == 1", 2),
    ],
)
def test_a_setting_that_is_true_or_false_is_a_condition(where, kept):
    """By itself, or compared; YAML's spelling is understood."""
    grid = Grid(Switched, {"fast": (False, True), "size": (1, 2)}, where=where)
    assert grid.size == kept


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("depth <", "cannot be read, got 'depth <'; a condition compares settings and numbers"),
        (
            "depth = 8",
            "cannot be read, got 'depth = 8'; two settings or numbers are compared by ==",
        ),
        ("depth >= 2 adn width > 3", "cannot be read, got 'depth >= 2 adn width > 3'; a condition"),
        ("depth => 8", "cannot be read, got 'depth => 8'; write >= and <="),
        ("depth < 8 AND seed == 0", "write `and`, `or`, `not` and `in` in small letters"),
        ("depth <> 8", "write != for <>"),
        (
            "seed * 2 > 4",
            "whole numbers beyond 9,007,199,254,740,992, got 'seed * 2'; compare",
        ),
        ("depth < 8 && seed == 0", "&& seed == 0'; write `and` for && and `or` for ||"),
        ("depth\x00", "cannot be read, got"),
        ("depth < 8 & seed == 0", "got '8 & seed'; write `and` for &"),
        ("(depth < 8) | (seed == 0)", "write `or` for |"),
        ("depth ^ 2 < 8", "write ** for a power"),
        ("depth is 8", "is no condition, got 'depth is 8'; values are compared by =="),
        ("dpeth < 8", "is no setting, got 'dpeth'; did you mean depth?"),
        ("dropout < 8", "is no setting, got 'dropout'; the settings are dataset, examples, "),
        ("activation == tanh", "is no setting, got 'tanh'; the settings are dataset,"),
        ("activation == 'tahn'", "is no activation, got \"'tahn'\"; did you mean 'tanh'?"),
        ("activation in ['tanh', 'x']", "is no activation, got \"'x'\"; its values are 'linear', "),
        ("dataset == 'iris'", "is no dataset, got \"'iris'\"; its values are 'digits'"),
        ("init_scale == 'hee'", "compares a number with text, got \"init_scale == 'hee'\""),
        ("activation < 'tanh'", "puts text in an order, got \"activation < 'tanh'\"; == and !="),
        ("activation == 3", "compares text with a number, got 'activation == 3'"),
        ("depth + 'a' > 2", "is not a number, got \"'a'\""),
        ("depth or seed", "is not a condition, got 'depth'"),
        ("not depth", "is not a condition, got 'depth'"),
        ("depth", "compares nothing, got 'depth'; a condition compares settings and numbers"),
        ("1 < 2", "names no setting, got '1 < 2'; the settings are dataset,"),
        ("depth < 8 and 1 < 2", "names no setting, got '1 < 2'"),
        ("measure == 'signal'", "is a list and no axis, got 'measure'; a condition is on"),
        ("depth in 8", "has no list after `in`, got 'depth in 8'; write it as in depth in [2, 8]"),
        ("depth in []", "has no list after `in`, got 'depth in []'"),
        ("depth < 1j", "is neither a number nor text, got '1j'"),
        ("depth < None", "is neither a number nor text, got 'None'"),
        ("depth < 1" + "0" * 400, "is neither a number nor text"),
        ("max(depth, 2) < 8", "is no condition, got 'max(depth, 2)'"),
        ("depth.real < 8", "is no condition, got 'depth.real'"),
        ("__import__('os').system('true') == 0", "is no condition, got"),
        ("(lambda: depth)() < 8", "is no condition, got '(lambda: depth)()'"),
        ("[depth for depth in [1]] == 1", "is no condition, got"),
        ("depth < 8 " + "or depth < 8 " * 2000, f"has more than {MOST_LETTERS:,} letters"),
        ("not " * 490 + "depth < 8", "nested too deeply; give a list of conditions"),
        ("(" * 300 + "depth < 8" + ")" * 300, "cannot be read, got"),
    ],
)
def test_what_is_no_condition_is_refused(cells, where, said):
    """With what is wrong, where, and what to write; nothing of it is ever run as Python."""
    with pytest.raises(ConditionError) as error:
        cells(where)
    assert said in str(error.value)


def test_a_condition_may_not_tie_more_than_can_be_tried(grid_of):
    """With the axes that it ties; those that it does not name may be of any length."""
    long = {"depth": range(2, 3002), "width": range(1, 3001), "seed": range(10**6)}
    axes = grid_of(**long).axes
    said = (
        r"^ties 9,000,000 combinations of depth \(3,000\), width \(3,000\), more than 5,000,000; "
    )
    with pytest.raises(ConditionError, match=said):
        Grid(Trial, axes, where="depth < width")
    assert Grid(Trial, axes, where="depth < 4 and width < 3").size == 2 * 2 * 10**6
