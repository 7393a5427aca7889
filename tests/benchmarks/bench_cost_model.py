"""The cost model's constants, fitted to measured trainings on one core.

They stand in core/dtypes.py, in core/costs.py, with the measurements in core/trials.py, and
with the activations in core/functions/activations.py.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
from reports import interleaved, machine, save, show
from scipy.optimize import nnls
from threadpoolctl import threadpool_limits

from core.costs import flops, seconds
from core.datasets import DATASETS, Task, load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.settings import Trials
from core.training import train
from core.trials import MEASUREMENTS, Trial

ROUNDS = 3
DATA = DATASETS["digits"]
TERMS = ("flop", "element", "trial")


def trial(**settings: object) -> Trial:
    """A training that runs to its end."""
    usual = {"depth": 8, "width": 32, "examples": 128, "activation": "tanh", "dtype": "float32"}
    fixed = {
        "dataset": "digits",
        "features": "standardized",
        "initializer": "gaussian",
        "init_scale": 1.0,
        "bias_scale": 0.0,
        "learning_rate": 1e-4,
        "loss": "cross_entropy",
        "steps": 20,
        "seed": 0,
        "measure": frozenset(),
    }
    return Trial(**usual | fixed | settings)


def run(shape: Trial, task: Task, count: int) -> None:
    """Train so many networks of the shape, as a task does."""
    train(Trials.of([shape] * count), task)


def measured(shapes: list[Trial]) -> list[float]:
    """Seconds of one training of each shape, among others: least of a few rounds."""
    runs: dict[str, Callable[[], None]] = {}
    counts = []
    for number, shape in enumerate(shapes):
        task = make_task(
            load_dataset("digits", shape.examples), shape.examples, shape.features, shape.targets
        )
        counts.append(max(2, min(64, round(0.2 / seconds(shape, DATA)))))
        runs[str(number)] = partial(run, shape, task, counts[-1])
    times = interleaved(runs, ROUNDS)
    return [min(times[str(n)]) / count for n, count in enumerate(counts)]


def elements_of(shape: Trial) -> int:
    """Hidden units, examples and steps of a training, multiplied."""
    return (shape.depth - 1) * shape.width * shape.examples * (shape.steps + 1)


def element_cost(shape: Trial, time: float, terms: dict[str, float]) -> float:
    """Seconds an element of a training, once its products and its trial are paid."""
    return (time - flops(shape, DATA) * terms["flop"] - terms["trial"]) / elements_of(shape)


def fit(shapes: list[Trial], times: list[float]) -> dict[str, float]:
    """The terms that come nearest to all times, relative to each."""
    elements = [elements_of(s) for s in shapes]
    costs = np.array([[flops(s, DATA), n, 1.0] for s, n in zip(shapes, elements, strict=True)])
    found, _ = nnls(costs / np.array(times)[:, None], np.ones(len(times)))
    return dict(zip(TERMS, found.tolist(), strict=True))


def main() -> None:
    """Fit each dtype on tanh, then say how far the model in use is from each activation."""
    found: dict[str, object] = {}
    rows: list[list[str]] = []
    for dtype in ("float32", "float64"):
        shapes = [
            trial(depth=depth, width=width, examples=examples, dtype=dtype)
            for depth, width, examples in product((2, 8, 24), (8, 32, 128), (32, 256))
        ]
        times = measured(shapes)
        found[dtype] = fit(shapes, times)
        ratios = [seconds(s, DATA) / t for s, t in zip(shapes, times, strict=True)]
        found[dtype] |= {"model_least": min(ratios), "model_most": max(ratios)}
    rows = [
        [dtype, *(f"{value:.2g}" for value in terms.values())] for dtype, terms in found.items()
    ]
    header = ["", *(f"s a {term}" for term in TERMS), "model / measured, least", "most"]
    show("The cost model, fitted", header, rows)
    plain, signal = (
        trial(dtype="float64", measure=frozenset(measure)) for measure in ((), ("signal",))
    )
    without, with_signal = measured([plain, signal])
    found["signal_steps"] = (with_signal - without) / (without / (plain.steps + 1))
    steps = MEASUREMENTS["signal"].at_end
    print(f"\nMeasuring signals costs {found['signal_steps']:.1f} steps of float64; model: {steps}")
    shapes = [trial(activation=name) for name in ACTIVATIONS]
    times = measured(shapes)
    costs = [element_cost(s, t, found["float32"]) for s, t in zip(shapes, times, strict=True)]
    tanh = costs[list(ACTIVATIONS).index("tanh")]
    rows = [
        [s.activation, f"{1e3 * t:.2f}", f"{seconds(s, DATA) / t:.2f}", f"{cost / tanh:.1f}"]
        for s, t, cost in zip(shapes, times, costs, strict=True)
    ]
    show("By activation", ["activation", "ms a trial", "model / measured", "cost"], rows)
    save("cost_model", {"machine": machine(), "fitted": found})


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
