"""Fused passes: an activation with its bias, a slope with the bias gradient, the losses."""

import numpy as np
import pytest
from numba import njit

from core.descent.calls import call_pass
from core.descent.losses import loss_pass
from core.descent.passes import SHORT_ROW, activation_passes, keeps_slopes
from core.functions.activations import ACTIVATIONS
from core.losses import LOSSES

ROWS = 5
BOUNDS = {"float32": 2e-6, "float64": 1e-13}


@njit
def call(function, *arguments):
    return call_pass(function, *arguments)


def run(function, *arrays):
    """Call a pass on arrays, the rows and columns of the first one."""
    places = [array.ctypes.data for array in arrays]
    return call(function.address, *places, *arrays[0].shape)


@pytest.mark.parametrize("columns", [1, 7, SHORT_ROW, 300])
@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_passes_are_the_activation_and_its_slope(activation, dtype, columns, rng):
    """Long rows and short ones, of the pre-activation with the bias added."""
    phi = ACTIVATIONS[activation]
    h, delta = rng.standard_normal((2, ROWS, columns)).astype(dtype)
    bias, sums = rng.standard_normal((2, ROWS)).astype(dtype)
    a, slopes, pulled = h.copy(), np.empty_like(h), delta.copy()
    forward, backward = activation_passes(activation, dtype)
    run(forward, a, bias, slopes)
    kept = slopes if keeps_slopes(activation) else a
    run(backward, pulled, kept, sums)
    biased = h + bias[:, None]
    expected = delta * phi.derivative(biased.copy())
    np.testing.assert_allclose(a, phi.value(biased.copy()), rtol=0, atol=3 * BOUNDS[dtype])
    np.testing.assert_allclose(pulled, expected, rtol=0, atol=3 * BOUNDS[dtype])
    np.testing.assert_allclose(sums, expected.sum(axis=1), rtol=0, atol=BOUNDS[dtype] * columns)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_a_number_stays_so(activation, dtype):
    """A pass may not assume that all is finite: divergence is a result."""
    h = np.array([[np.nan, 0.5] * SHORT_ROW], dtype)
    run(activation_passes(activation, dtype)[0], h, np.zeros(1, dtype), np.empty_like(h))
    assert np.isnan(h[0, ::2]).all()
    assert np.isfinite(h[0, 1::2]).all()


@pytest.mark.parametrize("columns", [1, 7, 300])
@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_those_of_the_plain_formulas(loss, dtype, columns, rng):
    """The loss, the residuals, their sums and the outputs with their bias."""
    h = (3 * rng.standard_normal((ROWS, columns))).astype(dtype)
    targets = np.eye(ROWS, dtype=dtype)[rng.integers(ROWS, size=columns)].T.copy()
    bias, sums = rng.standard_normal((2, ROWS)).astype(dtype)
    outputs, residuals, scratch = h.copy(), np.empty_like(h), np.empty((2, columns), dtype)
    found = run(loss_pass(loss, dtype), outputs, bias, targets, residuals, sums, scratch)
    expected = (h + bias[:, None])[None].astype("float64")
    np.testing.assert_allclose(outputs, expected[0], rtol=1e-6)
    (value,) = LOSSES[loss](expected, targets)
    assert found == pytest.approx(value, rel=BOUNDS[dtype])
    np.testing.assert_allclose(residuals, expected[0], rtol=0, atol=10 * BOUNDS[dtype])
    np.testing.assert_allclose(
        sums, expected[0].sum(axis=1), rtol=0, atol=10 * BOUNDS[dtype] * columns
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_of_what_overflowed_is_not_finite(loss, value, rng):
    """In any place, of the right class or a wrong one."""
    for place in ((0, 0), (3, 4)):
        h = rng.standard_normal((ROWS, 9))
        h[place] = value
        targets = np.eye(ROWS)[np.arange(9) % ROWS].T.copy()
        bias, sums, scratch = np.zeros(ROWS), np.empty(ROWS), np.empty((2, 9))
        found = run(loss_pass(loss, "float64"), h, bias, targets, np.empty_like(h), sums, scratch)
        assert not np.isfinite(found)
