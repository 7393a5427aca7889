"""Whether the starts that `advise` names train: every activation at two depths."""

from dataclasses import replace

import numpy as np
from reports import machine, save, show

from analysis.init_advice import InitAdvice, init_advice
from analysis.measured_starts import (
    DATASET,
    EXAMPLES,
    LEARNING_RATES,
    SEEDS,
    SHARES,
    STEPS,
    WIDTH,
)
from core.activations import ACTIVATIONS
from core.datasets import load_dataset, make_task
from core.training import train_trials
from core.trials import Trial

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
    measure="none",
    stop="decided",
)


def trained(advice: InitAdvice) -> np.ndarray:
    """Which runs from an advised start trained, (seeds, learning rates)."""
    start = replace(
        SETTING,
        activation=advice.activation,
        depth=advice.depth,
        init_scale=advice.start,
        bias_scale=advice.bias_scale,
    )
    trials = [
        replace(start, seed=seed, learning_rate=rate)
        for seed in range(SEEDS)
        for rate in LEARNING_RATES
    ]
    task = make_task(
        load_dataset(SETTING.dataset, SETTING.examples), SETTING.examples, SETTING.features
    )
    outcomes = [training.result.outcome for training in train_trials(trials, task)]
    return np.reshape([each == "trained" for each in outcomes], (SEEDS, len(LEARNING_RATES)))


def main() -> None:
    """A table for each depth of analysis.measured_starts, with the shares that it quotes."""
    shares: dict[int, dict[str, tuple[int, int]]] = {}
    for depth in SHARES:
        rows, shares[depth] = [], {}
        for activation in ACTIVATIONS:
            advice = init_advice(activation, depth)
            runs = trained(advice)
            seeds, rates = int(runs.any(axis=1).sum()), np.array(LEARNING_RATES)[runs.any(axis=0)]
            shares[depth][activation] = seeds, int(runs.sum())
            scales = [f"{advice.start:.4g}", f"{advice.bias_scale:.4g}"]
            counts = [f"{seeds} of {SEEDS}", f"{runs.sum()} of {runs.size}"]
            rows.append([activation, *scales, *counts, " ".join(map(str, rates)) or "none"])
        header = ["activation", "sigma_w", "sigma_b", "seeds trained", "runs trained", "at rates"]
        show(f"Advised starts, depth {depth}, {WIDTH} wide, {STEPS} steps", header, rows)
    save("init_advice", {"machine": machine(), "seeds_and_runs_trained": shares})


if __name__ == "__main__":
    main()
