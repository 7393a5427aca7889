"""Products of stacks of small matrices, cut into blocks of rows where that is faster.

OpenBLAS multiplies small matrices on AVX-512 processors without copying them first, 10 to
45% faster than larger ones: those with up to 100^3 multiplications, and if both factors
lie along the summed axis ("dot form") only those with a result of up to 1,200 numbers.
A larger product becomes several such ones, each of some rows of the left factor: views
of the same arrays, made once. Elsewhere nothing is cut. Measured in core/DESIGN.md.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

MOST_MULTIPLICATIONS = 100**3
MOST_DOT_FORM_RESULTS = 1200
LEAST_ROWS = 4  # thinner blocks lose more than they gain


def _has_small_kernels() -> bool:
    """Whether NumPy's BLAS is OpenBLAS, on a processor with AVX-512."""
    config = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {}).get("name", "")
    found = config.get("SIMD Extensions", {}).get("found", [])
    return "openblas" in blas and not {"X86_V4", "AVX512_SKX"}.isdisjoint(found)


SMALL_KERNELS = _has_small_kernels()


def in_blocks(left: Array, right: Array, out: Array) -> tuple[Array, Array, Array]:
    """Views for which np.matmul(left, right, out=out) is the same product, faster.

    How a matrix is cut depends on its own shape alone, so the size of the stack changes
    no bit of its product.

    Args:
        left: (networks, rows, summed).
        right: (networks or 1, summed, columns).
        out: (networks, rows, columns).
    """
    networks, rows, summed = left.shape
    height = block_rows(rows, summed, right.shape[-1], _in_dot_form(left, right))
    blocks = (networks, rows // height, height)
    # Without copy=False, what cannot be a view would silently be a copy.
    return (
        left.reshape(*blocks, summed, copy=False),
        right[:, None],
        out.reshape(*blocks, right.shape[-1], copy=False),
    )


def block_rows(rows: int, summed: int, columns: int, dot_form: bool) -> int:
    """Rows of a block: as many as the small kernels take, and a divisor of `rows`."""
    most = MOST_MULTIPLICATIONS // (summed * columns)
    if dot_form:
        most = min(most, MOST_DOT_FORM_RESULTS // columns)
    if not SMALL_KERNELS or most >= rows:
        return rows
    height = _largest_divisor(rows, most)
    return height if height >= LEAST_ROWS else rows


@cache
def _largest_divisor(number: int, most: int) -> int:
    return max((n for n in range(1, most + 1) if number % n == 0), default=1)


def _in_dot_form(left: Array, right: Array) -> bool:
    return left.strides[-1] == left.itemsize and right.strides[-2] == right.itemsize
