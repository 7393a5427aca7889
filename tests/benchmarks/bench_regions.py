"""What a network costs where gradients vanish and where training diverges."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import fmean

from reports import interleaved, machine, save, show
from workloads import Workload

from core.descent.trainer import NetworkTrainer
from core.gradient_descent import Descent

ROUNDS = 9

SHAPE = Workload(width=32, examples=128, depth=32, steps=50, trials=16)
# Activation, init scale, learning rate: where each network is.
REGIONS = {
    "trained": ("tanh", 1.2, 0.01),
    "vanishing": ("tanh", 0.05, 0.01),
    "diverging, tanh": ("tanh", 2.0, 0.1),
    "diverging": ("relu", 3.0, 1.0),
    "trained, ReLU": ("relu", 1.4, 0.001),
}


def train(activation: str, init_scale: float, learning_rate: float) -> list[Descent]:
    """Networks in one region, one after the other."""
    params = SHAPE.start(range(SHAPE.trials), init_scale)
    problem = replace(SHAPE, activation=activation).problem()
    trainer = NetworkTrainer(problem, SHAPE.width, SHAPE.depth, "float32")
    networks = ([layer[n] for layer in params] for n in range(SHAPE.trials))
    return [trainer.descend(network, learning_rate, SHAPE.steps) for network in networks]


def main() -> None:
    """Milliseconds of a network in each region; the bound is 1.1 x a trained one."""
    runs: dict[str, Callable[[], list[Descent]]] = {
        name: partial(train, *region) for name, region in REGIONS.items()
    }
    steps = {name: fmean(descent.steps_run for descent in run()) for name, run in runs.items()}
    least = {name: min(seconds) for name, seconds in interleaved(runs, ROUNDS).items()}
    found = {
        name: {
            "milliseconds": 1e3 * least[name] / SHAPE.trials,
            "mean_steps_run": steps[name],
            "of_trained": least[name]
            / least["trained, ReLU" if name == "diverging" else "trained"],
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
