"""What lies where: the settings that vary, those asked for, and what is said of the rest."""

from itertools import product

import pandas as pd
import pytest

from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.layouts import MAP, Places, laid_out
from analysis.tables.views import EVERYTHING, View

FIXED = {
    "depth": 2,
    "width": 8,
    "activation": "tanh",
    "init_scale": 1.0,
    "bias_scale": 0.0,
    "learning_rate": 0.1,
    "seed": 0,
    "outcome": "slow",
}
RATES, SCALES = [0.01, 0.1, 1.0], [0.5, 1.0, 2.0]


def grid(**axes):
    """Runs of every combination; other settings have one value."""
    combinations = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
    return combinations.assign(**{n: v for n, v in FIXED.items() if n not in axes})


def names(runs, places=MAP, **asked):
    """The setting in each role."""
    return dict(laid_out(runs, View(**asked), places).names)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({"learning_rate": RATES, "init_scale": SCALES}, "x learning_rate, y init_scale"),
        ({"depth": [2, 4], "width": [8, 16]}, "x width, y depth"),
        ({"bias_scale": [0, 0.1], "init_scale": SCALES}, "x bias_scale, y init_scale"),
        ({"learning_rate": RATES, "seed": [0, 1]}, "x learning_rate, y seed"),
        ({"depth": [2, 4], "init_scale": SCALES}, "x depth, y init_scale"),
        ({"depth": [2, 4], "activation": ["tanh", "relu"]}, "x activation, y depth"),
        ({"width": [8, 16]}, "x width, y init_scale"),
        ({"bias_scale": [0, 0.1]}, "x bias_scale, y init_scale"),
        ({"seed": [0, 1]}, "x seed, y init_scale"),
        ({"activation": ["tanh", "relu"]}, "x activation, y init_scale"),
        ({"steps": [5]}, "x learning_rate, y init_scale"),
        (
            {"learning_rate": RATES, "init_scale": SCALES, "activation": ["tanh", "relu"]},
            "x learning_rate, y init_scale, columns activation",
        ),
        (
            {"learning_rate": RATES, "init_scale": SCALES, "width": [8, 16], "depth": [2, 4]},
            "x learning_rate, y init_scale, columns depth, rows width",
        ),
        (
            {"learning_rate": RATES, "width": [8, 16], "seed": [0, 1]},
            "x learning_rate, y width",
        ),
    ],
)
def test_what_varies_finds_a_place(axes, expected):
    """The usual settings first, any other in their place; seeds only where little else varies."""
    found = names(grid(**axes))
    if found.get("columns") not in axes:
        found.pop("columns", None)  # its one value is the panel's title
    assert ", ".join(f"{role} {name}" for role, name in found.items()) == expected


SHAPES = pd.DataFrame(
    [(24, "24-12"), (24, "12-24"), (14, "equal")], columns=["width", "hidden_widths"]
)


def test_a_width_that_follows_from_the_widths_of_all_layers_takes_no_place():
    """The layers' widths do, and each panel has its runs; the one that they do not say is said."""
    runs = grid(learning_rate=RATES, init_scale=SCALES).drop(columns="width")
    runs = runs.merge(SHAPES, how="cross")
    layout = laid_out(runs, EVERYTHING, MAP)
    assert layout.names["columns"] == "hidden_widths"
    assert "width" not in layout.names.values()
    assert len(layout.runs) == len(runs)
    assert layout.note == "width 14 where hidden widths = equal"
    held = laid_out(runs, View(columns="activation", rows="depth"), MAP)
    assert held.note == "hidden widths 12-24 of 12-24, 24-12, equal shown"
    assert set(held.runs["width"]) == {24}
    both = pd.concat([runs, runs[runs["hidden_widths"] == "equal"].assign(width=20)])
    assert {"width", "hidden_widths"} <= set(names(both).values())


def test_what_is_asked_for_stands_where_it_was_asked():
    """The others find their places around it."""
    runs = grid(learning_rate=RATES, init_scale=SCALES, depth=[2, 4], seed=[0, 1])
    assert names(runs, y="seed", columns="init_scale") == {
        "y": "seed",
        "columns": "init_scale",
        "x": "learning_rate",
        "rows": "depth",
    }
    assert names(runs, rows="depth")["rows"] == "depth"


