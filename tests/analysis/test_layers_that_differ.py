"""A sweep file with `width: [[6, 4], [5, 5]]`, trained, and what is read and shown of it."""

import pytest
from typer.testing import CliRunner

from analysis.atlas.data import atlas_data
from analysis.reading.stores import read_layers, read_runs
from analysis.tables.layer_profiles import gradients_by_layer
from pipeline.cli import app

SWEEP = """
dataset: wine
examples: 24
width: [[6, 4], [5, 5], [4, 6]]
activation: tanh
init_scale: [0.5, 2]
learning_rate: [0.01, 0.1]
steps: 5
"""


def phasesweep(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def differing(trained_store):
    """The store of that sweep."""
    return trained_store(SWEEP)


def test_each_shape_has_its_rows(differing):
    """With the widest width, the widths and the depth that follows; the store is sound."""
    runs = read_runs(differing)
    shapes = runs[["width", "hidden_widths", "depth"]].value_counts().to_dict()
    assert shapes == {(6, "6-4", 3): 4, (5, "equal", 3): 4, (6, "4-6", 3): 4}
    assert phasesweep("verify", differing).strip().endswith("is sound")
    assert "0 missing" in phasesweep("status", differing)


def test_the_atlas_opens_with_a_column_for_each_shape(differing):
    """The width, which follows from it, is pooled."""
    header, _ = atlas_data(differing)
    assert header["places"]["columns"] == "hidden_widths"
    pooled = {each["name"]: each["repeats"] for each in header["settings"]}
    assert pooled == {
        "width": True,
        "init_scale": False,
        "learning_rate": False,
        "hidden_widths": False,
    }


def test_a_run_is_explained_with_its_widths_and_theory(differing):
    """What was set names them, and the profiles have theory."""
    runs = read_runs(differing)
    own = runs[runs["hidden_widths"] == "4-6"]["trial_id"].iloc[0]
    assert "hidden_widths 4-6" in phasesweep("explain", differing, own)
    profiles = gradients_by_layer(read_layers(differing), runs)
    assert set(profiles["hidden_widths"]) == {"6-4", "4-6", "equal"}
    assert profiles["theory"].notna().all()


def test_a_zoom_is_a_sweep_of_the_same_shapes(differing, tmp_path):
    """Written as columns, which move together."""
    zoomed = tmp_path / "zoomed.yaml"
    zoomed.write_text(phasesweep("zoom", differing, "--at", "0.03,1", "--by", 2))
    assert "12 trials" in phasesweep("plan", zoomed, "--store", tmp_path / "other")
    assert "hidden_widths: [6-4, equal, 4-6]" in zoomed.read_text()
