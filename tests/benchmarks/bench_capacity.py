"""How many workers one driver keeps busy: the real driver on a simulated cluster.

First it measures on a real Ray of this machine what its calls take of the driver. Then sweeps of
short and long trainings run through planning, the supply of batches, the submission window, the
writer and its commits, all as in any run; only Ray is simulated: 4,000 workers whose batches take
random times, a few of them far longer, and one batch in a hundred is lost with its node. The
store's every request takes as long as one to a bucket.

    .venv/bin/python tests/benchmarks/bench_capacity.py
"""

import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from functools import partial
from math import inf
from pathlib import Path
from time import perf_counter, thread_time

import duckdb
import numpy as np
import pyarrow as pa
import ray
from reports import machine, save, show

os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

from simulated_ray import Clock, Costs, SimulatedRay

from core.settings import Trials
from core.training import FULLY_CONNECTED
from pipeline import executors
from pipeline import sweep as sweeps
from pipeline.batches import batch_seconds, batches
from pipeline.clusters import connections
from pipeline.executors import run_on_ray
from pipeline.grids.grid import Grid
from pipeline.plans import finished_indices
from pipeline.storage.locks import Hold
from pipeline.storage.schemas import Rows, rows_of
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep

WORKERS = 4000
LOST_SHARE = 0.01
# Seconds of a training, and how many of them a run has: more than the workers have waiting at once,
# except for the shortest, which the driver cannot keep them all supplied with.
TRAININGS = {0.025: 500_000, 0.1: 900_000, 1.0: 200_000, 10.0: 20_000}
# What a training has in other tables: as many rows as the quickstart's on average.
DEPTH = 12
ROWS = {"layers": DEPTH, "curves": 18}
# Trainings whose numbers are drawn; those of batches are cut from them.
POOL = 20_000
# A bucket, assumed: what each request takes, and how many bytes go through in a second.
REQUEST_SECONDS, BYTES_A_SECOND = 0.03, 200e6
IN_FLIGHT = (100, 1000, 12_000)
MEASURED_TASKS = 300


def sweep_of(trials, seconds):
    """A grid of so many trainings, each of which is expected to take so long."""
    trainer = replace(
        FULLY_CONNECTED,
        seconds=lambda trial, data: seconds,
        start_seconds=lambda trial, data: 0.0,
        prepare=None,
    )
    rates, scales = 50, 10
    axes = {
        "dataset": ("digits",),
        "examples": (24,),
        "features": ("standardized",),
        "depth": (DEPTH,),
        "width": (8,),
        "activation": ("linear", "tanh"),
        "initializer": ("gaussian",),
        "init_scale": tuple(np.linspace(0.5, 2, scales).tolist()),
        "bias_scale": (0.0,),
        "learning_rate": tuple(np.geomspace(1e-4, 10, rates).tolist()),
        "loss": ("cross_entropy",),
        "steps": (10,),
        "seed": tuple(range(trials // (2 * rates * scales))),
        "dtype": ("float32",),
        "measure": ("none",),
    }
    return Sweep("capacity", Grid(trainer.trial, axes), {}, trainer)


class MadeUp:
    """Makes rows as training would, their numbers random: they compress worse than real ones."""

    def __init__(self, trainer):
        """Draw the rows that all batches are cut from, with ids of their own."""
        rng, grid = np.random.default_rng(0), sweep_of(1000, 1.0).grid
        runs = {column.name: [None] * POOL for column in trainer.results}
        numbers = [column.name for column in trainer.results if column.kind is float]
        runs |= dict(zip(numbers, rng.random((len(numbers), POOL)), strict=True))
        runs["outcome"] = ["slow"] * POOL
        runs |= {column.name: [1] * POOL for column in trainer.results if column.kind is int}
        found = {"runs": runs}
        for name, rows in ROWS.items():
            first, *others = (column.name for column in trainer.tables[name].columns)
            found[name] = {
                "place": np.repeat(np.arange(POOL), rows),
                first: np.tile(np.arange(rows), POOL),
                **{column: rng.random(rows * POOL) for column in others},
            }
        self._pool = rows_of(trainer, Trials.of([grid[0]] * POOL), found, "")
        self._begin = 0

    def __call__(self, batch):
        """The rows of a batch."""
        self._begin = self._begin if self._begin + len(batch) <= POOL else 0
        ids = pa.array(batch.trials.ids())
        tables = {}
        for name, table in self._pool.tables.items():
            each = ROWS.get(name, 1)
            own = table.slice(each * self._begin, each * len(batch))
            places = pa.array(np.repeat(np.arange(len(batch)), each))
            tables[name] = _with(own, "trial_id", ids.take(places))
        tables["runs"] = _with(tables["runs"], "batch_id", pa.repeat(batch.batch_id, len(batch)))
        self._begin += len(batch)
        return Rows(tables)


def _with(table, name, values):
    """A table with other values in a column."""
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), values)


