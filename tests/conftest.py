"""What every test may ask for, and the environment in which all of them run."""

import gc
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace

# Before NumPy loads its BLAS: tests compare bits, and share the machine's cores.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# A local Ray takes the token it finds here; without one it would write into the home folder.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import numpy as np
import pytest

from core.training import FULLY_CONNECTED
from pipeline.claims import claim_sweeps, run_claims
from pipeline.grids.grid import Grid
from pipeline.storage.store import Store

# Files of few tests that take long.
LONG = {"test_contributing.py", "test_slurm.py", "test_manifests.py", "test_object_store.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: at the end one worker would be left alone with it."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_unconfigure() -> None:
    """Let go of Hypothesis' hook in the garbage collector: DuckDB would report it as a leak."""
    gc.callbacks.clear()


@pytest.fixture
def rng() -> np.random.Generator:
    """The random numbers of a test, the same in every run."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """A Ray of two CPUs on this machine, started once: that takes seconds."""
    import ray  # Seconds too: only the tests that ask for the cluster pay for it.

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def claim_experiments():
    """The claim sweeps with every second learning rate and seed: the same questions, sooner."""
    thinned = ("learning_rate", "seed")
    return [
        replace(
            sweep,
            grid=Grid(
                sweep.trainer.trial,
                {n: v[::2] if n in thinned else v for n, v in sweep.grid.axes.items()},
                sweep.grid.together,
                sweep.grid.where,
            ),
        )
        for sweep in claim_sweeps()
    ]


@pytest.fixture(scope="session")
def claims_store(claim_experiments, tmp_path_factory):
    """The store of those experiments, measured once; only read it."""
    store = Store(tmp_path_factory.mktemp("claims") / "store", FULLY_CONNECTED)
    with store.writing():
        assert run_claims(claim_experiments, store, lambda told: None) == []
    return store.path
