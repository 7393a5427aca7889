"""`phasesweep zoom`: the sweep file of a window of a map."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from analysis.advising.zoomed_sweep import next_name, zoomed_sweep
from analysis.reading.stores import UnsuitableRunsError
from pipeline.cli import app
from pipeline.sweep_files.loading import load_sweep

POINT = {"learning_rate": 0.1, "init_scale": 1.0}


def zoom(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["zoom", *map(str, arguments)])


@pytest.fixture
def entry(store):
    """The small sweep as its store's manifest has it."""
    (entry,) = json.loads((store / "manifest.json").read_text())["sweeps"]
    return entry


def test_the_file_is_the_sweep_over_a_narrower_window(store, entry, tmp_path):
    """All other axes and the number of values stay; the point keeps its place between the ends."""
    path = tmp_path / "window.yaml"
    done = zoom(store, "--at", "0.1,1", "--by", 8, "--out", path)
    assert (done.exit_code, done.stdout) == (0, f"{path}\n")
    sweep = load_sweep(str(path))
    assert sweep.name == "small_zoom1"
    for name, values in entry["axes"].items():
        new = sweep.grid.axes[name]
        if name not in POINT:
            assert list(new) == values
            continue
        expected = np.exp(np.log(POINT[name]) + (np.log(values) - np.log(POINT[name])) / 8)
        np.testing.assert_allclose(new, expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["fractal", "mup", "quickstart", "edge_of_stability"])
def test_the_window_of_a_shipped_sweep_is_a_sweep(name, tmp_path):
    """With no setting that decides nothing there; only the axis that is shrunk differs."""
    axes = dict(load_sweep(name).grid.axes)
    along = "learning_rate_first" if name == "fractal" else "learning_rate"
    path = tmp_path / "window.yaml"
    entry = {"name": name, "axes": axes}
    path.write_text(zoomed_sweep(entry, {along: axes[along][1]}, 8))
    window = load_sweep(str(path)).grid.axes
    assert {n for n in axes if window[n] != axes[n]} == {along}


def test_without_a_path_the_file_is_printed(store, tmp_path):
    """And nothing else; the map's axes may be named."""
    shown = zoom(store, "--at", "1,0.1", "--by", 2, "--x", "init_scale", "--y", "learning_rate")
    path = tmp_path / "window.yaml"
    zoom(store, "--at", "0.1,1", "--by", 2, "--out", path)
    assert shown.stdout == path.read_text()


def test_differences_shrink_as_factors_do(entry):
    """An axis of even differences, through 0, keeps them."""
    entry["axes"]["init_scale"] = [0.0, 1.0, 2.0, 3.0, 4.0]
    written = yaml.safe_load(zoomed_sweep(entry, {"init_scale": 3.0}, 4))
    assert written["init_scale"] == {"linspace": [2.25, 3.25, 5]}


def test_what_else_the_sweep_says_is_kept(entry):
    """Conditions, axes that move together, and what is traced."""
    said = {
        "zip": [["depth", "activation"]],
        "where": "depth > 1",
        "trace": {"axes": ["learning_rate", "init_scale"], "of": "trained"},
    }
    written = yaml.safe_load(zoomed_sweep(entry | said, POINT, 8))
    assert {name: written[name] for name in said} == said


def test_a_data_file_is_named_by_its_path(entry):
    """Its content's hash is no part of that."""
    entry["axes"]["dataset"] = ["mine.csv-0123456789ab"]
    written = yaml.safe_load(zoomed_sweep(entry, POINT, 8))
    assert (written["file"], "dataset" in written) == ("mine.csv", False)


def test_zooms_are_numbered():
    """So that each has a store of its own."""
    assert next_name("fractal") == "fractal_zoom1"
    assert next_name(next_name("fractal_zoom9")) == "fractal_zoom11"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--at", "1e9,1", "--by", "8"), "--at: learning_rate 1e+09 lies outside the map, which"),
        (("--at", "0.1", "--by", "8"), "--at must be two numbers, as in --at 0.1,2; got '0.1'"),
        (("--at", "0.1,x", "--by", "8"), "--at must be two numbers"),
        (("--at", "nan,1", "--by", "8"), "--at: learning_rate nan lies outside the map"),
        (("--at", "0.1,1", "--by", "1"), "--by must be above 1, got 1"),
        (("--at", "0.1,1", "--by", "nan"), "--by must be above 1, got nan"),
        (("--at", "0.1,1", "--by", "1e13"), "the values of learning_rate would lie closer"),
        (("--at", "0.1,2", "--by", "8", "--y", "depth"), "depth has no values between its values"),
        (("--at", "0.1,8", "--by", "8", "--y", "bias_scale"), "bias_scale has one value in the sw"),
    ],
)
def test_a_wrong_request_is_a_line(store, options, message):
    """On stderr, with exit code 2; nothing is printed."""
    failed = zoom(store, *options)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith("error: ")
    assert message in failed.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"learning_rate": [0.01, 0.1, 2.0]}}, "go neither by a factor nor by a differ"),
        ({"zip": [["learning_rate", "depth"]]}, r"moves with others \(zip: learning_rate, depth"),
    ],
)
def test_an_axis_that_cannot_be_shrunk_is_refused(entry, changes, message):
    """Uneven, or tied to another."""
    axes = entry["axes"] | changes.pop("axes", {})
    with pytest.raises(UnsuitableRunsError, match=message):
        zoomed_sweep(entry | {"axes": axes} | changes, POINT, 8)


def test_a_file_that_is_there_is_kept(store, tmp_path):
    """Someone's own sweep is not replaced."""
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\n")
    failed = zoom(store, "--at", "0.1,1", "--by", 8, "--out", path)
    assert failed.exit_code == 2
    assert f"--out: {path} exists" in failed.stderr
    assert path.read_text() == "name: mine\n"


def test_of_several_sweeps_the_last_one_run_is_taken(store, entry, make_store):
    """And a line says which."""
    both = make_store(pd.read_parquet(store / "runs"))
    sweeps = [entry | {"name": "first"}, entry | {"name": "second"}]
    (both / "manifest.json").write_text(json.dumps({"sweeps": sweeps}))
    done = zoom(both, "--at", "0.1,1", "--by", 8)
    assert done.stdout.startswith("name: second_zoom1\n")
    assert done.stderr == "of 2 sweeps the last one run: second\n"
    (both / "manifest.json").write_text("{}")
    assert "records no sweep" in zoom(both, "--at", "0.1,1", "--by", 8).stderr