def measured_costs(seconds):
    """What Ray's calls take of the driver, with the batches of trainings of so many seconds."""
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    sweep = sweep_of(100_000, seconds)
    many = executors.TASKS_PER_CPU * WORKERS
    nothing = np.empty(0, np.int64)
    todo = batches(sweep.grid, sweep.trainer, sweep.infos, nothing, lambda: many)
    todo = [batch for batch, _ in zip(todo, range(MEASURED_TASKS), strict=False)]
    rows = MadeUp(sweep.trainer)(max(todo, key=len))
    task = ray.remote(num_cpus=1)(lambda work, batch, expected: work)
    work, expected = ray.put(rows), executors.software()
    ray.get([task.remote(work, batch, expected) for batch in todo[:20]])
    began = thread_time()
    tasks = [task.remote(work, batch, expected) for batch in todo]
    submit = (thread_time() - began) / len(todo)
    ray.wait(tasks, num_returns=len(tasks))
    began = thread_time()
    for each in tasks:
        ray.get(each)
    take = (thread_time() - began) / len(todo)
    began = thread_time()
    for _ in range(100):
        ray.cluster_resources()
    count_cpus = (thread_time() - began) / 100
    return Costs(submit, take, {n: _wait(n, todo[0]) for n in IN_FLIGHT}, count_cpus)


def _wait(in_flight, batch):
    """Seconds to wait for a hundredth of so many tasks, the median of some times."""
    stay = ray.remote(num_cpus=1)(lambda batch: time.sleep(10_000))
    end = ray.remote(num_cpus=0)(lambda batch: None)
    share = int(executors.SHARE_AT_ONCE * in_flight)
    staying = [stay.remote(batch) for _ in range(in_flight - share)]
    ending = [end.remote(batch) for _ in range(share)]
    ray.wait(ending, num_returns=share)
    mixed = np.random.default_rng(0).permutation(np.array([*staying, *ending], object)).tolist()
    seconds = []
    for _ in range(9):
        began = thread_time()
        ray.wait(mixed, num_returns=share, timeout=5)
        seconds.append(thread_time() - began)
    for each in staying:
        ray.cancel(each, force=True)
    return float(np.median(seconds))


def simulated(seconds, workers, costs, folder):
    """A run of trainings of so many seconds, from its plan to its last commit."""
    clock = Clock()
    sweep = sweep_of(TRAININGS[seconds], seconds)
    expected = partial(batch_seconds, trainer=sweep.trainer, datasets=sweep.infos)
    simulation = SimulatedRay(clock, costs, workers, expected, MadeUp(sweep.trainer), LOST_SHARE)
    _simulate(simulation)
    store = Store(folder, sweep.trainer)
    with store.writing():
        _like_a_bucket(store, clock)
        commits = _timed_commits(store, clock)
        finished = finished_indices(sweep.grid, store)
        report = sweeps.run_sweep(sweep, finished, store, run_on_ray, lambda found: None)
    sys.modules["ray"] = ray
    return {"rows": report.outcomes.total(), **_judged(simulation, sweep, store, commits)}


def _simulate(simulation):
    """Let the driver have the simulated Ray and its clock."""
    sys.modules["ray"] = simulation
    # A thread asks for the nodes, in real time: simulated time would leave its answers behind.
    connections.SILENT_SECONDS = inf
    for name, module in list(sys.modules.items()):
        if name.startswith("pipeline.") and hasattr(module, "monotonic"):
            module.monotonic = simulation.clock.now


