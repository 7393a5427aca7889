"""`phasesweep map`: a picture, or a line that says what is wrong."""

import json

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from typer.testing import CliRunner

from analysis.reading.stores import read_runs
from analysis.tables.judgments import read_judged
from pipeline.cli import app


def draw_map(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["map", *map(str, arguments)])


def test_map_draws_a_picture_and_prints_its_path(store, tmp_path):
    """Folders on the way are made; the path is all of stdout."""
    out = tmp_path / "pictures" / "map.png"
    done = draw_map(store, "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    height, width, _ = imread(out).shape
    assert min(height, width) > 600


def test_a_folder_that_is_no_store_is_a_line_on_stderr(tmp_path):
    """Exit code 2, no picture, no traceback."""
    failed = draw_map(tmp_path, "--out", tmp_path / "map.png")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith(f"error: {tmp_path} is no phasesweep store")
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_runs_says_how_to_get_them(tmp_path):
    """A sweep that has only begun is no bug."""
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "phasesweep store"}))
    failed = draw_map(tmp_path)
    assert failed.exit_code == 2
    assert "has no runs yet; `phasesweep run" in failed.stderr


@pytest.mark.parametrize("name", ["map.xyz", "map"])
def test_a_picture_of_an_unknown_kind_is_refused(store, tmp_path, name):
    """Before anything is drawn; the kinds are listed."""
    failed = draw_map(store, "--out", tmp_path / name)
    assert failed.exit_code == 2
    assert ".png, .svg, .pdf" in failed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def legend(monkeypatch):
    """Collects the legends' words of what is drawn."""
    words = []
    legend = Figure.legend

    def noted(figure, *given, **options):
        words.extend(handle.get_label() for handle in options.get("handles", ()))
        return legend(figure, *given, **options)

    monkeypatch.setattr(Figure, "legend", noted)
    return words


@pytest.mark.parametrize("command", [("map",), ("figure", "stability_map")])
@pytest.mark.parametrize(("asked", "words"), [((), "10%"), (("--trained-level", "0.5"), "50%")])
def test_the_legend_says_the_level_that_was_applied(store, tmp_path, legend, command, asked, words):
    """The one asked for, or the store's own."""
    done = CliRunner().invoke(app, [*command, str(store), "--out", str(tmp_path / "m.png"), *asked])
    assert done.exit_code == 0, done.stderr
    assert f"trained: loss fell below {words} of the best constant's" in legend


def test_a_table_is_judged_as_its_figure(store):
    """The shares are those of the runs judged again."""
    arguments = ["table", "outcomes", str(store), "--format", "json"]
    trained = {}
    for level in (0.1, 0.5):
        done = CliRunner().invoke(app, [*arguments, "--trained-level", str(level)])
        shares = pd.DataFrame(json.loads(done.stdout))
        trained[level] = shares.loc[shares["outcome"] == "trained", "runs"].sum()
    judged = read_judged(store, 0.5)["outcome"]
    assert trained[0.1] < trained[0.5] == (judged == "trained").sum()


@pytest.mark.parametrize(
    "command", [("map",), ("figure", "outcome_shares"), ("table", "outcomes"), ("report",)]
)
def test_a_level_that_is_no_share_is_refused(store, tmp_path, command):
    """Exit code 2 and a line, wherever it is given; nothing is written."""
    done = CliRunner().invoke(app, [*command, str(store), "--trained-level", "50"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --trained-level must be above 0 and below 1, got 50;")


def test_a_claims_figure_has_a_rule_of_its_own(store):
    """A level is refused, not ignored."""
    done = CliRunner().invoke(app, ["figure", "claim_c8", str(store), "--trained-level", "0.5"])
    assert done.exit_code == 2
    assert "leave out --trained-level" in done.stderr


def test_runs_of_two_levels_have_panels_of_their_own_unless_one_is_asked_for(
    store, run_small, tmp_path, monkeypatch
):
    """They are never mixed up: the level is an axis like any other."""
    titles = []
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, *a, **o: titles.append([p.get_title() for p in figure.axes]),
    )
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    both = pd.concat([read_runs(store), read_runs(run_small(trained_level=0.5))])
    both.to_parquet(tmp_path / "runs" / "part.parquet")
    assert draw_map(tmp_path, "--columns", "trained_level").exit_code == 0
    assert draw_map(tmp_path, "--trained-level", 0.1).exit_code == 0
    assert titles == [
        ["trained level 0.1", "trained level 0.5", "", ""],
        ["depth 2", "depth 12", "", ""],
    ]
