"""Where the time of a gradient-descent step goes: products, passes, the rest, on one core.

The same loop runs with passes that do nothing in the place of some: what it no longer takes
was theirs.
"""

from collections.abc import Callable

import numpy as np
from gemm_peer import FLOPS as GEMM_FLOPS
from gemm_peer import prepare as prepare_gemm
from reports import interleaved, machine, save, show
from threadpoolctl import threadpool_limits
from workloads import WORKLOADS, Workload

from core.compilation import compiled_pass
from core.descent.trainer import NetworkTrainer

ROUNDS = 15
NETWORKS = 4
FLOAT32 = np.dtype("float32")


@compiled_pass(FLOAT32, matrices=3)
def no_activation(h, bias, slopes, rows, columns):
    """In the place of an activation's passes."""
    return 0.0


@compiled_pass(FLOAT32, matrices=6)
def no_loss(h, bias, targets, residuals, sums, scratch, rows, columns):
    """In the place of a loss's pass."""
    return 1.0


def prepare(workload: Workload, **replaced: int) -> Callable[[], None]:
    """A function that trains some networks, with some passes replaced."""
    trainer = NetworkTrainer(workload.problem(), workload.width, workload.depth, FLOAT32.name)
    blas, passes = trainer._passes
    trainer._passes = blas, passes._replace(**replaced)
    params, rates = workload.start(range(NETWORKS)), workload.learning_rates(range(NETWORKS))

    def run() -> None:
        for n in range(NETWORKS):
            trainer.descend([layer[n] for layer in params], float(rates[n]), workload.steps)

    run()  # compiles
    return run


def measure(workload: Workload) -> dict[str, float]:
    """Shares of a step's time, and rates in GFLOP/s."""
    loss, slope, value = (
        {"loss": no_loss.address},
        {"backward": no_activation.address},
        {"forward": no_activation.address},
    )
    # A constant loss first: without activations the network would diverge.
    runs = {
        "whole": prepare(workload),
        "no loss": prepare(workload, **loss),
        "no slope": prepare(workload, **loss, **slope),
        "products": prepare(workload, **loss, **slope, **value),
        "ceiling": prepare_gemm(workload, range(NETWORKS)),
    }
    least = {name: min(seconds) for name, seconds in interleaved(runs, ROUNDS).items()}
    whole = least["whole"]
    rate = workload.flops * NETWORKS / workload.trials / whole / 1e9
    ceiling = GEMM_FLOPS / least["ceiling"] / 1e9
    return {
        "bias and activation": (least["no slope"] - least["products"]) / whole,
        "slope and bias gradient": (least["no loss"] - least["no slope"]) / whole,
        "loss": (whole - least["no loss"]) / whole,
        "products, update, norms": least["products"] / whole,
        "GFLOP/s": rate,
        "GFLOP/s in products, update, norms": rate * whole / least["products"],
        "GFLOP/s of products in the first-level cache": ceiling,
        "share of that": rate / ceiling,
    }


def main() -> None:
    """A column for each shape."""
    with threadpool_limits(1):
        found = {workload.name: measure(workload) for workload in WORKLOADS}
    rows = []
    for name in next(iter(found.values())):
        form = "{:.0f}" if name.startswith("GFLOP") else "{:.0%}"
        rows.append([name, *(form.format(shape[name]) for shape in found.values())])
    show("Where a step's time goes, one core", ["", *found], rows)
    save("profile", {"machine": machine("scipy", "numba"), "shapes": found})


if __name__ == "__main__":
    main()
