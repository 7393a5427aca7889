"""`phasesweep map`: a picture, or a line that says what is wrong."""

import json

import pandas as pd
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

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


def test_a_store_that_would_be_mixed_up_names_the_axis(runs, tmp_path):
    """Two widths do not fit on one map."""
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    wider = pd.concat([runs, runs.assign(width=12)])
    wider.to_parquet(tmp_path / "runs" / "part.parquet")
    failed = draw_map(tmp_path)
    assert failed.exit_code == 2
    assert "width varies among the runs (6, 12)" in failed.stderr


@pytest.mark.parametrize("name", ["map.xyz", "map"])
def test_a_picture_of_an_unknown_kind_is_refused(store, tmp_path, name):
    """Before anything is drawn; the kinds are listed."""
    failed = draw_map(store, "--out", tmp_path / name)
    assert failed.exit_code == 2
    assert ".png, .svg, .pdf" in failed.stderr
    assert list(tmp_path.iterdir()) == []
