"""What tracing a boundary costs and misses, on dense maps that are really trained; planning time.

Each dense map is trained once, through the pipeline. Then the same cells are traced from its rows:
the share that a traced sweep would train, the share of the dense map's boundary cells (those with a
direct neighbor of another label) that the inferred map does not show, and the share of wrong labels
beside the audit's bound. Last, the driver's time for the rounds of a large map. Timings are of one
run.

    .venv/bin/python tests/benchmarks/bench_tracing.py [values per axis, 257 if not given]
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from reports import machine, save

os.environ.setdefault("RAY_AUTH_TOKEN", os.urandom(32).hex())
sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline" / "tracing"))

from maps import boundary, julia, traced

from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline.batches import round_batches
from pipeline.executors import run_on_ray
from pipeline.grids.grid import Grid
from pipeline.storage.store import Store
from pipeline.sweep import run_sweep
from pipeline.sweep_files.loading import SHIPPED, load_sweep
from pipeline.tracing.audits import sample
from pipeline.tracing.labels import labelings
from pipeline.tracing.panels import Panels
from pipeline.tracing.tracer import Tracer
from pipeline.tracing.traces import Trace

PLANNED = 2049  # values per axis of the map whose rounds are timed

# Of all maps but the shipped sweep `fractal`, which has a file of its own.
COMMON = """
dataset: digits
examples: 24
activation: tanh
dtype: float64
measure: []
"""
MAPS = {
    "rates of two layers": """
depth: 2
width: 8
biases: none
features: standardized
loss: mse
learning_rate: 1
learning_rate_first: {{geomspace: [1.0e-3, 1.0e+3, {count}]}}
learning_rate_last: {{geomspace: [1.0e-3, 1.0e+3, {count}]}}
steps: 60
""",
    "init scale and rate": """
depth: 4
width: 8
init_scale: {{geomspace: [0.1, 30, {count}]}}
learning_rate: {{geomspace: [1.0e-3, 1.0e+3, {count}]}}
steps: 40
""",
}
TRACED = {
    "rates of two layers": ("fractal_converged", "diverged", "trained"),
    "init scale and rate": ("trained", "diverged", "outcome"),
    "fractal": ("fractal_converged",),
}


def dense(name, count, folder):
    """The sweep of a map, the labels of all of its cells by name, and the seconds it took."""
    path = Path(folder) / "map.yaml"
    path.write_text(text_of(name, count))
    sweep, store = load_sweep(path), Store(Path(folder) / name.replace(" ", "_"), FULLY_CONNECTED)
    began = perf_counter()
    with store.writing():
        run_sweep(sweep, plans.standing(sweep, store), store, run_on_ray, lambda ended: None)
    seconds = perf_counter() - began
    labelings_of = {of: labelings(FULLY_CONNECTED)[of] for of in TRACED[name]}
    labels = {of: np.empty(sweep.grid.size, np.int8) for of in labelings_of}
    columns = {labeling.column for labeling in labelings_of.values()}
    for rows in store.batches("runs", [*FULLY_CONNECTED.settings, *columns]):
        cells, _ = sweep.grid.numbers(rows)
        for of, labeling in labelings_of.items():
            labels[of][cells] = labeling.labels(rows[labeling.column])
    return sweep, labels, seconds


def text_of(name, count):
    """The sweep file of a dense map with so many values per axis."""
    if name != "fractal":
        return COMMON + MAPS[name].format(count=count)
    shipped = re.sub(r"(?m)^trace:.*$", "", (SHIPPED / "fractal.yaml").read_text())
    return re.sub(r", \d+\]}", f", {count}]}}", shipped)


def compared(sweep, dense_labels, of):
    """What tracing a label comes to, beside the dense map."""
    axes = [name for name, values in sweep.grid.values.items() if len(values) > 1]
    panels = Panels(sweep.grid, axes)
    cells = panels.cells(0, np.arange(sweep.grid.size))[:, 0]
    labels = dense_labels[of][cells].reshape(panels.shape)
    drawn = sample(panels.identity(0), panels.axes, labels.size)
    found = traced(labels, drawn=drawn)
    return {
        "of": of,
        "boundary_cells": round(float(boundary(labels).mean()), 4),
        "trained": round(float(found.share), 4),
        "boundary_missed": round(float(found.missed), 4),
        "boundary_wrong": round(float((found.inferred != labels)[boundary(labels)].mean()), 4),
        "wrong": round(float(found.wrong), 5) if not found.trained.all() else 0.0,
        "bound": round(found.audit.bound, 5),
        "rounds": len({(step.level, step.reason) for step in found.asked}),
    }


def planned(count):
    """Seconds of the driver for each round of a large map: reading rows, planning, batches."""
    values = tuple(np.geomspace(1e-3, 10, count).tolist())
    one = load_sweep("quickstart").grid
    axes = {name: values[:1] for name, values in one.axes.items()}
    grid = Grid(FULLY_CONNECTED.trial, {**axes, "init_scale": values, "learning_rate": values})
    tracer = Tracer(grid, FULLY_CONNECTED, Trace(("init_scale", "learning_rate"), "trained"))
    labels = np.array(["slow", "trained"])[julia(count, count).ravel()]
    rounds, began = [], perf_counter()
    while len(following := tracer.next_round()):
        of_plan, began = perf_counter() - began, perf_counter()
        list(round_batches(grid, FULLY_CONNECTED, infos(), following.cells, following.asked))
        of_batches = perf_counter() - began
        rows, began = rows_at(grid, following.cells, labels), perf_counter()
        tracer.learn(rows)
        rounds.append(
            {
                "trials": len(following),
                "plan_seconds": round(of_plan, 3),
                "batches_seconds": round(of_batches, 3),
                "learn_seconds": round(perf_counter() - began, 3),
            }
        )
        began = perf_counter()
    return rounds


def infos():
    """Sizes of the bundled data sets."""
    return load_sweep("quickstart").infos


def rows_at(grid, cells, labels):
    """Rows as a store would give them."""
    columns = {}
    for factor, own in zip(grid.factors, grid.combinations(cells), strict=True):
        for name, values in factor.values.items():
            columns[name] = pa.array(values).take(pa.array(factor.places[name][own]))
    return pa.RecordBatch.from_pydict({**columns, "outcome": pa.array(labels[cells].tolist())})


def main():
    """Measure all of it; prints and saves one JSON document."""
    count = int(sys.argv[1]) if sys.argv[1:] else 257
    measured = {"values_per_axis": count, "maps": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name in TRACED:
            sweep, labels, seconds = dense(name, count, folder)
            found = [compared(sweep, labels, of) for of in TRACED[name]]
            measured["maps"][name] = {"dense_seconds": round(seconds, 1), "traced": found}
    measured["rounds"] = planned(PLANNED)
    print(json.dumps(measured, indent=2))
    save("tracing", {"machine": machine("ray", "pyarrow"), **measured})


if __name__ == "__main__":
    main()
