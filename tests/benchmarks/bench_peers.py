"""Ours beside JAX, PyTorch, joblib, Optuna and Ray Tune on identical work."""

import logging
import os
from statistics import median
from typing import Any

import numpy as np
import our_peer
import ray
import task_peers
from gemm_peer import FLOPS as GEMM_FLOPS
from processes import Processes
from reports import interleaved, machine, save, show
from workloads import CHANGED, WORKLOADS, Floats, Workload

ROUNDS = 9
MOST_SECONDS = 60.0  # of a way on a shape
WARM_UPS = 4  # of ours on Ray: each worker has had a task
TOLERANCE = 1e-3  # relative: float32 losses after up to 500 steps, summed in other orders

OURS = "ours on Ray, 2 workers"
GEMM = "matrix products alone"
# Each library's two ways to use two cores; the better one is compared.
WAYS = {
    "ours serial, 1 core": ("our_peer", 1, 1),
    "JAX, 2 threads": ("jax_peer", 1, 2),
    "JAX, 2 processes": ("jax_peer", 2, 1),
    "PyTorch, 2 threads": ("torch_peer", 1, 2),
    "PyTorch, 2 processes": ("torch_peer", 2, 1),
    GEMM: ("gemm_peer", 2, 1),
}
# The modules that take all steps of CHANGED.
OF_CHANGED = ("our_peer", "jax_peer", "gemm_peer")


def compare(workload: Workload, ways: dict[str, Processes]) -> dict[str, dict[str, Any]]:
    """Each way's seconds and rates, their ratio to ours round by round, and difference in loss."""
    ours = our_peer.prepare_on_ray(workload)
    for _ in range(WARM_UPS):
        expected = ours()
    first = {name: way.load(workload) for name, way in ways.items()}
    runs = {OURS: ours, **{name: way.run for name, way in ways.items()}}
    seconds = interleaved(runs, ROUNDS, MOST_SECONDS)
    found = {}
    for name, rounds in seconds.items():
        typical = median(rounds)
        flops = 2 * GEMM_FLOPS if name == GEMM else workload.flops
        found[name] = {
            "trials_per_second": workload.trials / typical,
            "gflops": flops / typical / 1e9,
            "seconds": rounds,
            "ratio": median(a / b for a, b in zip(rounds, seconds[OURS], strict=False)),
            "least_ratio": min(rounds) / min(seconds[OURS]),
        }
        if name in first and name != GEMM:
            compiled = first[name][0] / median(seconds[OURS])
            found[name]["ratio_with_compiling"] = max(compiled, found[name]["ratio"])
            found[name]["loss_error"] = _error(name, first[name][1], expected)
    return found


def _error(name: str, losses: Floats, expected: Floats) -> float:
    """The largest relative difference from our losses; too large a one ends the benchmark."""
    error = float(np.max(np.abs(losses / expected[: len(losses)] - 1)))
    if not error <= TOLERANCE:
        raise SystemExit(
            f"{name}: final losses differ by {error:.1e} from ours, more than {TOLERANCE:g}"
        )
    return error


def table(workload: Workload, found: dict[str, dict[str, Any]]) -> None:
    """Print one shape's comparison."""
    rows = []
    for name, way in found.items():
        share = f"{way['gflops'] / found[GEMM]['gflops']:.0%}"
        row = [name, f"{way['trials_per_second']:.1f}", f"{way['gflops']:.0f}", share]
        row += [len(way["seconds"]), f"{way['ratio']:.2f}", f"{way['least_ratio']:.2f}"]
        row += [f"{way['loss_error']:.0e}" if "loss_error" in way else ""]
        rows.append(row if name != GEMM else [*row[:1], "", *row[2:5], "", "", ""])
    header = [
        "",
        "trials/s",
        "GFLOP/s",
        "of products alone",
        "rounds",
        "ours is x faster",
        "of least times",
    ]
    show(f"{workload.name}, medians", [*header, "losses differ by"], rows)


def summary(found: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print how many times as long as ours each way takes, shape by shape."""
    shapes = list(found.values())
    rows = []
    for name in WAYS:
        if name != GEMM:
            rows.append([name, *(_factor(shape, name, "ratio") for shape in shapes)])
        if name.startswith("JAX"):
            compiled = (_factor(shape, name, "ratio_with_compiling") for shape in shapes)
            rows.append([f"{name}, with compiling", *compiled])
    shares = (f"{shape[OURS]['gflops'] / shape[GEMM]['gflops']:.0%}" for shape in shapes)
    rows += [
        ["our trials/s", *(f"{shape[OURS]['trials_per_second']:.0f}" for shape in shapes)],
        ["our share of the rate of products alone", *shares],
    ]
    show("Ours on Ray is so many times faster than", ["", *found], rows)


def _factor(shape: dict[str, dict[str, Any]], way: str, name: str) -> str:
    return f"{shape[way][name]:.2f}" if way in shape else ""


def compare_tasks(workload: Workload, ours: float) -> dict[str, dict[str, float]]:
    """One trial a task, on the first shape: each twice, since the first starts processes."""
    expected, found, rows = our_peer.prepare_on_ray(workload)(), {}, []
    for name, (_, trials) in task_peers.TASK_PEERS.items():
        run = task_peers.prepare(name, workload)
        error = _error(name, run(), expected)
        seconds = min(interleaved({name: run}, 2)[name])
        rate = trials / seconds
        found[name] = {"trials_per_second": rate, "trials": trials, "loss_error": error}
        rows.append([name, f"{rate:.1f}", f"{ours / rate:.0f}", f"{error:.0e}"])
    header = ["", "trials/s", "ours is x faster", "losses differ by"]
    show(f"{workload.name}, one trial a task", header, rows)
    return found


def main() -> None:
    """Run everything: minutes."""
    # As all peers: under load, Ray's workers would give way to every other process.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (as Ray spells it)
    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
    described = machine("jax", "optax", "torch", "joblib", "optuna", "ray")
    print(", ".join(f"{name} {value}" for name, value in described.items()))
    ways = {name: Processes(*way) for name, way in WAYS.items()}
    found = {}
    for workload in (*WORKLOADS, *CHANGED):
        every = workload in WORKLOADS
        able = {name: way for name, way in ways.items() if every or WAYS[name][0] in OF_CHANGED}
        found[workload.name] = compare(workload, able)
        table(workload, found[workload.name])
    summary(found)
    first = WORKLOADS[0]
    tasks = compare_tasks(first, found[first.name][OURS]["trials_per_second"])
    save("peers", {"machine": described, "shapes": found, "one_trial_a_task": tasks})


if __name__ == "__main__":
    main()
