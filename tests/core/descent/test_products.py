"""The three products of a layer, in blocks and whole: NumPy's."""

import numpy as np
import pytest

from core.descent.products import (
    LEAST_ROWS,
    backward_product,
    blas,
    block_rows,
    forward_product,
    gradient_product,
    input_gradient_product,
)

SHAPES = [(1, 1, 1), (16, 64, 16), (3, 7, 5), (32, 32, 128), (64, 64, 256), (97, 101, 300)]


def assert_close(found, expected):
    bound = 1e-12 if found.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize("small_kernels", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("fan_out", "fan_in", "examples"), SHAPES)
def test_products_are_those_of_numpy(fan_out, fan_in, examples, dtype, small_kernels, rng):
    """Forward, backward and gradient, whatever was in the result before."""
    limits = (100**3, 1200) if small_kernels else (10**12, 10**12)
    ours = blas(np.dtype(dtype))._replace(
        most_multiplications=limits[0], most_dot_form_results=limits[1]
    )
    w, a, delta = (
        rng.standard_normal(shape).astype(dtype)
        for shape in ((fan_out, fan_in), (fan_in, examples), (fan_out, examples))
    )
    a_t = np.ascontiguousarray(a.T)
    h, below, gradient, again = (np.full(x.shape, np.nan, dtype) for x in (delta, a, w, w))
    at = {id(x): x.ctypes.data for x in (w, a, a_t, delta, h, below, gradient, again)}
    forward_product(ours, at[id(w)], at[id(a)], at[id(h)], (fan_out, fan_in, examples))
    sizes_below = (fan_in, fan_out, examples)
    backward_product(ours, at[id(w)], at[id(delta)], at[id(below)], sizes_below, ours.zero)
    sizes = (fan_out, examples, fan_in)
    gradient_product(ours, at[id(delta)], at[id(a)], at[id(gradient)], sizes)
    input_gradient_product(ours, at[id(delta)], at[id(a_t)], at[id(again)], sizes)
    assert_close(h, w @ a)
    assert_close(below, w.T @ delta)
    backward_product(ours, at[id(w)], at[id(delta)], at[id(below)], sizes_below, ours.one)
    assert_close(below, 2 * w.T @ delta)
    assert_close(gradient, delta @ a.T)
    assert_close(again, delta @ a.T)


@pytest.mark.parametrize(
    ("rows", "most", "height"),
    [
        (64, 18, 16),
        (32, 37, 32),
        (128, 30, 24),
        (64, 61, 32),
        (97, 30, 24),
        (64, 9, 64),
        (97, 20, 97),
    ],
)
def test_blocks_are_even_or_the_kernels_own_and_not_thin(rows, most, height):
    """The largest divisor that is allowed; all rows at once where blocks would be thin."""
    assert block_rows(rows, most) == height
    assert height >= LEAST_ROWS
