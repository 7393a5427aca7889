"""Whether the starts that `advise` names train: every activation at two depths."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from reports import machine, save, show

from analysis.advising.init_advice import InitAdvice, init_advice
from analysis.advising.measured_starts import (
    DATASET,
    EXAMPLES,
    LEARNING_RATES,
    LONGER_RATES,
    LONGER_STEPS,
    SEEDS,
    SHARES,
    STEPS,
    WIDTH,
    Share,
)
from core.datasets import load_dataset, make_task
from core.functions.activations import ACTIVATIONS
from core.settings import Trials
from core.training import train
from core.trials import Trial

HEADER = [
    "activation",
    "sigma_w",
    "sigma_b",
    "seeds trained",
    "runs trained",
    f"seeds in {LONGER_STEPS} steps",
    "at rates",
]
SETTING = Trial(
    dataset=DATASET,
    examples=EXAMPLES,
    features="standardized",
    depth=1,
    width=WIDTH,
    activation="tanh",
    initializer="gaussian",
    init_scale=1.0,
    bias_scale=0.0,
    learning_rate=LEARNING_RATES[0],
    loss="cross_entropy",
    steps=STEPS,
    seed=0,
    dtype="float32",
    measure=frozenset(),
    stop="decided",
)


def trained(
    advice: InitAdvice, steps: int = STEPS, rates: Sequence[float] = LEARNING_RATES
) -> np.ndarray:
    """Which runs from an advised start trained, (seeds, learning rates)."""
    start = replace(
        SETTING,
        activation=advice.activation,
        depth=advice.depth,
        init_scale=advice.start,
        bias_scale=advice.bias_scale,
        steps=steps,
    )
    trials = [
        replace(start, seed=seed, learning_rate=rate) for seed in range(SEEDS) for rate in rates
    ]
    dataset = load_dataset(SETTING.dataset, SETTING.examples)
    task = make_task(dataset, SETTING.examples, SETTING.features, SETTING.targets)
    outcomes = train(Trials.of(trials), task)["runs"]["outcome"]
    return np.reshape(outcomes == "trained", (SEEDS, len(rates)))


def share(advice: InitAdvice, runs: np.ndarray) -> Share:
    """What analysis.advising.measured_starts quotes."""
    longer = None
    if not runs.any():
        longer = int(trained(advice, LONGER_STEPS, LONGER_RATES).any(axis=1).sum())
    return Share(int(runs.any(axis=1).sum()), int(runs.sum()), longer)


def main() -> None:
    """A table for each depth of measured_starts, with the shares that it quotes."""
    found: dict[int, dict[str, Share]] = {}
    for depth in SHARES:
        rows, found[depth] = [], {}
        for activation in ACTIVATIONS:
            advice = init_advice(activation, depth)
            runs = trained(advice)
            found[depth][activation] = here = share(advice, runs)
            rates = " ".join(map(str, np.array(LEARNING_RATES)[runs.any(axis=0)])) or "none"
            scales = [f"{advice.start:.4g}", f"{advice.bias_scale:.4g}"]
            counts = [f"{here.seeds} of {SEEDS}", f"{here.runs} of {runs.size}"]
            longer = "" if here.longer is None else f"{here.longer} of {SEEDS}"
            rows.append([activation, *scales, *counts, longer, rates])
        show(f"Advised starts, depth {depth}, {WIDTH} wide, {STEPS} steps", HEADER, rows)
    content = {d: {name: asdict(each) for name, each in of.items()} for d, of in found.items()}
    save("init_advice", {"machine": machine(), "shares": content})


if __name__ == "__main__":
    main()
