"""A real sweep of five axes: every command draws it, and each cell is where its settings are."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from typer.testing import CliRunner

from analysis.figures.chi import chi_by_init_scale
from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth
from analysis.figures.named import FIGURES, TABLES
from analysis.figures.stability_map import stability_map
from analysis.tables.boundaries import boundary_learning_rates
from analysis.tables.regions import region_by_run
from analysis.tables.views import View
from pipeline.cli import app

WIDE = """
name: wide
dataset: digits
examples: 16
depth: [2, 5]
width: [3, 6]
activation: [tanh, relu]
init_scale: [0.5, 1, 2]
bias_scale: [0, 0.5]
learning_rate: {geomspace: [0.01, 10, 4]}
steps: 6
seed: [0, 1]
measure: [signal, sharpness, sharpness_curve, preconditioned_sharpness]
"""


@pytest.fixture(scope="module")
def wide_store(trained_store):
    """A store of 384 trainings: learning rate, init scale, and three further axes."""
    return trained_store(WIDE)


@pytest.fixture(scope="module")
def wide(wide_store):
    """Its runs."""
    return pd.read_parquet(wide_store / "runs")


@pytest.fixture
def drawn(monkeypatch):
    """Collects the figures that a command saves."""
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *given, **options: figures.append(figure))
    return figures


def call(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def cells(panel):
    """The grid of a map's panel, and the middle of each cell along x and along y."""
    (mesh,) = (child for child in panel.get_children() if isinstance(child, QuadMesh))
    corners = mesh.get_coordinates()
    return mesh.get_array(), corners[0, :, 0], corners[:, 0, 1]


def place(edges, value):
    """The cell between whose edges the value lies."""
    return next(
        i for i, (low, high) in enumerate(zip(edges, edges[1:], strict=False)) if low < value < high
    )


PAIRS = [("depth", "width"), ("init_scale", "bias_scale"), ("seed", "learning_rate")]