def test_what_finds_no_place_is_held_where_outcomes_are_most_even():
    """Not at the first value: at the one that has most to show, and the title says so."""
    runs = grid(
        learning_rate=RATES, init_scale=SCALES, depth=[2, 4], activation=["tanh", "relu"],
        width=[8, 16, 32],
    )  # fmt: skip
    mixed = (runs["width"] == 16) & (runs["learning_rate"] > 0.05)
    layout = laid_out(runs.assign(outcome=mixed.map({True: "trained", False: "slow"})), View(), MAP)
    assert set(layout.runs["width"]) == {16}
    assert layout.note == "width 16 of 8, 16, 32 shown"
    assert len(layout.runs) == len(runs) / 3


def test_what_was_run_in_most_cells_comes_before_what_is_most_even():
    """A map with few cells shows little, however they ended."""
    runs = grid(learning_rate=RATES, init_scale=SCALES, activation=["a", "b"], depth=[2, 4])
    few = runs[runs["learning_rate"] > 0.05].assign(width=16, outcome="trained")
    few.loc[few["init_scale"] > 1, "outcome"] = "stalled"
    assert set(laid_out(pd.concat([runs, few]), View(), MAP).runs["width"]) == {8}


def test_of_many_panels_an_even_choice_is_drawn_and_told():
    """Of a number; each name has its panel."""
    runs = grid(
        learning_rate=RATES, init_scale=SCALES, depth=range(1, 31), activation=list("abcdefghijk")
    )
    layout = laid_out(runs, EVERYTHING, MAP)
    assert (len(layout.values["columns"]), len(layout.values["rows"])) == (8, 11)
    assert layout.note == "8 of 30 depths shown"
    assert sorted(set(layout.runs["depth"])) == layout.values["columns"]


def test_each_panel_has_the_runs_of_its_row_and_column():
    """Row by row."""
    layout = laid_out(
        grid(learning_rate=RATES, init_scale=SCALES, depth=[2, 4], width=[8, 16]), EVERYTHING, MAP
    )
    found = [
        (panel.row, panel.column, set(panel.runs["width"]), set(panel.runs["depth"]))
        for panel in layout.panels()
    ]
    assert found == [
        (0, 0, {8}, {2}),
        (0, 1, {8}, {4}),
        (1, 0, {16}, {2}),
        (1, 1, {16}, {4}),
    ]


def test_a_figure_pools_and_holds_what_it_says():
    """Learning rates decide nothing of a start; the deepest networks are those of theory."""
    runs = grid(learning_rate=RATES, init_scale=SCALES, depth=[2, 4, 8])
    free = {"columns": (), "rows": ()}
    start = Places(free, {"x": "init_scale"}, {"learning_rate"}, deepest=True)
    layout = laid_out(runs, EVERYTHING, start)
    assert dict(layout.names) == {"x": "init_scale"}
    assert layout.note == "depth 8 of 2, 4, 8 shown"
    assert set(layout.runs["learning_rate"]) == set(RATES)
    assert names(runs, start, columns="depth") == {"x": "init_scale", "columns": "depth"}
    together = Places({}, {"x": "init_scale"}, pools_rest=True)
    assert len(laid_out(runs, EVERYTHING, together).runs) == len(runs)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"x": "widht"},
            r"--x: 'widht' is no setting .*did you mean width\?.* varies here is width",
        ),
        ({"x": "outcome"}, "--x: 'outcome' is no setting"),
        ({"x": "depth", "rows": "depth"}, "--x and --rows are both depth"),
        ({"where": ("width=9",)}, "--where width=9: no run has width 9; the nearest are 8 and 16"),
    ],
)
def test_a_view_that_cannot_be_is_refused_with_what_can(asked, message):
    """In options of the command line."""
    with pytest.raises(UnsuitableRunsError, match=message):
        laid_out(grid(width=[8, 16]), View(**asked), MAP)


def test_a_role_that_a_figure_has_not_is_refused_beside_those_it_has():
    """And the map, which has them all, is named."""
    places = Places({"columns": (), "rows": ()}, {"x": "init_scale", "y": "chi"})
    runs = grid(width=[8, 16])
    for asked, words in (
        (
            {"x": "width"},
            r"--x width: this figure has init scale there; it takes --where, --rows, ",
        ),
        ({"rows": "init_scale"}, r"--rows init_scale: this figure has it elsewhere \(x\)"),
    ):
        with pytest.raises(UnsuitableRunsError, match=words):
            laid_out(runs, View(**asked), places)
    assert names(runs, places, x="init_scale")["x"] == "init_scale"


def test_a_view_is_written_as_the_options_that_ask_for_it():
    """So that a page can say how to draw its figures again."""
    view = View(("width=32", "learning_rate<1"), x="depth", rows="seed")
    assert view.options() == " --where 'width=32' --where 'learning_rate<1' --x depth --rows seed"
    assert View().options() == ""
