"""What shaped the numbers: versions, machine and BLAS. Recorded in the manifest."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from core.trainers import Trainer

PACKAGES = ("phasesweep", "numpy", "scipy", "numba", "llvmlite", "scikit-learn", "pyarrow", "ray")


def provenance(trainer: Trainer) -> dict[str, Any]:
    """Versions of everything that shapes the numbers, and the machine they ran on."""
    return {
        "trainer": trainer.version,
        "versions": {"python": platform.python_version(), **_package_versions()},
        "machine": {
            "system": platform.platform(),
            "cpu": _cpu_model(),
            "cpus": os.cpu_count(),
            "blas": [
                {key: pool.get(key) for key in ("internal_api", "version", "architecture")}
                for pool in threadpool_info()
                if pool.get("user_api") == "blas"
            ],
            "blas_threads_per_task": 1,
        },
    }


def _package_versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
