"""What a step costs by activation and precision, on one core, beside tanh in float32."""

from dataclasses import replace
from itertools import product

from our_peer import prepare
from reports import interleaved, machine, save, show
from threadpoolctl import threadpool_limits
from workloads import WORKLOADS

from core.functions.activations import ACTIVATIONS

ROUNDS = 9
TRIALS = range(4)
SHAPE = WORKLOADS[1]


def main() -> None:
    """A row for each activation."""
    runs = {
        f"{name} {dtype}": prepare(replace(SHAPE, activation=name), TRIALS, dtype)
        for name, dtype in product(ACTIVATIONS, ("float32", "float64"))
    }
    for run in runs.values():
        run()  # compiles
    with threadpool_limits(1):
        least = {name: min(seconds) for name, seconds in interleaved(runs, ROUNDS).items()}
    found, rows = {}, []
    for name in ACTIVATIONS:
        single, double = (least[f"{name} {dtype}"] for dtype in ("float32", "float64"))
        found[name] = {
            "of_tanh": single / least["tanh float32"],
            "float64_of_float32": double / single,
            "milliseconds": 1e3 * single / len(TRIALS),
        }
        rows.append([name, *(f"{value:.2f}" for value in found[name].values())])
    header = ["activation", "of tanh's step", "float64 of float32", "ms a training, float32"]
    show(f"By activation, {SHAPE.name}", header, rows)
    save("activations", {"machine": machine("scipy", "numba"), "activations": found})


if __name__ == "__main__":
    main()
