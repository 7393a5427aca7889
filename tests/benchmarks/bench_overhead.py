"""What the pipeline adds to the trainings: the quickstart on a Ray that is already up."""

import logging
import tempfile
from pathlib import Path
from time import perf_counter

import pyarrow.compute as pc
import ray
from reports import machine, save, show

from core.training import FULLY_CONNECTED
from pipeline.executors import run_on_ray
from pipeline.plans import finished_indices
from pipeline.storage.store import Store
from pipeline.sweep import run_sweep
from pipeline.sweep_files.loading import load_sweep

WORKERS = 2
WARM_UP = "name: warm\ndataset: digits\ndepth: 2\nactivation: tanh\nlearning_rate: [0.1, 0.2]\n"


def run(sweep: str, folder: Path) -> tuple[float, float]:
    """Wall seconds of a sweep, and the seconds of all its trainings together."""
    store, asked = Store(folder / "store", FULLY_CONNECTED), load_sweep(sweep)
    began = perf_counter()
    with store.writing():
        run_sweep(asked, finished_indices(asked.grid, store), store, run_on_ray, lambda found: None)
    wall = perf_counter() - began
    trainings = (pc.sum(rows["wall_seconds"]) for rows in store.batches("runs", ["wall_seconds"]))
    return wall, sum(seconds.as_py() for seconds in trainings)


def main() -> None:
    """Overhead: how much longer the sweep takes than its trainings on busy workers would."""
    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, logging_level="ERROR")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "warm").mkdir()
        (folder / "warm.yaml").write_text(WARM_UP)
        run(str(folder / "warm.yaml"), folder / "warm")
        wall, trainings = run("quickstart", folder)
    overhead = wall * WORKERS / trainings - 1
    show(
        f"The quickstart on {WORKERS} workers",
        ["wall seconds", "trainings' seconds, both workers", "overhead"],
        [[f"{wall:.1f}", f"{trainings:.1f}", f"{overhead:.1%}"]],
    )
    save("overhead", {"machine": machine("ray"), "wall": wall, "trainings": trainings})


if __name__ == "__main__":
    main()
