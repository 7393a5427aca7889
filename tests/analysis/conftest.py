"""One small real sweep that the analysis tests read, and runs made by hand."""

import pandas as pd
import pytest

from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.store import Store
from pipeline.sweep_file import load_sweep

SMALL = """
name: small
dataset: digits
examples: 24
depth: [2, 12]
width: 6
activation: [tanh, relu]
init_scale: {geomspace: [0.25, 4, 4]}
learning_rate: {geomspace: [1.0e-4, 100, 6]}
steps: 20
seed: [0, 1]
measure: [signal, sharpness]
"""


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store of 192 trainings; only read it."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(SMALL)
    sweep, small = load_sweep(str(folder / "small.yaml")), Store(folder / "store")
    with small.writing():
        finished = sweeps.finished_indices(sweep.grid, small)
        sweeps.run_sweep(sweep, finished, small, run_serially, lambda found: None)
    return small.path


@pytest.fixture
def runs(store):
    """The small sweep's runs, read without phasesweep."""
    return pd.read_parquet(store / "runs")


@pytest.fixture
def make_runs():
    """Makes runs by hand: equal lists by column, or one value for all; the rest is filled in."""

    def make(**columns):
        settings = {"activation": "tanh", "depth": 2, "init_scale": 1.0, "seed": 0, "cause": None}
        return pd.DataFrame({**settings, **columns})

    return make
