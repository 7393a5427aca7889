"""Trials for tests: a small setting and changes of it."""

import numpy as np

from core.datasets import load_dataset, make_task
from core.trials import Trial

SETTING = {
    "dataset": "wine",
    "examples": 24,
    "features": "standardized",
    "depth": 3,
    "width": 8,
    "activation": "tanh",
    "initializer": "gaussian",
    "init_scale": 1.0,
    "bias_scale": 0.1,
    "learning_rate": 0.1,
    "loss": "cross_entropy",
    "steps": 15,
    "seed": 0,
    "dtype": "float32",
    "measure": frozenset({"signal"}),
}


def make_trial(**changes):
    return Trial(**{**SETTING, **changes})


def task_of(trial):
    dataset = load_dataset(trial.dataset, trial.examples)
    return make_task(dataset, trial.examples, trial.features, trial.targets, trial.test_examples)


def mixed_trials(count, **changes):
    """Trials that train, vanish, diverge and overflow, in no order; several share a start."""
    rng = np.random.default_rng(11)
    scales, rates = np.geomspace(0.01, 30, 40), np.geomspace(1e-3, 300, count)
    return [
        make_trial(
            init_scale=float(rng.choice(scales)),
            bias_scale=float(rng.choice([0.0, 0.3])),
            learning_rate=float(rate),
            seed=int(rng.integers(3)),
            **changes,
        )
        for rate in rng.permutation(rates)
    ]