def _like_a_bucket(store, clock):
    """Let each request of the store take as long as one to a bucket."""
    files, read, write = store.files, store.files.read, store.files.write

    def slow_read(name):
        clock.add(REQUEST_SECONDS, "bucket")
        return read(name)

    def slow_write(name, content):
        clock.add(REQUEST_SECONDS + len(content) / BYTES_A_SECOND, "bucket")
        write(name, content)

    files.read, files.write = slow_read, slow_write
    # Each table's part is preceded by a look at the lease.
    store._hold = Hold(partial(clock.add, REQUEST_SECONDS, "bucket"))


def _timed_commits(store, clock):
    """The seconds of every commit, as they come."""
    seconds, commit = [], store.commit

    def timed(rows):
        began = clock.now()
        commit(rows)
        seconds.append(clock.now() - began)

    store.commit = timed
    return seconds


def _judged(simulation, sweep, store, commits):
    """What the driver can do when it never waits, and whether every row is there once."""
    clock, tasks = simulation.clock, simulation.ended
    query = f"SELECT count(*), count(DISTINCT trial_id) FROM '{store.path}/runs/*.parquet'"
    [(rows, trials)] = duckdb.sql(query).fetchall()
    size = sum(file.stat().st_size for file in store.path.rglob("*.parquet"))
    ray_seconds, waited = clock.spent["Ray"], clock.spent.get("waiting", 0.0)
    worked, writing = clock.now() - waited, sum(commits)
    return {
        "trainings_a_batch": round(rows / (tasks - simulation.lost), 1),
        "batches_a_second": round(tasks / worked),
        "trainings_a_second": round(rows / worked),
        "workers_kept_busy": round(simulation.busy / worked),
        "microseconds_a_batch": {
            "Ray": round(1e6 * ray_seconds / tasks),
            "commits": round(1e6 * writing / tasks),
            "the rest": round(1e6 * (worked - ray_seconds - writing) / tasks),
        },
        "simulated_seconds": round(clock.now(), 1),
        "driver_busy": round(worked / clock.now(), 3),
        "most_in_flight": simulation.most_in_flight,
        "batches_lost": simulation.lost,
        "rows_lost": sweep.grid.size - trials,
        "rows_doubled": rows - trials,
        "bytes_a_training": round(size / rows),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def in_a_process(*arguments):
    """What a part of this benchmark measures in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def _costs(document):
    return Costs(**document | {"waits": {int(n): s for n, s in document["waits"].items()}})


def main():
    """Measure Ray, then simulate; prints and saves a table."""
    found = {}
    for seconds in TRAININGS:
        costs = in_a_process("costs", seconds)
        found[seconds] = in_a_process("run", seconds, WORKERS, json.dumps(costs)) | {"ray": costs}
    show(
        f"{WORKERS:,} workers",
        ["a training", "trainings a batch", "microseconds a batch: Ray", "commits", "the rest",
         "batches/s", "trainings/s", "workers kept busy", "in flight", "lost batches", "rows lost",
         "doubled", "MB"],
        [
            [f"{seconds:g} s", run["trainings_a_batch"], *run["microseconds_a_batch"].values(),
             f"{run['batches_a_second']:,}", f"{run['trainings_a_second']:,}",
             f"{run['workers_kept_busy']:,}", f"{run['most_in_flight']:,}", run["batches_lost"],
             run["rows_lost"], run["rows_doubled"], run["peak_memory_mb"]]
            for seconds, run in found.items()
        ],
    )  # fmt: skip
    save("capacity", {"machine": machine("ray", "pyarrow"), "runs": found})


if __name__ == "__main__":
    if sys.argv[1:2] == ["costs"]:
        print(json.dumps(asdict(measured_costs(float(sys.argv[2])))))
    elif sys.argv[1:2] == ["run"]:
        seconds, workers, costs = float(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
        began = perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            run = simulated(seconds, workers, _costs(costs), Path(scratch) / "store")
        print(json.dumps(run | {"took": round(perf_counter() - began)}), flush=True)
    else:
        main()
