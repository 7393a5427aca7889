"""What every test may ask for, and the environment in which all of them run."""

import logging
import os
import secrets
from collections.abc import Iterator

# Before NumPy loads its BLAS: tests compare bits, and share the machine's cores.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# A local Ray takes the token it finds here; without one it would write into the home folder.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import numpy as np
import pytest


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
