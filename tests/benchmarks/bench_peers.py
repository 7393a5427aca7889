"""Ours beside JAX, PyTorch, joblib, Optuna and Ray Tune on identical work."""

import logging
import os

import numpy as np
import our_peer
import ray
import task_peers
from gemm_peer import FLOPS as GEMM_FLOPS
from processes import Processes
from reports import interleaved, machine, medians, save, show
from workloads import WORKLOADS, Floats, Workload

ROUNDS = 9
WARM_UPS = 4  # of ours on Ray: two workers have met both shares
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


def compare(workload: Workload, ways: dict[str, Processes]) -> dict[str, dict[str, float]]:
    """Each way's trials a second, GFLOP/s, seconds of compiling, and difference in loss."""
    ours = our_peer.prepare_on_ray(workload)
    for _ in range(WARM_UPS):
        expected = ours()
    first = {name: way.load(workload) for name, way in ways.items()}
    seconds = interleaved({OURS: ours, **{n: way.run for n, way in ways.items()}}, ROUNDS)
    found = {}
    for name, median in medians(seconds).items():
        flops = 2 * GEMM_FLOPS if name == GEMM else workload.flops
        found[name] = {
            "trials_per_second": workload.trials / median,
            "gflops": flops / median / 1e9,
            "seconds": median,
            "least_seconds": min(seconds[name]),
        }
        if name in first and name != GEMM:
            found[name]["compile_seconds"] = max(0.0, first[name][0] - median)
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


def table(workload: Workload, found: dict[str, dict[str, float]]) -> None:
    """Print one shape's comparison."""
    ours, rows = found[OURS], []
    for name, way in found.items():
        compiled = (way["seconds"] + way.get("compile_seconds", 0)) / ours["seconds"]
        comparison = [
            f"{way['seconds'] / ours['seconds']:.2f}",
            f"{way['least_seconds'] / ours['least_seconds']:.2f}",
            f"{compiled:.2f}" if name.startswith("JAX") else "",
            f"{way.get('loss_error', 0):.0e}",
        ]
        rows.append(
            [
                name,
                "" if name == GEMM else f"{way['trials_per_second']:.1f}",
                f"{way['gflops']:.0f}",
                f"{way['gflops'] / found[GEMM]['gflops']:.0%}",
                *([""] * 4 if name == GEMM else comparison),
            ]
        )
    header = ["", "trials/s", "GFLOP/s", "of products alone", "ours is x faster"]
    show(
        f"{workload.name}: medians of {ROUNDS} rounds",
        [*header, "least times", "with compiling", "losses differ by"],
        rows,
    )


def summary(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print how many times as long as ours each way takes, shape by shape."""
    shapes = list(found.values())
    rows = []
    for name in shapes[0]:
        if name not in (OURS, GEMM):
            rows.append([name, *(f"{s[name]['seconds'] / s[OURS]['seconds']:.2f}" for s in shapes)])
        if name.startswith("JAX"):
            totals = [s[name]["seconds"] + s[name]["compile_seconds"] for s in shapes]
            ratios = [t / s[OURS]["seconds"] for t, s in zip(totals, shapes, strict=True)]
            rows.append([f"{name}, with compiling", *(f"{ratio:.2f}" for ratio in ratios)])
    rows.append(["our trials/s", *(f"{s[OURS]['trials_per_second']:.0f}" for s in shapes)])
    rows.append(["our share of the rate of products alone"])
    rows[-1] += [f"{s[OURS]['gflops'] / s[GEMM]['gflops']:.0%}" for s in shapes]
    show("Ours on Ray is so many times faster than", ["", *found], rows)


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
    described = machine("jax", "torch", "joblib", "optuna", "ray")
    print(", ".join(f"{name} {value}" for name, value in described.items()))
    ways = {name: Processes(*way) for name, way in WAYS.items()}
    found = {}
    for workload in WORKLOADS:
        found[workload.name] = compare(workload, ways)
        table(workload, found[workload.name])
    summary(found)
    first = WORKLOADS[0]
    tasks = compare_tasks(first, found[first.name][OURS]["trials_per_second"])
    save("peers", {"machine": described, "shapes": found, "one_trial_a_task": tasks})


if __name__ == "__main__":
    main()
