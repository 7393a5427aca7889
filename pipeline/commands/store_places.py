"""The place of the store that a command writes: it must outlive the command."""

from pathlib import Path

from core.trainers import Trainer
from pipeline.storage.store import Store, StoreError

# Below Ray's temporary folder, where it unpacks what `ray job submit --working-dir` sent.
WORKING_COPIES = ("runtime_resources", "working_dir_files")


def lasting_store(location: str | Path, trainer: Trainer) -> Store:
    """The store at a path or URL.

    Raises:
        StoreError: It cannot be used; or the path is relative, and this is the working copy of a
            Ray job, which Ray deletes and the next job does not find.
    """
    folder = Path.cwd()
    if _is_relative(str(location)) and set(WORKING_COPIES) <= set(folder.parts):
        raise StoreError(
            f"--store {location} is relative, and the current folder is a Ray job's temporary copy "
            f"({folder}), which the next job does not find; give --store {Path.home() / location}, "
            "which is on the node of the driver, or --store s3://bucket/prefix"
        )
    return Store(location, trainer)


def _is_relative(location: str) -> bool:
    return "://" not in location and not Path(location).is_absolute()
