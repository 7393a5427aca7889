"""The losses: h <- h + b, the residual examples x dLoss/dh, its sums over examples, the loss.

The formulas are those of core.losses, compiled with the last layer's bias in the same pass.
"""

from functools import cache
from math import log

import numpy as np
from numba import carray

from core.compilation import compiled_pass
from core.functions.elementary import exp


@cache
def loss_pass(loss, dtype):
    """The compiled pass of a loss; it returns the loss.

    It takes the addresses of (h, bias, targets, residuals, sums, scratch), rows and columns;
    scratch has room for two rows.
    """
    return LOSS_PASSES[loss](np.dtype(dtype))


def _mse(dtype):
    zero = dtype.type(0)

    @compiled_pass(dtype, matrices=6)
    def mse(h_at, bias_at, targets_at, residuals_at, sums_at, scratch_at, rows, columns):
        shape = (rows, columns)
        h, targets = carray(h_at, shape), carray(targets_at, shape)
        residuals = carray(residuals_at, shape)
        bias, sums = carray(bias_at, rows), carray(sums_at, rows)
        loss = 0.0
        for i in range(rows):
            total = squares = zero
            for j in range(columns):
                h[i, j] += bias[i]
                residual = h[i, j] - targets[i, j]
                residuals[i, j] = residual
                total += residual
                squares += residual * residual
            sums[i] = total
            loss += squares
        return loss / (2 * columns)

    return mse


def _cross_entropy(dtype):
    zero, one, infinity = dtype.type(0), dtype.type(1), dtype.type(np.inf)

    @compiled_pass(dtype, matrices=6)
    def cross_entropy(h_at, bias_at, targets_at, residuals_at, sums_at, scratch_at, rows, columns):
        shape = (rows, columns)
        h, targets = carray(h_at, shape), carray(targets_at, shape)
        residuals, scratch = carray(residuals_at, shape), carray(scratch_at, (2, columns))
        bias, sums = carray(bias_at, rows), carray(sums_at, rows)
        highest, total = scratch[0], scratch[1]
        highest[:] = -infinity
        total[:] = zero
        for i in range(rows):
            for j in range(columns):
                h[i, j] += bias[i]
                highest[j] = h[i, j] if h[i, j] > highest[j] else highest[j]
        for i in range(rows):
            for j in range(columns):
                residuals[i, j] = exp(h[i, j] - highest[j])
                total[j] += residuals[i, j]
        loss = 0.0
        for j in range(columns):
            loss += log(total[j])
            total[j] = one / total[j]
        for i in range(rows):
            sums[i] = right = zero
            for j in range(columns):
                residual = residuals[i, j] * total[j] - targets[i, j]
                residuals[i, j] = residual
                sums[i] += residual
                right += targets[i, j] * (h[i, j] - highest[j])
            loss -= right
        return loss / columns

    return cross_entropy


LOSS_PASSES = {"mse": _mse, "cross_entropy": _cross_entropy}
