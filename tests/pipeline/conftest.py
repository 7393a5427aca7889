"""Small real sweeps for the pipeline's tests."""

import shutil
import textwrap
from functools import partial

import pytest

from core.training import FULLY_CONNECTED
from core.trials import Trial
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.grids.grid import Grid
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import load_sweep

SMALL = """
name: small
dataset: digits
examples: 24
depth: [2, 4]
width: 6
activation: [tanh, relu]
init_scale: [0.5, 1, 8, 1.0e+5]
learning_rate: {geomspace: [1.0e-3, 100, 6]}
steps: 12
seed: [0, 1]
"""

ONE_CELL = {
    "dataset": ("digits",),
    "examples": (24,),
    "features": ("standardized",),
    "depth": (2,),
    "width": (6,),
    "activation": ("tanh",),
    "initializer": ("gaussian",),
    "init_scale": (1.0,),
    "bias_scale": (0.0,),
    "learning_rate": (0.1,),
    "loss": ("cross_entropy",),
    "steps": (12,),
    "seed": (0,),
    "dtype": ("float32",),
    "measure": ("none",),
}


@pytest.fixture(scope="session")
def grid_of():
    """Makes the grid with these values on some axes, and one on all others."""
    return lambda **axes: Grid(Trial, {**ONE_CELL, **axes})


@pytest.fixture(scope="session")
def sweep_in():
    """Writes a sweep file into a folder and loads it."""

    def write(folder, text=SMALL, **changes):
        lines = [f"{name}: {value}" for name, value in changes.items()]
        kept = [
            line for line in textwrap.dedent(text).splitlines() if line.split(":")[0] not in changes
        ]
        path = folder / "sweep.yaml"
        path.write_text("\n".join([*kept, *lines]))
        return load_sweep(path)

    return write


@pytest.fixture
def write_sweep(sweep_in, tmp_path):
    """Writes a sweep file into the test's folder and loads it."""
    return partial(sweep_in, tmp_path)


@pytest.fixture
def small_sweep(write_sweep):
    """192 trainings that take well under a second and show every outcome."""
    return write_sweep()


@pytest.fixture(scope="session")
def kept_store(sweep_in, tmp_path_factory):
    """The small sweep's store, of many small files; only read it."""
    folder = tmp_path_factory.mktemp("kept")
    sweep, store = sweep_in(folder), Store(folder / "store", FULLY_CONNECTED)
    with pytest.MonkeyPatch.context() as patch, store.writing():
        patch.setattr("pipeline.cuts.BATCH_SECONDS", 0.02)
        patch.setattr(sweeps, "COMMIT_SECONDS", 0.0)
        finished = plans.finished_indices(sweep.grid, store)
        sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)
    assert len(store.parts("runs")) > 3
    return store


@pytest.fixture
def own_store(kept_store, tmp_path):
    """A copy of it for the test alone."""
    return Store(shutil.copytree(kept_store.path, tmp_path / "store"), FULLY_CONNECTED)
