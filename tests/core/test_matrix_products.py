"""Products cut into blocks: the same product, whatever the stack, in blocks that fit."""

import numpy as np
import pytest

from core import matrix_products
from core.matrix_products import (
    LEAST_ROWS,
    MOST_DOT_FORM_RESULTS,
    MOST_MULTIPLICATIONS,
    block_rows,
    in_blocks,
)


@pytest.fixture(autouse=True)
def small_kernels(monkeypatch):
    """Cut on every machine as on one with small kernels."""
    monkeypatch.setattr(matrix_products, "SMALL_KERNELS", True)


def factors(rng, networks, shape=(128, 129, 256), dtype="float64"):
    rows, summed, columns = shape
    left = rng.standard_normal((networks, rows, summed)).astype(dtype)
    right = rng.standard_normal((networks, summed, columns)).astype(dtype)
    return left, right, np.empty((networks, rows, columns), dtype)


@pytest.mark.parametrize("shape", [(128, 129, 256), (10, 129, 256), (3, 4, 5), (127, 129, 256)])
def test_blocks_make_the_same_product(shape, rng):
    """The result lies in `out` itself, though the product was of views."""
    left, right, out = factors(rng, 2, shape)
    a, b, c = in_blocks(left, right, out)
    np.matmul(a, b, out=c)
    np.testing.assert_allclose(out, left @ right, rtol=1e-10, atol=1e-10)


def test_shared_factors_and_transposed_and_narrowed_views_are_cut_too(rng):
    """As a layer's are: inputs that all networks share, weights without their biases."""
    left, right, out = factors(rng, 3)
    rows_of_more, weights_t = np.empty((3, 129, 256)), left[:, :, :-1].swapaxes(1, 2)
    a, b, c = in_blocks(left, right[:1], rows_of_more[:, :-1])
    np.matmul(a, b, out=c)
    np.testing.assert_allclose(rows_of_more[:, :-1], left @ right[:1], rtol=1e-10, atol=1e-10)
    a, b, c = in_blocks(weights_t, right[:, :-1], out)
    np.matmul(a, b, out=c)
    np.testing.assert_allclose(out, weights_t @ right[:, :-1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_matrix_has_the_same_product_in_every_stack(dtype, rng):
    """No bit depends on how many matrices are multiplied, in either form."""
    left, right, out = factors(rng, 5, dtype=dtype)
    for transposed in (False, True):
        second = right.swapaxes(1, 2).copy().swapaxes(1, 2) if transposed else right
        for stack in (1, 2, 5):
            a, b, c = in_blocks(left[:stack], second[:stack], alone := np.empty_like(out[:stack]))
            np.matmul(a, b, out=c)
            if stack == 1:
                first = alone[0]
            np.testing.assert_array_equal(alone[0], first)


@pytest.mark.parametrize("dot_form", [False, True])
@pytest.mark.parametrize("rows", [4, 10, 64, 97, 128, 4096])
def test_blocks_are_even_and_fit_the_small_kernels(rows, dot_form):
    """Or the matrix stays whole, where no divisor of its rows fits."""
    for summed, columns in ((17, 16), (129, 256), (256, 129), (1000, 1000)):
        height = block_rows(rows, summed, columns, dot_form)
        assert rows % height == 0
        if height < rows:
            assert height >= LEAST_ROWS
            assert height * summed * columns <= MOST_MULTIPLICATIONS
            assert not dot_form or height * columns <= MOST_DOT_FORM_RESULTS


def test_nothing_is_cut_without_small_kernels(monkeypatch):
    """Elsewhere each block would copy the right factor anew."""
    monkeypatch.setattr(matrix_products, "SMALL_KERNELS", False)
    assert block_rows(128, 129, 256, dot_form=True) == 128
