"""How much longer other steps take than those of plain gradient descent, on one core.

Minibatches are compared per example: 600 steps on 32 of 128, with the losses of all examples that
a curve and a verdict need, with 150 on all. Each ratio is of least times, side by side.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from our_peer import prepare
from reports import interleaved, machine, save, show
from threadpoolctl import threadpool_limits
from workloads import Workload

ROUNDS, TRIALS, STEPS = 15, range(4), 150
SHAPES = (
    Workload(width=16, examples=128, depth=3, steps=STEPS, trials=len(TRIALS)),
    Workload(width=32, examples=128, depth=11, steps=STEPS, trials=len(TRIALS)),
    Workload(width=64, examples=128, depth=11, steps=STEPS, trials=len(TRIALS)),
    Workload(width=128, examples=128, depth=11, steps=STEPS, trials=len(TRIALS)),
)


@dataclass(frozen=True)
class Change:
    """A change of plain descent.

    Attributes:
        most: How many times as long it may take.
        of: The workload of a plain one.
    """

    most: float
    of: Callable[[Workload], Workload]


CHANGES = {
    "momentum": Change(1.15, lambda plain: replace(plain, optimizer="momentum")),
    "adam": Change(1.15, lambda plain: replace(plain, optimizer="adam", largest_rate=1e-3)),
    "32 of 128, per example": Change(
        1.3, lambda plain: replace(plain, batch_size=32, steps=4 * plain.steps)
    ),
    "layer normalization": Change(1.4, lambda plain: replace(plain, normalization="layer")),
}


def ratios(plain: Workload) -> dict[str, float]:
    """How many times as long each change takes."""
    workloads = {"plain": plain} | {name: each.of(plain) for name, each in CHANGES.items()}
    runs = {name: prepare(workload, TRIALS) for name, workload in workloads.items()}
    for run in runs.values():
        run()  # compiles
    least = {name: min(seconds) for name, seconds in interleaved(runs, ROUNDS).items()}
    return {name: least[name] / least["plain"] for name in CHANGES}


def main() -> None:
    """A column for each shape."""
    with threadpool_limits(1):
        found = {shape.name: ratios(shape) for shape in SHAPES}
    rows = [
        [name, *(f"{shape[name]:.2f}" for shape in found.values()), change.most]
        for name, change in CHANGES.items()
    ]
    show("x the time of gd on all examples, one core", ["", *found, "at most"], rows)
    save("steps", {"machine": machine("scipy", "numba"), "shapes": found})


if __name__ == "__main__":
    main()
