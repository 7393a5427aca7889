"""Small real sweeps for the pipeline's tests."""

import textwrap

import pytest

from core.trials import Trial
from pipeline.grids.grid import Grid
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


@pytest.fixture
def write_sweep(tmp_path):
    """Writes a sweep file and loads it."""

    def write(text=SMALL, **changes):
        lines = [f"{name}: {value}" for name, value in changes.items()]
        kept = [
            line for line in textwrap.dedent(text).splitlines() if line.split(":")[0] not in changes
        ]
        path = tmp_path / "sweep.yaml"
        path.write_text("\n".join([*kept, *lines]))
        return load_sweep(path)

    return write


@pytest.fixture
def small_sweep(write_sweep):
    """192 trainings that take well under a second and show every outcome."""
    return write_sweep()
