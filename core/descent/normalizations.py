"""The passes of a normalization, each for one layer: of core.hidden_layers' formulas.

forward:  h <- u = (h + b - mean) / sqrt(variance + EPSILON), kept beside 1 / sqrt(...)
backward: delta <- (delta - mean of delta - u * mean of (delta * u)) / sqrt(...), and its sums
          over examples
"""

from functools import cache
from math import sqrt

import numpy as np
from numba import carray

from core.compilation import compiled_pass
from core.hidden_layers import EPSILON


@cache
def normalization_passes(normalization, dtype):
    """The compiled passes (forward, backward) of a normalization.

    They take the addresses of arrays, then rows and columns: (h, bias, u, inverse, scratch) and
    (delta, u, inverse, sums, scratch). `inverse` has a number for each example or each unit;
    scratch has room for two rows.
    """
    return NORMALIZATION_PASSES[normalization](np.dtype(dtype))


def _layer(dtype):
    zero, one, epsilon = dtype.type(0), dtype.type(1), dtype.type(EPSILON)

    @compiled_pass(dtype, matrices=5)
    def forward(h_at, bias_at, u_at, inverse_at, scratch_at, rows, columns):
        h, u = carray(h_at, (rows, columns)), carray(u_at, (rows, columns))
        bias, inverse = carray(bias_at, rows), carray(inverse_at, columns)
        mean = carray(scratch_at, columns)
        mean[:] = zero
        inverse[:] = zero
        for i in range(rows):
            for j in range(columns):
                h[i, j] += bias[i]
                mean[j] += h[i, j]
        for j in range(columns):
            mean[j] /= rows
        for i in range(rows):
            for j in range(columns):
                h[i, j] -= mean[j]
                inverse[j] += h[i, j] * h[i, j]
        for j in range(columns):
            inverse[j] = one / sqrt(inverse[j] / rows + epsilon)
        for i in range(rows):
            for j in range(columns):
                h[i, j] *= inverse[j]
                u[i, j] = h[i, j]
        return 0.0

    @compiled_pass(dtype, matrices=5)
    def backward(delta_at, u_at, inverse_at, sums_at, scratch_at, rows, columns):
        delta, u = carray(delta_at, (rows, columns)), carray(u_at, (rows, columns))
        inverse, sums = carray(inverse_at, columns), carray(sums_at, rows)
        scratch = carray(scratch_at, (2, columns))
        mean, along = scratch[0], scratch[1]
        scratch[:] = zero
        for i in range(rows):
            for j in range(columns):
                mean[j] += delta[i, j]
                along[j] += delta[i, j] * u[i, j]
        for j in range(columns):
            mean[j] /= rows
            along[j] /= rows
        for i in range(rows):
            total = zero
            for j in range(columns):
                value = inverse[j] * (delta[i, j] - mean[j] - u[i, j] * along[j])
                delta[i, j] = value
                total += value
            sums[i] = total
        return 0.0

    return forward, backward


def _batch(dtype):
    zero, one, epsilon = dtype.type(0), dtype.type(1), dtype.type(EPSILON)

    @compiled_pass(dtype, matrices=5)
    def forward(h_at, bias_at, u_at, inverse_at, scratch_at, rows, columns):
        h, u = carray(h_at, (rows, columns)), carray(u_at, (rows, columns))
        bias, inverse = carray(bias_at, rows), carray(inverse_at, rows)
        for i in range(rows):
            mean = variance = zero
            for j in range(columns):
                h[i, j] += bias[i]
                mean += h[i, j]
            mean /= columns
            for j in range(columns):
                h[i, j] -= mean
                variance += h[i, j] * h[i, j]
            scale = one / sqrt(variance / columns + epsilon)
            for j in range(columns):
                h[i, j] *= scale
                u[i, j] = h[i, j]
            inverse[i] = scale
        return 0.0

    @compiled_pass(dtype, matrices=5)
    def backward(delta_at, u_at, inverse_at, sums_at, scratch_at, rows, columns):
        delta, u = carray(delta_at, (rows, columns)), carray(u_at, (rows, columns))
        inverse, sums = carray(inverse_at, rows), carray(sums_at, rows)
        for i in range(rows):
            mean = along = total = zero
            for j in range(columns):
                mean += delta[i, j]
                along += delta[i, j] * u[i, j]
            mean /= columns
            along /= columns
            for j in range(columns):
                value = inverse[i] * (delta[i, j] - mean - u[i, j] * along)
                delta[i, j] = value
                total += value
            sums[i] = total
        return 0.0

    return forward, backward


NORMALIZATION_PASSES = {"layer": _layer, "batch": _batch}
