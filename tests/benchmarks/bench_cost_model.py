"""The constants of pipeline/batches.py, fitted to measured trainings on one core."""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
from reports import interleaved, machine, save, show
from scipy.optimize import nnls
from threadpoolctl import threadpool_limits

from core.activations import ACTIVATIONS
from core.datasets import DATASETS, Task, load_dataset, make_task
from core.training import train_trials
from core.trials import Trial
from pipeline.batches import MEASURED_STEPS, flops, seconds

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
        "measure": "none",
    }
    return Trial(**usual | fixed | settings)


def run(shape: Trial, task: Task, count: int) -> None:
    """Train so many networks of the shape, as a task does."""
    for _ in train_trials([shape] * count, task):
        pass


def measured(shapes: list[Trial]) -> list[float]:
    """Seconds of one training of each shape, among others: least of a few rounds."""
    runs: dict[str, Callable[[], None]] = {}
    counts = []
    for number, shape in enumerate(shapes):
        task = make_task(load_dataset("digits", shape.examples), shape.examples, shape.features)
        counts.append(max(2, min(64, round(0.2 / seconds(shape, DATA)))))
        runs[str(number)] = partial(run, shape, task, counts[-1])
    times = interleaved(runs, ROUNDS)
    return [min(times[str(n)]) / count for n, count in enumerate(counts)]


def fit(shapes: list[Trial], times: list[float]) -> dict[str, float]:
    """The terms that come nearest to all times, relative to each."""
    elements = [(s.depth - 1) * s.width * s.examples * (s.steps + 1) for s in shapes]
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
    plain, signal = (trial(dtype="float64", measure=measure) for measure in ("none", "signal"))
    without, with_signal = measured([plain, signal])
    found["signal_steps"] = (with_signal - without) / (without / (plain.steps + 1))
    steps = MEASURED_STEPS["signal"]
    print(f"\nMeasuring signals costs {found['signal_steps']:.1f} steps of float64; model: {steps}")
    shapes = [trial(activation=name) for name in ACTIVATIONS]
    times = measured(shapes)
    rows = [
        [shape.activation, f"{1e3 * time:.2f}", f"{seconds(shape, DATA) / time:.2f}"]
        for shape, time in zip(shapes, times, strict=True)
    ]
    show("By activation", ["activation", "ms a trial", "model / measured"], rows)
    save("cost_model", {"machine": machine(), "fitted": found})


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
