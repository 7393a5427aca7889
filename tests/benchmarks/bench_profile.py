"""Where the time of a gradient-descent step goes: the share of each line, on one core."""

import inspect
from collections.abc import Callable
from types import FunctionType

import our_peer
from gemm_peer import FLOPS as GEMM_FLOPS
from gemm_peer import prepare as prepare_gemm
from line_profiler import LineProfiler
from reports import interleaved, machine, medians, save, show
from threadpoolctl import threadpool_limits
from workloads import WORKLOADS, Workload

from core import gradient_descent
from core.network import Passes

ROUNDS = 5
WHOLE = gradient_descent.descend
PARTS = (Passes.forward, Passes.backward, gradient_descent._Stack.take_step)
PRODUCT = "np.matmul"
REST = "everything else"
RATES = {
    "gflops": "GFLOP/s",
    "gflops_in_products": "in these products alone",
    "gflops_of_large_products": "in products of 512 x 512",
}
LEAST_SHARE = 0.01  # of lines that are shown


def profile(run: Callable[[], object]) -> dict[str, float]:
    """The share of each line of PARTS in a run's gradient descents, by the line's text."""
    profiler = LineProfiler(*PARTS, WHOLE)
    profiler.runcall(run)
    ticks = {
        (name, number): ticks
        for (_, _, name), lines in profiler.get_stats().timings.items()
        for number, _, ticks in lines
    }
    whole = sum(took for (name, _), took in ticks.items() if name == WHOLE.__qualname__)
    shares: dict[str, float] = {}
    for part in PARTS:
        for number, line in _numbered_lines(part):
            share = ticks.get((part.__qualname__, number), 0) / whole
            shares[line] = shares.get(line, 0) + share
    return {**shares, REST: 1 - sum(shares.values())}


def _numbered_lines(function: FunctionType) -> list[tuple[int, str]]:
    lines, first = inspect.getsourcelines(function)
    return [(first + n, line.strip()) for n, line in enumerate(lines)]


def measure(workload: Workload) -> dict[str, object]:
    """Shares of lines, and the rates in GFLOP/s of all of it, its products, and large products."""
    trials = range(our_peer.stack_size(workload))
    run, products = our_peer.prepare(workload, trials), prepare_gemm(workload, trials)
    seconds = medians(interleaved({"ours": run, "large products": products}, ROUNDS))
    shares = profile(run)
    rate = workload.flops * len(trials) / workload.trials / seconds["ours"] / 1e9
    in_products = sum(share for line, share in shares.items() if line.startswith(PRODUCT))
    assert in_products, "the profiler knows the lines by other names"
    return {
        "networks_a_stack": len(trials),
        "gflops": rate,
        "gflops_in_products": rate / in_products,
        "gflops_of_large_products": GEMM_FLOPS / seconds["large products"] / 1e9,
        "shares": shares,
    }


def main() -> None:
    """A column for each shape."""
    with threadpool_limits(1):
        found = {workload.name: measure(workload) for workload in WORKLOADS}
    shapes = list(found.values())
    lines = [
        line
        for line in shapes[0]["shares"]
        if max(shape["shares"][line] for shape in shapes) >= LEAST_SHARE
    ]
    rows = [[f"`{line}`", *(f"{shape['shares'][line]:.0%}" for shape in shapes)] for line in lines]
    rows += [[text, *(f"{shape[name]:.0f}" for shape in shapes)] for name, text in RATES.items()]
    show("Where a step's time goes, one core", ["", *found], rows)
    save("profile", {"machine": machine("line-profiler"), "shapes": found})


if __name__ == "__main__":
    main()
