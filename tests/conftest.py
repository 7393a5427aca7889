"""What every test may ask for, and the environment in which all of them run."""

import fcntl
import gc
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

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


@contextmanager
def made_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that xdist's workers share, and whether its content is still to be made.

    The others wait until the first of them has made it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)
        yield folder, not done.exists()
        done.touch()


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
    with made_once(tmp_path_factory, "claims") as (folder, to_be_made):
        store = Store(folder / "store", FULLY_CONNECTED)
        if to_be_made:
            with store.writing():
                assert run_claims(claim_experiments, store, lambda told: None) == []
    return store.path
