"""Weights that start at 0, as in linear regression: every figure and page shows them."""

import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest

import analysis
from analysis.atlas.page import atlas
from analysis.figures.gallery import SHOWN
from analysis.figures.named import FIGURES, TABLES
from analysis.reading.stores import UnsuitableRunsError, read_runs
from analysis.tables.views import EVERYTHING, View
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import load_sweep

CELLS = Path(analysis.__file__).parent / "atlas" / "web" / "cells.js"
SWEEP = """
dataset: digits
examples: 24
depth: [1, 3]
width: 6
activation: [linear, tanh]
init_scale: {scales}
bias_scale: {bias}
learning_rate: {{geomspace: [1.0e-3, 100, 4]}}
steps: 6
seed: [0, 1]
loss: mse
measure: [signal, sharpness, sharpness_curve, preconditioned_sharpness]
"""


@pytest.fixture(
    scope="module", params=[("[0, 0.5, 1]", 0), ("0", 0)], ids=["zero and others", "zero alone"]
)
def zero_store(request, tmp_path_factory):
    """A store of a sweep with an init scale of 0; only read it."""
    scales, bias = request.param
    folder = tmp_path_factory.mktemp("zero")
    (folder / "zero.yaml").write_text(SWEEP.format(scales=scales, bias=bias))
    sweep, made = load_sweep(str(folder / "zero.yaml")), Store(folder / "store", FULLY_CONNECTED)
    with made.writing():
        finished = plans.finished_indices(sweep.grid, made)
        sweeps.run_sweep(sweep, finished, made, run_serially, lambda found: None)
    return made.path


@pytest.mark.parametrize("name", [*SHOWN, "thresholds"])
def test_a_figure_is_drawn(zero_store, name):
    """Without a warning; chi alone needs weights that pass a gradient."""
    if name == "chi" and not read_runs(zero_store)["init_scale"].any():
        with pytest.raises(UnsuitableRunsError, match="init_scale above 0"):
            FIGURES[name](zero_store, None, EVERYTHING)
        return
    FIGURES[name](zero_store, None, EVERYTHING).savefig(BytesIO(), format="png", dpi=50)


def test_every_table_is_made(zero_store):
    """Without a warning; a dimension needs a larger map."""
    for name in TABLES.keys() - {"dimension"}:
        TABLES[name](zero_store, None, EVERYTHING)


def test_the_map_marks_the_zero(zero_store):
    """At the low end of its axis, in a row of its own."""
    panel = FIGURES["stability_map"](zero_store, None, View(y="init_scale")).axes[0]
    panel.figure.draw_without_rendering()
    low, high = panel.get_ylim()
    labels = [
        label.get_text()
        for label, place in zip(panel.get_yticklabels(), panel.get_yticks(), strict=True)
        if low < place < high
    ]
    assert labels[0] == "0"


def test_the_atlas_is_made(zero_store, monkeypatch):
    """With its gallery, whose other figures are drawn above."""
    monkeypatch.setattr("analysis.figures.gallery.SHOWN", ("outcome_shares",))
    assert "<h2" in atlas(zero_store)


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js here to run the page's code")
@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0, 0.5, 1], [2**-2.5, 2**-1.5, 2**-0.5, 2**0.5]),
        ([0, 1], [2**-1.5, 2**-0.5, 2**0.5]),
        ([0], [-0.25, 0.25]),
        ([1, 2], [2**-0.5, 2**0.5, 2**1.5]),
    ],
)
def test_the_page_gives_a_zero_a_cell_of_its_own(values, edges):
    """On a log axis, one step below the others; alone it needs no axis at all."""
    code = f"{CELLS.read_text()}; console.log(JSON.stringify(edgesOf({{values: {values}}})))"
    ran = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == pytest.approx(edges)
