"""The rate of matrix products alone: what no trainer of one core and precision exceeds."""

from collections.abc import Callable

import numpy as np
from workloads import Floats, Workload

SIZE, PRODUCTS = 512, 100
FLOPS = 2 * SIZE**3 * PRODUCTS  # of each process


def prepare(workload: Workload, trials: range) -> Callable[[], Floats]:
    """A function that multiplies two square matrices again and again."""
    a, b = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), dtype=np.float32)
    out = np.empty_like(a)

    def run() -> Floats:
        for _ in range(PRODUCTS):
            np.matmul(a, b, out=out)
        return out[0, :1]

    return run
