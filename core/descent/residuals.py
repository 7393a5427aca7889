"""The element-wise passes of a residual connection, each for one layer.

    forward:  a <- given + f value
    backward: delta <- f above

The factor f lies at an address, as everything that a pass takes.
"""

from functools import cache

import numpy as np
from numba import carray

from core.compilation import compiled_pass


@cache
def residual_passes(dtype):
    """The compiled passes (forward, backward) of a residual connection.

    They take addresses of arrays, then rows and columns: (given, value, factor, a) and
    (above, factor, delta).
    """
    dtype = np.dtype(dtype)
    return _forward(dtype), _backward(dtype)


def _forward(dtype):
    @compiled_pass(dtype, matrices=4)
    def forward(given_at, value_at, factor_at, a_at, rows, columns):
        size, factor = rows * columns, carray(factor_at, 1)[0]
        given, value, a = carray(given_at, size), carray(value_at, size), carray(a_at, size)
        for j in range(size):
            a[j] = given[j] + factor * value[j]
        return 0.0

    return forward


def _backward(dtype):
    @compiled_pass(dtype, matrices=3)
    def backward(above_at, factor_at, delta_at, rows, columns):
        size, factor = rows * columns, carray(factor_at, 1)[0]
        above, delta = carray(above_at, size), carray(delta_at, size)
        for j in range(size):
            delta[j] = factor * above[j]
        return 0.0

    return backward
