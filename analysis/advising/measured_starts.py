"""How often networks trained from the starts that theory advises, as measured.

Measured by tests/benchmarks/bench_init_advice.py, which prints SHARES anew.
"""

from dataclasses import dataclass

import numpy as np

DATASET, EXAMPLES, WIDTH, STEPS, SEEDS = "digits", 128, 64, 200, 3
LEARNING_RATES = [float(f"{rate:.3g}") for rate in np.geomspace(1e-3, 0.3, 8)]
# What was tried for a start from which no run trained.
LONGER_STEPS = 1000
LONGER_RATES = LEARNING_RATES[2:6]


@dataclass(frozen=True)
class Share:
    """How many of the runs from one start trained.

    Attributes:
        seeds: The number of SEEDS for which some learning rate trained.
        runs: How many trained, of all seeds and LEARNING_RATES.
        longer: If none trained, the number of SEEDS for which one of LONGER_RATES trained within
            LONGER_STEPS.
    """

    seeds: int
    runs: int
    longer: int | None = None


# By depth and activation, each from the init scale and bias scale of init_advice.
SHARES = {
    10: {
        "linear": Share(3, 15),
        "sigmoid": Share(3, 7),
        "tanh": Share(3, 12),
        "erf": Share(3, 15),
        "relu": Share(3, 15),
        "leaky_relu": Share(3, 15),
        "elu": Share(3, 16),
        "selu": Share(3, 15),
        "gelu": Share(3, 17),
        "silu": Share(3, 17),
        "softplus": Share(3, 10),
    },
    30: {
        "linear": Share(3, 13),
        "sigmoid": Share(0, 0, longer=3),
        "tanh": Share(3, 12),
        "erf": Share(3, 12),
        "relu": Share(0, 0, longer=3),
        "leaky_relu": Share(1, 1),
        "elu": Share(3, 12),
        "selu": Share(3, 15),
        "gelu": Share(3, 8),
        "silu": Share(2, 3),
        "softplus": Share(0, 0, longer=0),
    },
}


def steps_needed(activation: str, depth: int) -> int:
    """How many steps a run from the advised start needs to train, as far as measured."""
    share = SHARES[_nearest(depth)].get(activation)
    return STEPS if share and share.runs else LONGER_STEPS


def _nearest(depth: int) -> int:
    return min(SHARES, key=lambda measured: abs(np.log(measured / depth)))


def share_sentence(activation: str, depth: int) -> str:
    """A sentence on how often networks trained at the measured depth nearest to this one."""
    nearest = _nearest(depth)
    share = SHARES[nearest].get(activation)
    if share is None:
        return f"It was not measured how often networks of {activation} train from this start."
    tried = f"{SEEDS * len(LEARNING_RATES)} runs ({SEEDS} seeds, {len(LEARNING_RATES)} rates)"
    words = (
        f"Measured on {EXAMPLES} {DATASET} at depth {nearest}, {WIDTH} units wide: from the start "
        f"advised there {share.runs or 'none'} of {tried} trained in {STEPS} steps"
    )
    if share.longer is None:
        return f"{words}, for {share.seeds} of {SEEDS} seeds at some rate."
    if share.longer:
        return f"{words}; in {LONGER_STEPS:,} steps {share.longer} of {SEEDS} seeds did."
    return f"{words}, nor in {LONGER_STEPS:,}; choose another activation or fewer layers."
