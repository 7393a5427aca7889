"""How often the starts that theory advises were found to train.

Measured by tests/benchmarks/bench_init_advice.py, which prints SHARES anew.
"""

from dataclasses import dataclass

import numpy as np

DATASET, EXAMPLES, WIDTH, STEPS, SEEDS = "digits", 128, 64, 200, 3
LEARNING_RATES = [float(f"{rate:.3g}") for rate in np.geomspace(1e-3, 0.3, 8)]


@dataclass(frozen=True)
class Share:
    """Of the runs from one start.

    Attributes:
        seeds: For how many of SEEDS some learning rate trained.
        runs: How many trained, of all seeds and LEARNING_RATES.
    """

    seeds: int
    runs: int


# By depth and activation, each from the init scale and bias scale of init_advice.
SHARES = {
    10: {
        "linear": Share(3, 15),
        "sigmoid": Share(3, 6),
        "tanh": Share(3, 12),
        "erf": Share(3, 12),
        "relu": Share(3, 15),
        "leaky_relu": Share(3, 15),
        "elu": Share(3, 12),
        "selu": Share(3, 10),
        "gelu": Share(3, 15),
        "silu": Share(3, 14),
        "softplus": Share(3, 10),
    },
    30: {
        "linear": Share(3, 13),
        "sigmoid": Share(0, 0),
        "tanh": Share(3, 7),
        "erf": Share(3, 6),
        "relu": Share(0, 0),
        "leaky_relu": Share(1, 1),
        "elu": Share(3, 6),
        "selu": Share(2, 2),
        "gelu": Share(0, 0),
        "silu": Share(1, 1),
        "softplus": Share(0, 0),
    },
}


def share_sentence(activation: str, depth: int) -> str:
    """What was measured at the depth nearest to this one."""
    nearest = min(SHARES, key=lambda measured: abs(np.log(measured / depth)))
    share = SHARES[nearest][activation]
    return (
        f"Measured on {EXAMPLES} {DATASET} at depth {nearest}, {WIDTH} units wide, in {STEPS} "
        f"steps: from the start advised there {share.runs} of {SEEDS * len(LEARNING_RATES)} runs "
        f"trained ({len(LEARNING_RATES)} learning rates for each of {SEEDS} seeds; "
        f"{share.seeds} of {SEEDS} seeds at one of them at least)."
    )
