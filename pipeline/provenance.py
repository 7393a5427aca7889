"""What shaped the numbers: versions, machine and BLAS. Recorded in the manifest and in rows."""

import hashlib
import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from core.trainers import Trainer

PACKAGES = ("phasesweep", "numpy", "scipy", "numba", "llvmlite", "scikit-learn", "pyarrow", "ray")
# Those that train, by the names in messages: they must be the same on every node.
TRAINING = {"NumPy": "numpy", "SciPy": "scipy", "Numba": "numba", "phasesweep": "phasesweep"}
ROOMS = ("core", "pipeline")


@dataclass(frozen=True)
class MachineKind:
    """The kind of machine, within which the same setting gives the same bits.

    Attributes:
        processor: As LLVM calls it, which compiles for it: znver4.
        blas: NumPy's and SciPy's, with the kernels that they chose: openblas 0.3.30 SkylakeX.
    """

    processor: str
    blas: str


@cache
def machine_kind() -> MachineKind:
    """Of the machine that this process runs on."""
    from llvmlite.binding import get_host_cpu_name  # half a second; most commands train nothing

    return MachineKind(get_host_cpu_name(), _blas("architecture"))


@cache
def software() -> dict[str, str]:
    """The versions that must be the same on every node, by name."""
    packages = {name: _version(package) or "none" for name, package in TRAINING.items()}
    packages["phasesweep"] += f" with sources {_sources()}"
    return {
        "Python": platform.python_version(),
        **packages,
        "BLAS": _blas(),
    }


def _sources() -> str:
    """A digest of the code that trains: two checkouts of one version may differ."""
    root, digest = Path(__file__).parents[1], hashlib.blake2b(digest_size=4)
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def provenance(trainer: Trainer) -> dict[str, Any]:
    """Versions of everything that shapes the numbers, and the machine they ran on."""
    versions = {package: _version(package) for package in PACKAGES}
    return {
        "trainer": trainer.version,
        "versions": {"python": platform.python_version(), **versions},
        "machine": {
            "system": platform.platform(),
            "cpu": _cpu_model(),
            "cpus": os.cpu_count(),
            "blas": [
                {key: pool.get(key) for key in ("internal_api", "version", "architecture")}
                for pool in _blas_pools()
            ],
            "blas_threads_per_task": 1,
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _blas(*kernels: str) -> str:
    """Each library with its versions, and with what was asked of its kernels: openblas 0.3.30."""
    versions: dict[tuple[str, ...], set[str]] = {}
    for pool in _blas_pools():
        kind = (str(pool["internal_api"]), *(str(pool.get(name)) for name in kernels))
        versions.setdefault(kind, set()).add(str(pool.get("version")))
    each = [
        " ".join([kind[0], "/".join(sorted(found)), *kind[1:]]) for kind, found in versions.items()
    ]
    return " + ".join(sorted(each)) or "none"


def _blas_pools() -> list[dict[str, Any]]:
    """The BLAS libraries of NumPy and SciPy, whatever this process has imported so far."""
    for package in ("numpy", "scipy.linalg"):
        import_module(package)
    return [pool for pool in threadpool_info() if pool.get("user_api") == "blas"]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
