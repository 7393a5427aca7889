"""A layer's three products, by BLAS, in blocks of rows where that is faster.

Matrices are row-major and BLAS is column-major: C = A B is its C^T = B^T A^T.

OpenBLAS multiplies small matrices on AVX-512 processors without copying them first, 10 to
45% faster than larger ones: those with up to 100^3 multiplications, and if both factors lie
along the summed axis ("dot form") only those with a result of up to 1,200 numbers. A larger
product becomes several such ones, each of some rows of the result.
"""

import sys
from typing import Any, NamedTuple

import numpy as np
import scipy
from numba.extending import get_cython_function_address

from core.compilation import compiled
from core.descent.calls import call_gemm
from core.dtypes import DTYPES

PLAIN, TRANSPOSED = ord("N"), ord("T")
BOTH_PLAIN = PLAIN + 256 * PLAIN
SECOND_TRANSPOSED = PLAIN + 256 * TRANSPOSED
FIRST_TRANSPOSED = TRANSPOSED + 256 * PLAIN

MOST_MULTIPLICATIONS = 100**3
MOST_DOT_FORM_RESULTS = 1200
LEAST_ROWS = 16  # thinner blocks lose more than they gain
KERNEL_ROWS = 24  # what OpenBLAS's kernels take at a time


class Blas(NamedTuple):
    """BLAS's product in one precision, and the largest sizes that its small kernels take.

    Attributes:
        gemm: Address of sgemm or dgemm.
        itemsize: Bytes of a number.
        one, zero: In this precision.
    """

    gemm: int
    itemsize: int
    one: np.floating[Any]
    zero: np.floating[Any]
    most_multiplications: int
    most_dot_form_results: int


def blas(dtype: np.dtype[Any]) -> Blas:
    """SciPy's BLAS in one of DTYPES."""
    gemm = get_cython_function_address("scipy.linalg.cython_blas", DTYPES[dtype.name].gemm)
    most = (MOST_MULTIPLICATIONS, MOST_DOT_FORM_RESULTS)
    if not _has_small_kernels():
        most = (sys.maxsize, sys.maxsize)
    return Blas(gemm, dtype.itemsize, dtype.type(1), dtype.type(0), *most)


def _has_small_kernels() -> bool:
    """Whether SciPy's BLAS is OpenBLAS, on a processor with AVX-512."""
    built = scipy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    found = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return "openblas" in built and not {"X86_V4", "AVX512_SKX"}.isdisjoint(found)


@compiled
def _most_rows(rows, of_row, most):
    """How many rows fit, of which each counts `of_row`; it divides only if it must."""
    return rows if rows * of_row <= most else most // of_row


@compiled
def block_rows(rows, most):
    """Rows per block: a divisor of all rows, or the kernels' height with a remainder."""
    if most >= rows:
        return rows
    height = most
    while rows % height:
        height -= 1
    if height < KERNEL_ROWS <= most:
        return KERNEL_ROWS
    return height if height >= LEAST_ROWS else rows


@compiled
def forward_product(blas, w, below, h, sizes):
    """h = W a: (rows, examples) of (rows, summed) and (summed, examples)."""
    rows, k, n = sizes
    height = block_rows(rows, _most_rows(rows, k * n, blas.most_multiplications))
    for i in range(0, rows, height):
        m = min(height, rows - i)
        left, out = w + blas.itemsize * i * k, h + blas.itemsize * i * n
        call_gemm(blas.gemm, BOTH_PLAIN, n, m, k, blas.one, below, n, left, k, blas.zero, out, n)


@compiled
def backward_product(blas, w, delta, below, sizes, kept):
    """below = W^T delta + kept below: (rows, examples) of (summed, rows) and (summed, examples).

    What lies below before counts for nothing where `kept` is 0, even if it is not a number.
    """
    rows, k, n = sizes
    height = block_rows(rows, _most_rows(rows, k * n, blas.most_multiplications))
    for i in range(0, rows, height):
        m = min(height, rows - i)
        left, out = w + blas.itemsize * i, below + blas.itemsize * i * n
        call_gemm(
            blas.gemm, SECOND_TRANSPOSED, n, m, k, blas.one, delta, n, left, rows, kept, out, n
        )


@compiled
def gradient_product(blas, delta, below, gradient, sizes):
    """gradient = delta a^T: (rows, columns) of (rows, summed) and (columns, summed)."""
    rows, k, n = sizes
    of_kernels = _most_rows(rows, k * n, blas.most_multiplications)
    of_dot_form = _most_rows(rows, n, blas.most_dot_form_results)
    height = block_rows(rows, min(of_kernels, of_dot_form))
    for i in range(0, rows, height):
        m = min(height, rows - i)
        left, out = delta + blas.itemsize * i * k, gradient + blas.itemsize * i * n
        call_gemm(
            blas.gemm, FIRST_TRANSPOSED, n, m, k, blas.one, below, k, left, k, blas.zero, out, n
        )


@compiled
def input_gradient_product(blas, delta, inputs_t, gradient, sizes):
    """gradient_product from the inputs' transpose, which is faster; the inputs never change."""
    rows, k, n = sizes
    height = block_rows(rows, _most_rows(rows, k * n, blas.most_multiplications))
    for i in range(0, rows, height):
        m = min(height, rows - i)
        left, out = delta + blas.itemsize * i * k, gradient + blas.itemsize * i * n
        call_gemm(blas.gemm, BOTH_PLAIN, n, m, k, blas.one, inputs_t, n, left, k, blas.zero, out, n)
