"""Two stores beside each other: settings, outcomes on the common cells, the boundary."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.atlas.changed_cells import KINDS, changed_outcomes_map, moved_boundary_scatter
from analysis.explaining.two_stores import boundary_words
from analysis.reading.stores import read_runs
from analysis.reading.thresholds import JudgedBy
from analysis.tables.comparison import (
    cell_settings,
    changes_by_setting,
    common_cells,
    differing_settings,
    differing_thresholds,
    moved_boundary,
    moves,
    outcome_changes,
)
from analysis.tables.two_stores import compared as two_stores
from analysis.tables.views import View
from core.outcomes import THRESHOLDS
from core.trials import DEFAULTS, TRIAL_FIELDS
from pipeline.cli import app


@pytest.fixture(scope="module")
def narrower(run_small):
    """The small sweep with a width of 4 in place of 6, other depths and more rates."""
    return run_small(width=4, depth="[2, 5, 12]", learning_rate="{geomspace: [1.0e-4, 100, 11]}")


@pytest.fixture(scope="module")
def both(store, narrower):
    """The runs of both sweeps."""
    return read_runs(store), read_runs(narrower)


def made(**columns):
    """Runs by hand: what is not given is one value for all."""
    first = {"depth": 2, "init_scale": 1.0, "seed": 0, "outcome": "slow", "width": 8, **DEFAULTS}
    rest = {name: "x" for name in TRIAL_FIELDS if name not in first}
    return pd.DataFrame({**first, **rest, **columns})


def test_settings_that_differ_have_both_sides_values(both):
    """In the order of the columns; what is the same is left out."""
    found = differing_settings(*both).set_index("setting")
    assert list(found.index) == ["depth", "width", "learning_rate"]
    assert (found.loc["width", "a"], found.loc["width", "b"]) == ([6], [4])
    assert (found.loc["depth", "a"], found.loc["depth", "b"]) == ([2, 12], [2, 5, 12])
    assert differing_settings(both[0], both[0]).empty


def test_another_version_of_the_trainer_is_a_difference(both):
    """It decides the last bits."""
    found = differing_settings(both[0], both[0].assign(trainer="0"))
    assert found["setting"].tolist() == ["trainer"]


def test_thresholds_that_differ_are_named(both):
    """With their numbers."""
    ours = JudgedBy({}, THRESHOLDS)
    other = ours.moved("rise", lambda rise: 2 * rise)
    (found,) = differing_thresholds(*both, ours, other).itertuples(index=False)
    assert tuple(found) == ("rise", [THRESHOLDS.rise], [2 * THRESHOLDS.rise])
    assert differing_thresholds(*both, ours, ours).empty


def test_a_cell_is_what_both_have_but_for_what_they_are_compared_for(both):
    """Not the width, which is one in each; not the seed, over which a cell is one."""
    assert cell_settings(*both) == ["depth", "activation", "init_scale", "learning_rate"]
    cells = common_cells(*both)
    assert len(cells) == 2 * 2 * 4 * len({*both[0]["learning_rate"]} & {*both[1]["learning_rate"]})
    assert (cells["runs_a"] == 2).all()
    assert set(cells["depth"]) == {2, 12}


def test_a_cells_outcome_is_its_most_frequent_one(both):
    """As a plain loop over the runs finds it."""
    cells = common_cells(*both)
    keys = cell_settings(*both)
    for runs, side in zip(both, "ab", strict=True):
        counts = {cell: Counter(rows["outcome"]) for cell, rows in runs.groupby(keys)}
        for cell in cells.itertuples(index=False):
            count = counts[tuple(getattr(cell, name) for name in keys)]
            assert count[getattr(cell, f"outcome_{side}")] == max(count.values())


def test_most_seeds_say_how_a_cell_ends():
    """Two against one, whatever the order of the rules."""
    runs = made(seed=[0, 1, 2], outcome=["slow", "diverged", "slow"])
    (cell,) = common_cells(runs, runs.assign(depth=3)).itertuples()
    assert (cell.outcome_a, cell.runs_b) == ("slow", 3)


def test_of_equally_frequent_outcomes_the_first_rule_wins():
    """Divergence before training, whichever seed had which."""
    runs = made(seed=[0, 1], outcome=["trained", "diverged"])
    (cell,) = common_cells(runs, runs[::-1]).itertuples()
    assert (cell.outcome_a, cell.outcome_b, cell.runs_a) == ("diverged", "diverged", 2)


def test_cells_that_differ_are_counted_by_their_outcomes_and_settings():
    """Only values of settings that vary among the cells are listed."""
    a = made(depth=[2, 2, 8, 8], learning_rate=[0.1, 1.0] * 2, outcome=["slow"] * 4)
    b = a.assign(width=9, outcome=["slow", "trained", "trained", "diverged"])
    cells = common_cells(a, b)
    expected = [["slow", "trained", 2], ["slow", "diverged", 1]]
    assert outcome_changes(cells).values.tolist() == expected
    assert changes_by_setting(cells).values.tolist() == [
        ["depth", 2, 2, 1, 0.5],
        ["depth", 8, 2, 2, 1.0],
        ["learning_rate", 0.1, 2, 1, 0.5],
        ["learning_rate", 1.0, 2, 2, 1.0],
    ]


def test_stores_without_a_common_cell_are_compared_for_their_settings():
    """No value of the depth is in both."""
    cells = common_cells(made(depth=[2, 3]), made(depth=[4, 5]))
    assert cells.empty
    assert outcome_changes(cells).empty
    assert changes_by_setting(cells).empty


def test_stores_of_one_cell_each_are_compared():
    """A training beside a training."""
    (cell,) = common_cells(made(seed=[0, 1]), made(width=[9], outcome="trained")).itertuples()
    assert (cell.outcome_a, cell.outcome_b, cell.runs_a, cell.runs_b) == ("slow", "trained", 2, 1)


def test_the_boundary_is_the_largest_common_rate_that_trained(both):
    """For each network and start, as a plain loop finds it."""
    cells = common_cells(*both)
    boundary = moved_boundary(cells)
    others = ["depth", "activation", "init_scale"]
    assert len(boundary) == len(cells[others].drop_duplicates())
    for row in boundary.itertuples(index=False):
        here = cells[np.logical_and.reduce([cells[n] == getattr(row, n) for n in others])]
        for side in "ab":
            trained = here.loc[here[f"outcome_{side}"] == "trained", "learning_rate"]
            largest = getattr(row, f"largest_{side}")
            assert largest == trained.max() or (np.isnan(largest) and trained.empty)
        assert row.highest == here["learning_rate"].max()


def test_moves_of_the_boundary_are_counted():
    """Up, down, and where one side alone trained."""
    rates = [0.1, 1.0, 10.0]
    ends_a = {2: "tts", 3: "ttt", 4: "sss", 5: "tss", 6: "sss"}
    ends_b = {2: "ttt", 3: "tss", 4: "tss", 5: "sss", 6: "sss"}
    words = {"t": "trained", "s": "slow"}

    def runs(ends, width):
        return made(
            depth=[depth for depth in ends for _ in rates],
            learning_rate=rates * len(ends),
            outcome=[words[end] for each in ends.values() for end in each],
            width=width,
        )

    boundary = moved_boundary(common_cells(runs(ends_a, 8), runs(ends_b, 16)))
    assert boundary["factor"].tolist()[:2] == pytest.approx([10, 0.01])
    found = moves(boundary)
    assert found.pop("median_factor") == pytest.approx(10**-0.5)
    assert found == {"up": 1, "down": 1, "same": 0, "only_a": 1, "only_b": 1, "neither": 1}


def compared(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def test_the_command_says_what_differs_in_eighty_columns(store, narrower, both):
    """Settings, how many cells end otherwise, and how the boundary moved."""
    done = compared(store, narrower)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines[2:])) <= 80
    assert "  width: A 6; B 4" in lines
    assert "  depth: A 2, 12; B 2, 5, 12; 2 in both" in lines
    cells = common_cells(*both)
    differ = outcome_changes(cells)["cells"].sum()
    assert f"Outcomes in the {len(cells)} cells that both have" in lines
    assert f"  {len(cells) - differ} the same, {differ} not" in lines


def test_the_command_prints_one_document_on_request(store, narrower, both):
    """With every row of its tables; a number that does not exist is null."""
    document = json.loads(compared(store, narrower, "--json").stdout)
    cells = common_cells(*both)
    changes = outcome_changes(cells)
    assert document["a"]["trainings"] == len(both[0])
    assert document["b"]["trained"] == (both[1]["outcome"] == "trained").sum()
    assert document["outcomes"] == changes.to_dict("records")
    assert document["same_outcome"] == len(cells) - changes["cells"].sum()
    boundary = moved_boundary(cells)
    assert boundary["largest_a"].notna().any()
    existing = boundary.astype(object).where(boundary.notna(), None)
    assert document["boundary"].pop("largest_rates") == existing.to_dict("records")
    assert document["boundary"] == moves(boundary)


def test_a_store_equals_itself(store):
    """No setting, no outcome and no boundary differs."""
    words = compared(store, store).stdout
    assert "Settings that differ\n  none\n" in words
    assert " the same, 0 not\n" in words
    assert "0 larger in B, 0 smaller" in " ".join(words.split())


def test_stores_are_judged_alike_on_request(store, run_small):
    """At one trained level, they are the same trainings."""
    lenient = run_small(trained_level=0.5)
    assert "trained_level: A 0.1; B 0.5" in compared(store, lenient).stdout
    assert " the same, 0 not\n" not in compared(store, lenient).stdout
    again = compared(store, lenient, "--trained-level", "0.5").stdout
    assert "Settings that differ\n  none\n" in again
    assert " the same, 0 not\n" in again


def test_no_common_cell_is_said(store, run_small):
    """With what stands in the way above it."""
    done = compared(store, run_small(init_scale="[3, 5]"))
    assert done.exit_code == 0
    assert "init_scale: A 0.25, 0.63, 1.587, 4; B 3, 5; 0 in both" in done.stdout
    assert "no cell is in both" in done.stdout


def test_a_folder_that_is_no_store_is_refused(store, tmp_path):
    """Exit code 2 and a line that names it."""
    failed = compared(store, tmp_path)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith(f"error: {tmp_path} is no phasesweep store")


def panel_kinds(figure):
    """What each panel's cells are, (y, x), by the panel's title and the words beside it."""
    return [np.asarray(panel.collections[0].get_array()) for panel in figure.axes]


def test_the_map_shows_in_which_store_a_cell_trained(store, narrower, both):
    """Cell by cell, as counted from the rows; the legend has the number of each kind."""
    found = two_stores(store, narrower)
    figure = changed_outcomes_map(found, View(where=("depth=2", "activation=tanh")))
    cells = common_cells(*both)
    own = cells[(cells["depth"] == 2) & (cells["activation"] == "tanh")]
    good = own[["outcome_a", "outcome_b"]].eq("trained")
    expected = np.select(
        [good.all(axis=1), good["outcome_a"], good["outcome_b"]],
        ["both", "A alone", "B alone"],
        "neither",
    )
    grid = own.assign(kind=expected).pivot(
        index="init_scale", columns="learning_rate", values="kind"
    )
    (drawn,) = panel_kinds(figure)
    words = np.array([name.removeprefix("trained in ").split(",")[0] for name in KINDS])
    assert (words[drawn.astype(int)] == grid.to_numpy()).all()
    assert len(set(expected)) > 1
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sum(int(label.rsplit("(", 1)[1].rstrip(")")) for label in labels) == len(own)


def test_the_scatter_has_the_largest_rates_of_both(store, narrower, both):
    """A point for each pair of rates, B over A, and the line on which nothing moved."""
    panel = moved_boundary_scatter(two_stores(store, narrower)).axes[0]
    boundary = moved_boundary(common_cells(*both)).dropna(subset=["factor"])
    points = {tuple(point) for point in panel.collections[0].get_offsets()}
    assert points == {*boundary[["largest_a", "largest_b"]].itertuples(index=False, name=None)}
    (line,) = panel.lines
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())


def test_the_page_of_two_stores(store, narrower, both, tmp_path):
    """It says what the command says, with two pictures, and loads nothing."""
    out = tmp_path / "pair.html"
    done = CliRunner().invoke(app, ["report", str(store), str(narrower), "--out", str(out)])
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    page = out.read_text()
    cells = common_cells(*both)
    differ = outcome_changes(cells)["cells"].sum()
    assert f"{len(cells) - differ:,} the same, {differ:,} not." in page
    assert "<td>width</td><td>6</td><td>4</td>" in page
    assert page.count("<img ") == 2
    assert "default-src 'none'" in page
    assert "<script" not in page
    said = boundary_words(moved_boundary(cells))[0]
    assert said[1:] in page


def test_the_page_of_stores_without_a_common_cell(store, run_small, tmp_path):
    """It says so, and where they differ."""
    out = tmp_path / "pair.html"
    other = run_small(init_scale="[3, 5]")
    done = CliRunner().invoke(app, ["report", str(store), str(other), "--out", str(out)])
    assert done.exit_code == 0
    assert "No cell is in both" in out.read_text()
