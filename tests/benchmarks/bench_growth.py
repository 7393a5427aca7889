"""How the cost of a training grows with depth, width, examples, trials and workers."""

from dataclasses import replace

import our_peer
from processes import Processes
from reports import interleaved, machine, save, show
from workloads import Workload

ROUNDS = 5

BASE = Workload(width=32, examples=128, depth=11, steps=20, trials=32)
AXES = {
    "depth": (2, 4, 8, 16, 32, 64),
    "width": (8, 16, 32, 64, 128),
    "examples": (16, 64, 256, 1024),
    "trials": (1, 4, 16, 64, 256),
}


def along(axis: str) -> list[dict[str, float]]:
    """Milliseconds of a trial and GFLOP/s for each value of one field, the others BASE's."""
    workloads = [replace(BASE, **{axis: value}) for value in AXES[axis]]
    runs = {str(n): our_peer.prepare(w, range(w.trials)) for n, w in enumerate(workloads)}
    seconds = interleaved(runs, ROUNDS)
    return [
        {
            axis: getattr(workload, axis),
            "milliseconds_per_trial": 1e3 * min(seconds[str(n)]) / workload.trials,
            "gflops": workload.flops / min(seconds[str(n)]) / 1e9,
        }
        for n, workload in enumerate(workloads)
    ]


def workers() -> list[dict[str, float]]:
    """The same trials on one process and on two."""
    workload = replace(BASE, trials=128)
    ways = {n: Processes("our_peer", n, 1) for n in (1, 2)}
    for way in ways.values():
        way.load(workload)
    seconds = interleaved({str(n): way.run for n, way in ways.items()}, 2 * ROUNDS)
    return [
        {
            "workers": n,
            "milliseconds_per_trial": 1e3 * min(seconds[str(n)]) / workload.trials,
            "gflops": workload.flops / min(seconds[str(n)]) / 1e9,
        }
        for n in ways
    ]


def main() -> None:
    """Least times of a few interleaved rounds."""
    found = {axis: along(axis) for axis in AXES} | {"workers": workers()}
    for axis, rows in found.items():
        values = [[row[axis], *(f"{row[name]:.3g}" for name in list(row)[1:])] for row in rows]
        show(f"Cost along {axis} (else {BASE.name})", [axis, "ms a trial", "GFLOP/s"], values)
    save("growth", {"machine": machine(), "base": BASE.name, "axes": found})


if __name__ == "__main__":
    main()
