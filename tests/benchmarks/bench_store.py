"""What the driver and the store hold: rows a second, memory, files, resuming, planning.

A sweep of 10^5 and one of 10^6 trials run through Ray and the store as any other, with work
that trains nothing: it makes each trial's row in `runs` and a curve of two points. Each run
is a process of its own, so that its peak memory is its own. Timings are of one run.

    .venv/bin/python tests/benchmarks/bench_store.py
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from reports import machine, save

os.environ.setdefault("RAY_AUTH_TOKEN", os.urandom(32).hex())

from core.training import FULLY_CONNECTED
from pipeline import sweep as sweeps
from pipeline.executors import run_on_ray
from pipeline.grids.grid import Grid
from pipeline.plans import finished_indices, plan
from pipeline.storage.compaction import compact
from pipeline.storage.schemas import rows_of
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep

CPUS = 2
SIZES = (100_000, 1_000_000)
PLANNED = 10**9

# What one training came to, but for its losses.
RESULT = {
    "outcome": "slow",
    "baseline_loss": 2.302585,
    "final_accuracy": 0.125,
    "fractal_converged": True,
    "chi_theory": 1.0,
    "steps_run": 1,
    "wall_seconds": 0.0,
}
LOSSES = ("initial_loss", "final_loss", "peak_loss", "tail_loss", "late_change", "late_rise")


def untrained(batch):
    """Rows as training would make them, the losses random: they compress as badly as real ones."""
    trials, count = batch.trials, len(batch)
    rng = np.random.default_rng(int(batch.batch_id[:8], 16))
    losses = rng.uniform(0, 3, (len(LOSSES), count))
    runs = {column.name: [RESULT.get(column.name)] * count for column in FULLY_CONNECTED.results}
    runs |= dict(zip(LOSSES, losses, strict=True))
    curves = {
        "place": np.repeat(np.arange(count), 2),
        "step": np.tile([0, 1], count),
        **dict.fromkeys(("loss", "gradient_norm", "sharpness"), losses[:2].T.ravel()),
    }
    layers = {column.name: [] for column in FULLY_CONNECTED.tables["layers"].columns}
    found = {"runs": runs, "layers": {"place": [], **layers}, "curves": curves}
    return rows_of(FULLY_CONNECTED, trials, found, batch.batch_id)


def sweep_of(trials, depths=5, widths=1):
    """A grid of so many trials: 4 activations x depths x widths, each with rates and seeds."""
    seeds = trials // (4 * depths * widths) // 100
    return Sweep(
        "scale",
        Grid(
            FULLY_CONNECTED.trial,
            {
                "dataset": ("digits",),
                "examples": (24,),
                "features": ("standardized",),
                "depth": tuple(range(2, 2 + depths)),
                "width": tuple(range(8, 8 + widths)),
                "activation": ("linear", "relu", "sigmoid", "tanh"),
                "initializer": ("gaussian",),
                "init_scale": (1.0,),
                "bias_scale": (0.0,),
                "learning_rate": tuple(np.geomspace(1e-4, 10, 100).tolist()),
                "loss": ("cross_entropy",),
                "steps": (1,),
                "seed": tuple(range(seeds)),
                "dtype": ("float32",),
                "measure": ("none",),
            },
        ),
        {},
        FULLY_CONNECTED,
    )


def run(trials, folder, stop_after=None):
    """One driver from start to end; returns what was measured of it."""
    import ray  # only the drivers need it

    ray.init(
        address="local",
        num_cpus=CPUS,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    sweep, store = sweep_of(trials), Store(folder, FULLY_CONNECTED)
    began, used = perf_counter(), process_time()
    first = []

    def watch(found):
        first.append(perf_counter() - began)

    with store.writing():
        finished = finished_indices(sweep.grid, store)
        resumed_in = perf_counter() - began
        execute = partial(_executed, stop_after)
        report = sweeps.run_sweep(sweep, finished, store, execute, watch)
    seconds = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = report.outcomes.total()
    return {
        "trials": trials,
        "rows": rows,
        "rows_a_second": round(rows / seconds),
        "seconds": round(seconds, 2),
        "driver_cpu_seconds": round(process_time() - used, 2),
        "peak_memory_mb": round(peak / 1024, 1),
        "finished_found_after_seconds": round(resumed_in, 2),
        "first_batch_after_seconds": round(first[0], 2),
        "files": files(store),
    }


def _executed(stop_after, work, todo):
    """Ray, with work that trains nothing; ends after so many trials as if it were the end."""
    rows = 0
    for found in run_on_ray(untrained, todo):
        yield found
        rows += len(found.runs)
        if stop_after and rows >= stop_after:
            return


def files(store):
    """Part files by table."""
    return {table: len(store.parts(table)) for table in store.schemas}


def compacted(folder):
    """Time and files of a compaction."""
    store, began = Store(folder, FULLY_CONNECTED), perf_counter()
    with store.writing():
        compact(store)
    return {"seconds": round(perf_counter() - began, 2), "files": files(store)}


def planned(depths, widths):
    """Shapes of a grid of PLANNED trials and the seconds that its plan takes."""
    sweep, began = sweep_of(PLANNED, depths, widths), perf_counter()
    left = plan(sweep, np.empty(0, np.int64))
    assert left.trials == PLANNED
    shapes = 4 * depths * widths
    return {
        "trials": PLANNED,
        "shapes": shapes,
        "priced": left.sampled_shapes or shapes,
        "seconds": round(perf_counter() - began, 4),
    }


def in_a_process(*arguments):
    """What a part of this benchmark measures in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout)


def main():
    """Measure all of it; prints and saves one JSON document."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {trials: Path(scratch) / str(trials) for trials in SIZES}
        measured = {"runs": [in_a_process("run", n, folders[n]) for n in SIZES]}
        half = Path(scratch) / "half"
        in_a_process("run", SIZES[-1], half, SIZES[-1] // 2)
        measured["resumed"] = in_a_process("run", SIZES[-1], half)
        measured["compacted"] = compacted(folders[SIZES[-1]])
    small, large = (one["peak_memory_mb"] for one in measured["runs"])
    measured["memory_growth"] = round(large / small - 1, 3)
    measured["plans"] = [planned(5, 1), planned(125, 10), planned(500, 500)]
    print(json.dumps(measured, indent=2))
    save("store", {"machine": machine("ray", "pyarrow"), **measured})


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        trials, folder, *stop_after = sys.argv[2:]
        print(json.dumps(run(int(trials), folder, *map(int, stop_after))))
    else:
        main()
