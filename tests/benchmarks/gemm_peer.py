"""The rate of matrix products alone: what no trainer of one core and precision exceeds.

The matrices stay in the first-level cache, where OpenBLAS's kernels for small matrices reach
more than its products of large ones.
"""

from collections.abc import Callable

import numpy as np
from numba import njit
from workloads import Floats, Workload

from core.descent.products import backward_product, blas

SIZE, PRODUCTS = 64, 50_000
FLOPS = 2 * SIZE**3 * PRODUCTS  # of each process


@njit
def _multiply(blas, a, b, out, times):
    for _ in range(times):
        backward_product(blas, a, b, out, (SIZE, SIZE, SIZE), np.float32(0))


def prepare(workload: Workload, trials: range) -> Callable[[], Floats]:
    """A function that multiplies two square matrices again and again."""
    a, b = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), dtype=np.float32)
    out, product = np.empty_like(a), blas(np.dtype(np.float32))

    def run() -> Floats:
        addresses = (array.ctypes.data for array in (a, b, out))
        _multiply(product, *addresses, PRODUCTS)
        return out[0, :1]

    run()  # compiles
    return run