@pytest.mark.parametrize(("x", "y"), [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_any_two_settings_make_a_map(wide, x, y):
    """Each cell has the region of the run with its two settings, all others being equal."""
    runs = wide[wide["depth"] == 5] if "depth" not in (x, y) else wide
    others = {"width": 6, "activation": "tanh", "init_scale": 1, "bias_scale": 0.5, "seed": 1}
    for name, value in ({**others, "learning_rate": 0.1}).items():
        runs = (
            runs
            if name in (x, y)
            else runs[runs[name].round(6) == value]
            if name != "activation"
            else runs[runs[name] == value]
        )
    (panel,) = stability_map(runs, View(x=x, y=y)).axes
    grid, x_edges, y_edges = cells(panel)
    assert (panel.get_xlabel(), panel.get_ylabel()) == (x.replace("_", " "), y.replace("_", " "))
    zero = {"bias_scale": 0.25}  # where a zero of 0 and 0.5 lies on a log axis
    for run in runs.to_dict("records"):
        row = place(y_edges, run[y] or zero.get(y, 0))
        column = place(x_edges, run[x] or zero.get(x, 0))
        assert grid[row, column] == region_by_run([run["outcome"]], [run["cause"]])
    assert grid.size == len(runs)


@pytest.mark.parametrize("setting", ["width", "bias_scale", "seed", "activation", "depth"])
def test_a_sweep_over_one_setting_alone_is_drawn(wide, setting):
    """A row of cells."""
    first = wide.sort_values("trial_id").iloc[0]
    others = [
        n
        for n in (
            "depth",
            "width",
            "activation",
            "init_scale",
            "bias_scale",
            "learning_rate",
            "seed",
        )
        if n != setting
    ]
    runs = wide[(wide[others] == first[others]).all(axis=1)]
    assert len(runs) == 2
    (panel,) = stability_map(runs).axes
    found = region_by_run(*(runs.sort_values(setting)[name] for name in ("outcome", "cause")))
    assert sorted(cells(panel)[0].ravel().tolist()) == sorted(found.tolist())
    assert setting.replace("_", " ") in (panel.get_xlabel(), panel.get_ylabel())


def test_the_map_of_a_store_with_more_axes_than_it_has_places_says_what_it_holds(
    wide_store, wide, drawn
):
    """Two further axes have panels, of the others one value is shown."""
    done = call("map", wide_store)
    assert done.exit_code == 0, done.stderr
    (figure,) = drawn
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ["depth 2", "depth 5", "", ""]
    assert [text.get_text() for panel in figure.axes for text in panel.texts] == ["tanh", "relu"]
    note = figure.get_suptitle().splitlines()[-1]
    assert note.startswith("width ")
    assert " of 3, 6 shown; bias scale " in note


def test_the_command_draws_what_is_asked_for(wide_store, wide, drawn):
    """Conditions select, axes and panels stand where they were put."""
    done = call(
        "map", wide_store, "--x", "width", "--y", "depth", "--rows", "bias_scale",
        "--columns", "seed", "--where", "learning_rate=0.1", "--where", "activation=ReLU",
        "--where", "init_scale=2",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    (figure,) = drawn
    assert [panel.get_title() for panel in figure.axes] == ["seed 0", "seed 1", "", ""]
    assert [text.get_text() for panel in figure.axes for text in panel.texts] == [
        "bias scale 0",
        "bias scale 0.5",
    ]
    where = {"activation": "relu", "init_scale": 2, "bias_scale": 0.5, "seed": 1}
    runs = wide[(wide[list(where)] == list(where.values())).all(axis=1)]
    runs = runs[runs["learning_rate"].round(6) == 0.1].set_index(["depth", "width"]).sort_index()
    grid, _, _ = cells(figure.axes[3])
    expected = region_by_run(runs["outcome"], runs["cause"]).reshape(2, 2)
    assert grid.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--where", "width=4"], "no run has width 4; the nearest are 3 and 6"),
        (["--x", "widht"], "did you mean width?"),
        (["--where", "activation=gelu"], "there are relu, tanh"),
        (["--x", "depth", "--y", "depth"], "--x and --y are both depth"),
    ],
)
def test_a_wrong_request_is_a_line_with_what_would_do(wide_store, options, message):
    """Exit code 2, and no word of pandas."""
    failed = call("map", wide_store, *options)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith("error: --")
    assert message in failed.stderr
    assert "runs[" not in failed.stderr


ANY_STORE = [name for name in FIGURES if not name.startswith("claim")]


def tick_labels(figure):
    """The tick labels that can be seen, with their boxes."""
    figure.draw_without_rendering()
    panels = [panel for panel in figure.axes if panel.get_visible()]
    for axis in (axis for panel in panels for axis in (panel.xaxis, panel.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            label, shown = tick.label1, low <= tick.get_loc() <= high
            if shown and label.get_visible() and label.get_text():
                yield label.get_text(), label.get_window_extent()


def overlapping(figure):
    """Pairs of tick labels that lie over one another."""
    pairs = combinations(tick_labels(figure), 2)
    return [(one, other) for (one, box), (other, same) in pairs if box.overlaps(same)]


@pytest.mark.parametrize("name", ANY_STORE)
def test_every_figure_of_a_store_with_further_axes_is_drawn(wide_store, drawn, name):
    """With a title that says what is held, labels that do not touch, a legend without a gap."""
    done = call("figure", name, wide_store)
    assert done.exit_code == 0, done.stderr
    (figure,) = drawn
    assert overlapping(figure) == []
    panels = [panel for panel in figure.axes if panel.get_visible() and panel.lines]
    drawn_labels = {line.get_label() for panel in panels for line in panel.lines}
    words = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert {label for label in drawn_labels if not str(label).startswith("_")} <= words
    pooled = ("outcome_shares", "loss_curves", "catapult", "cures")
    assert (" shown" in figure.get_suptitle()) == (name not in pooled)


@pytest.mark.parametrize("name", [name for name in TABLES if name != "dimension"])
def test_every_table_of_a_store_with_further_axes_is_made(wide_store, name):
    """No value of a setting is mixed up with another's, and none is asked to be selected."""
    done = call("table", name, wide_store, "--format", "json")
    assert done.exit_code == 0, done.stderr
    rows = pd.DataFrame(json.loads(done.stdout))
    assert len(rows) or name == "multiple_of_xi"
    if name not in ("outcomes", "thresholds", "multiple_of_xi", "cures"):
        assert rows["width"].nunique() == rows["bias_scale"].nunique() == 2


@pytest.mark.parametrize("name", ["critical_learning_rate", "trainable_depth", "chi"])
def test_a_figure_shows_what_is_asked_for(wide_store, wide, drawn, name):
    """Conditions select its runs, rows and columns have the panels."""
    asked = ("--where", "activation=tanh", "--columns", "width", "--rows", "bias_scale")
    done = call("figure", name, wide_store, *asked)
    assert done.exit_code == 0, done.stderr
    (figure,) = drawn
    titles = [panel.get_title().split("\n")[0] for panel in figure.axes[:2]]
    assert titles == ["width 3", "width 6"]
    texts = [text.get_text() for panel in figure.axes for text in panel.texts]
    assert texts == ["bias scale 0", "bias scale 0.5"]
    assert "activation\N{NO-BREAK SPACE}tanh" in figure.get_suptitle()


def test_the_chi_of_each_panel_is_that_of_its_runs(wide, drawn):
    """Points at the mean over seeds of the deepest networks of that width and bias scale."""
    figure = chi_by_init_scale(wide, View(("activation=tanh",), rows="bias_scale", columns="width"))
    deep = wide[(wide["activation"] == "tanh") & (wide["depth"] == 5)]
    starts = deep.drop_duplicates(["width", "bias_scale", "init_scale", "seed"])
    means = starts.groupby(["bias_scale", "width", "init_scale"])["chi_measured"].mean()
    panels = [(0, 3), (0, 6), (0.5, 3), (0.5, 6)]
    for panel, setting in zip(figure.axes, panels, strict=True):
        points = panel.containers[0].lines[0].get_ydata()
        np.testing.assert_allclose(np.asarray(points, float), means[setting])


def test_the_boundary_of_each_width_is_drawn_along_the_axis_asked_for(wide):
    """From the runs of that width alone."""
    view = View(("activation=relu", "bias_scale=0", "depth=5", "init_scale=2"), x="width")
    (panel,) = boundary_learning_rate_by_depth(wide, view).axes
    assert (panel.get_xlabel(), panel.get_xscale()) == ("width", "log")
    where = {"activation": "relu", "bias_scale": 0, "depth": 5, "init_scale": 2}
    here = wide[(wide[list(where)] == list(where.values())).all(axis=1)]
    expected = boundary_learning_rates(here, ["width"])["boundary_learning_rate"]
    (line,) = (line for line in panel.lines if line.get_marker() == "o")
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), expected)
    np.testing.assert_allclose(np.asarray(line.get_xdata(), float), [3, 6])


def test_a_table_groups_by_what_is_asked_for(wide_store, wide):
    """The outcomes of each width, all else pooled."""
    done = call(
        "table", "outcomes", wide_store, "--rows", "width", "--format", "json", "--where", "depth=5"
    )
    rows = pd.DataFrame(json.loads(done.stdout))
    assert list(rows.columns[:2]) == ["width", "outcome"]
    deep = wide[wide["depth"] == 5]
    counts = deep.groupby(["width", "outcome"]).size()
    for row in rows.to_dict("records"):
        assert row["runs"] == counts.get((row["width"], row["outcome"]), 0)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("figure", "chi", "--x", "width"), "this figure has init scale there; it takes --where"),
        (("figure", "outcome_shares", "--rows", "width"), "has no such place; it takes --where"),
        (("figure", "claim_c8", "--where", "width=3"), "leave out --where 'width=3'"),
        (("table", "thresholds", "--rows", "width"), "has no groups; it takes --where"),
        (("table", "chi", "--where", "width=4"), "the nearest are 3 and 6"),
    ],
)
def test_what_a_figure_or_table_has_no_place_for_is_refused(wide_store, command, message):
    """Beside what it takes."""
    kind, name, *options = command
    failed = call(kind, name, wide_store, *options)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert message in failed.stderr
