"""What must hold of a Ray job: its store outlives it, and it trains on the cluster.

Ray runs a job on the head, in a temporary copy of the folder that it was submitted from.
"""

import os
from pathlib import Path

import core
from core.trainers import Trainer
from pipeline.clusters.connections import ClusterError
from pipeline.storage.store import Store, StoreError

# Below Ray's temporary folder, where it unpacks what `ray job submit --working-dir` sent.
WORKING_COPIES = ("runtime_resources", "working_dir_files")
# What Ray sets for the command of a job.
JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"


def require_cluster_of_job(address: str | None, on_ray: bool) -> None:
    """Refuse a job that would train beside its cluster, or with other code than its nodes have.

    Args:
        address: Of the cluster that was asked for.
        on_ray: Whether the command may train on Ray at all.

    Raises:
        ClusterError: With the remedy.
    """
    package = Path(core.__file__).parent
    if _is_working_copy(package):
        raise ClusterError(
            f"this job would train with the code in {package}, a copy of the folder that it was "
            "submitted from, and not with the installed phasesweep; submit it from a folder that "
            f"has no {package.name}, pipeline or analysis"
        )
    if JOB in os.environ and address is None and on_ray:
        raise ClusterError(
            "this is a job of a Ray cluster, which would train on the head alone; add --address "
            "auto for all nodes, or --executor serial"
        )


def lasting_store(location: str | Path, trainer: Trainer) -> Store:
    """The store at a path or URL.

    Raises:
        StoreError: It cannot be used; or the path is relative, and this is the working copy of a
            Ray job, which Ray deletes and the next job does not find.
    """
    if str(location).startswith("~"):  # quoted, so that no shell has replaced it
        location = Path(location).expanduser()
    folder = Path.cwd()
    if _is_relative(str(location)) and _is_working_copy(folder):
        raise StoreError(
            f"--store {location} is relative, and the current folder is a Ray job's temporary copy "
            f"({folder}), which the next job does not find; give --store {Path.home() / location}, "
            "which is on the node of the driver, or --store s3://bucket/prefix"
        )
    return Store(location, trainer)


def _is_relative(location: str) -> bool:
    return "://" not in location and not Path(location).is_absolute()


def _is_working_copy(folder: Path) -> bool:
    return set(WORKING_COPIES) <= set(folder.parts)
