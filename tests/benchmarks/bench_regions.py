"""What a network costs where gradients vanish and where training diverges."""

from collections.abc import Callable
from functools import partial

import numpy as np
from reports import interleaved, machine, save, show
from workloads import Workload

from core.gradient_descent import Descent, descend

ROUNDS = 9

SHAPE = Workload(width=32, examples=128, depth=32, steps=50, trials=16)
# Activation, init scale, learning rate: where each network of a stack is.
REGIONS = {
    "trained": ("tanh", 1.2, 0.01),
    "vanishing": ("tanh", 0.05, 0.01),
    "diverging, tanh": ("tanh", 2.0, 0.1),
    "diverging": ("relu", 3.0, 1.0),
    "trained, ReLU": ("relu", 1.4, 0.001),
}


def train(activation: str, init_scale: float, learning_rate: float) -> Descent:
    """A stack of networks in one region."""
    params = SHAPE.start(range(SHAPE.trials), init_scale)
    rates = np.full(SHAPE.trials, learning_rate)
    return descend(params, rates, SHAPE.steps, SHAPE.problem(activation))


def mixed() -> Descent:
    """A trained network beside vanishing and diverging ones, by turns."""
    scales = np.resize([1.4, 0.05, 3.0, 10.0], SHAPE.trials)
    params = SHAPE.start(range(SHAPE.trials), 1.0)
    for p in params:
        p *= scales[:, None, None].astype(p.dtype)
    return descend(params, np.full(SHAPE.trials, 0.001), SHAPE.steps, SHAPE.problem("relu"))


def main() -> None:
    """Milliseconds of a network in each region; the bound is 1.3 x a trained one."""
    runs: dict[str, Callable[[], Descent]] = {
        name: partial(train, *region) for name, region in REGIONS.items()
    }
    runs["mixed, ReLU"] = mixed
    steps = {name: float(run().steps_run.mean()) for name, run in runs.items()}
    least = {name: min(seconds) for name, seconds in interleaved(runs, ROUNDS).items()}
    found = {
        name: {
            "milliseconds": 1e3 * least[name] / SHAPE.trials,
            "mean_steps_run": steps[name],
            "of_trained": least[name]
            / least["trained, ReLU" if name in ("diverging", "mixed, ReLU") else "trained"],
        }
        for name in runs
    }
    rows = [
        [name, f"{x['milliseconds']:.2f}", f"{x['mean_steps_run']:.0f}", f"{x['of_trained']:.2f}"]
        for name, x in found.items()
    ]
    header = ["region", "ms a network", "steps run", "of a trained one"]
    show(f"Cost of a region, {SHAPE.name}", header, rows)
    save("regions", {"machine": machine(), "shape": SHAPE.name, "regions": found})


if __name__ == "__main__":
    main()
