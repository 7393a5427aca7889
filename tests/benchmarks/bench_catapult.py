"""At which c = learning rate x lambda_max deep ReLU networks catapult and diverge, by width.

Kalra & Barkeshli (2023), arXiv:2302.12250: 8 layers without biases, variances 2 / fan_in and 1 or 2
/ fan_in in the last one. Of each start, c_loss is the smallest c at which the loss rises above its
start within ten steps, c_max the smallest at which training diverges; of both the geometric mean
with the next smaller c that was tried. Widths as arguments, 256 if none are given: width 512 takes
about five times as long.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from reports import machine, save, show

from core.datasets import load_dataset, make_task
from core.outcomes import DIVERGED
from core.settings import Trials
from core.training import train
from core.trials import Trial

C_LOSS = 2 ** np.arange(0.8, 4.01, 0.1)
C_MAX = 2 ** np.arange(2.6, 5.01, 0.1)
FIRST_STEPS, STEPS = 10, 60
SEEDS = range(5)
LAST_VARIANCES = (1.0, 2.0)
THEIRS = {256: "3.25 / 13.9", 512: "3.03 / 13.0", 1024: "2.64 / 13.9"}  # a last variance of 1
SETTING = Trial(
    dataset="digits",
    examples=128,
    features="standardized",
    depth=8,
    width=256,
    activation="relu",
    initializer="gaussian",
    init_scale=2**0.5,
    bias_scale=0.0,
    biases="none",
    learning_rate=2.0,
    learning_rate_unit="inverse_sharpness",
    loss="mse",
    steps=STEPS,
    seed=0,
    dtype="float32",
    measure=frozenset(),
)
HEADER = ["width", "last variance", "seeds", "c_loss", "c_max", "theirs", "sharpness"]


def runs_at(start: Trial, rates: np.ndarray, steps: int) -> dict[str, np.ndarray]:
    """The columns of a start's runs at some c, in ascending order of these."""
    dataset = load_dataset(start.dataset, start.examples)
    task = make_task(dataset, start.examples, start.features, start.targets)
    trials = [replace(start, learning_rate=float(c), steps=steps) for c in rates]
    return dict(train(Trials.of(trials), task)["runs"])


def smallest(rates: np.ndarray, crossed: np.ndarray) -> float:
    """The geometric mean of the first rate that crossed and the one before; NaN where none did."""
    first = int(crossed.argmax())
    return float((rates[first] * rates[first - 1]) ** 0.5) if first and crossed[first] else np.nan


def critical(start: Trial) -> tuple[float, float, float]:
    """c_loss, c_max and the sharpness of a start."""
    early, late = runs_at(start, C_LOSS, FIRST_STEPS), runs_at(start, C_MAX, STEPS)
    rose = early["peak_loss"] > early["initial_loss"]
    diverged = np.isin(late["outcome"], DIVERGED)
    return smallest(C_LOSS, rose), smallest(C_MAX, diverged), float(early["sharpness"][0])


def spread(values: np.ndarray) -> str:
    """The mean with its standard error, and of how many where some lie beyond what was tried."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return "beyond"
    words = f"{known.mean():.2f} +- {known.std(ddof=1) / len(known) ** 0.5:.2f}"
    return words if len(known) == len(values) else f"{words} ({len(known)} of {len(values)})"


def row(width: int, variance: float) -> list[object]:
    """The row of one kind of network."""
    factor = (variance / 2) ** 0.5  # of the init scale of the other layers
    kind = replace(SETTING, width=width, init_scale_last=factor)
    found = np.array([critical(replace(kind, seed=seed)) for seed in SEEDS])
    c_loss, c_max, sharpness = found.T
    theirs = THEIRS.get(width, "") if variance == 1 else ""
    words = [spread(c_loss), spread(c_max), theirs, f"{np.median(sharpness):.3g}"]
    return [width, f"{variance:g}", len(SEEDS), *words]


def main(widths: Sequence[int]) -> None:
    """Measure and print."""
    rows = []
    for width in widths:
        for variance in LAST_VARIANCES:
            rows.append(row(width, variance))
            print(*rows[-1], flush=True)
    show("c at which the loss first rises, and at which training diverges", HEADER, rows)
    setting = asdict(SETTING) | {"measure": sorted(SETTING.measure)}
    save("catapult", {"machine": machine("numba", "scipy"), "setting": setting, "rows": rows})


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [256])
