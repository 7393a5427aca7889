"""The losses: h <- h + b, the residual examples x dLoss/dh, its sums over examples, the loss.

The formulas are those of core.losses, compiled with the last layer's bias in the same pass.
"""

from functools import cache
from math import log

import numpy as np
from numba import carray

from core.compilation import compiled_pass, inlined
from core.functions.elementary import exp, log1p


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


@inlined
def _sigmoids(z):
    """sigmoid(z), sigmoid(-z) and exp(-|z|)."""
    tail = exp(-abs(z))
    larger = type(z)(1) / (type(z)(1) + tail)
    smaller = tail * larger
    return larger if z > 0 else smaller, smaller if z > 0 else larger, tail


def _binary_cross_entropy(dtype):
    zero, one, two = dtype.type(0), dtype.type(1), dtype.type(2)

    @compiled_pass(dtype, matrices=6)
    def binary_cross_entropy(
        h_at, bias_at, targets_at, residuals_at, sums_at, scratch_at, rows, columns
    ):
        shape = (rows, columns)
        h, targets = carray(h_at, shape), carray(targets_at, shape)
        residuals = carray(residuals_at, shape)
        bias, sums = carray(bias_at, rows), carray(sums_at, rows)
        loss = 0.0
        for i in range(rows):
            total = losses = zero
            for j in range(columns):
                h[i, j] += bias[i]
                sign = one - two * targets[i, j]
                z = sign * h[i, j]
                wrong, _, tail = _sigmoids(z)
                losses += (z + abs(z)) / two + log1p(tail)[0]
                residuals[i, j] = sign * wrong
                total += sign * wrong
            sums[i] = total
            loss += losses
        return loss / columns

    return binary_cross_entropy


def _sigmoid_mse(dtype):
    zero, one, two = dtype.type(0), dtype.type(1), dtype.type(2)

    @compiled_pass(dtype, matrices=6)
    def sigmoid_mse(h_at, bias_at, targets_at, residuals_at, sums_at, scratch_at, rows, columns):
        shape = (rows, columns)
        h, targets = carray(h_at, shape), carray(targets_at, shape)
        residuals = carray(residuals_at, shape)
        bias, sums = carray(bias_at, rows), carray(sums_at, rows)
        loss = 0.0
        for i in range(rows):
            total = squares = zero
            for j in range(columns):
                h[i, j] += bias[i]
                sign = one - two * targets[i, j]
                z = sign * h[i, j]
                wrong, right, _ = _sigmoids(z)
                square = wrong * wrong
                squares += square + zero * z  # an infinite output has overflowed
                residuals[i, j] = sign * square * right
                total += sign * square * right
            sums[i] = total
            loss += squares
        return loss / (2 * columns)

    return sigmoid_mse


def _softmax_mse(dtype):
    zero, one, infinity = dtype.type(0), dtype.type(1), dtype.type(np.inf)

    @compiled_pass(dtype, matrices=6)
    def softmax_mse(h_at, bias_at, targets_at, residuals_at, sums_at, scratch_at, rows, columns):
        shape = (rows, columns)
        h, targets = carray(h_at, shape), carray(targets_at, shape)
        p, scratch = carray(residuals_at, shape), carray(scratch_at, (2, columns))
        bias, sums = carray(bias_at, rows), carray(sums_at, rows)
        # Of the likeliest class, first h and then the error; and sums over classes.
        likeliest, total = scratch[0], scratch[1]
        likeliest[:] = -infinity
        total[:] = zero
        for i in range(rows):
            for j in range(columns):
                h[i, j] += bias[i]
                likeliest[j] = h[i, j] if h[i, j] > likeliest[j] else likeliest[j]
        for i in range(rows):
            for j in range(columns):
                p[i, j] = exp(h[i, j] - likeliest[j])
                total[j] += p[i, j]
        for j in range(columns):
            total[j] = one / total[j]
        for i in range(rows):
            for j in range(columns):
                error = total[j] - targets[i, j]
                likeliest[j] = error if p[i, j] == one else likeliest[j]
                p[i, j] *= total[j]
        loss = 0.0
        total[:] = zero
        for i in range(rows):
            squares = zero
            for j in range(columns):
                error = p[i, j] - targets[i, j]
                squares += error * error + zero * h[i, j]  # an infinite output has overflowed
                total[j] += p[i, j] * (error - likeliest[j])
            loss += squares
        for i in range(rows):
            sums[i] = zero
            for j in range(columns):
                p[i, j] *= p[i, j] - targets[i, j] - likeliest[j] - total[j]
                sums[i] += p[i, j]
        return loss / (2 * columns)

    return softmax_mse


LOSS_PASSES = {
    "mse": _mse,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "sigmoid_mse": _sigmoid_mse,
    "softmax_mse": _softmax_mse,
}
