"""The element-wise passes between a layer's products, one pair per activation.

    forward:  h <- phi(h + b)
    backward: delta <- delta * phi'(h), and its sums over examples

A pass is compiled when its activation is first trained; the loop, which calls it by its
address, is compiled once for all. The backward pass multiplies by phi'(h). It computes that from
phi(h) where phi(h) determines it; otherwise the forward pass keeps it.
"""

from functools import cache

import numpy as np
from numba import carray
from numba.extending import overload

from core.compilation import compiled_pass
from core.functions.activation_formulas import FORMULAS, SLOPES_FROM_VALUES

# Shorter rows are processed together: a vector loop needs some length.
SHORT_ROW = 128


# A pass looks up its activation's functions by name when it is compiled. As variables of the
# enclosing function they would keep Numba from recognizing a pass that it has compiled before.
def _formula(name, h):
    raise NotImplementedError("compiled code calls what is below")


def _slope_from_value(name, a):
    raise NotImplementedError("compiled code calls what is below")


@overload(_formula, prefer_literal=True, jit_options={"forceinline": True})
def _formula_of(name, h):
    formula = FORMULAS[name.literal_value]
    return lambda name, h: formula(h)


@overload(_slope_from_value, prefer_literal=True, jit_options={"forceinline": True})
def _slope_from_value_of(name, a):
    slope = SLOPES_FROM_VALUES[name.literal_value]
    return lambda name, a: slope(a)


def keeps_slopes(activation: str) -> bool:
    """Whether the forward pass keeps the slopes because the values do not determine them."""
    return activation not in SLOPES_FROM_VALUES


@cache
def activation_passes(activation, dtype):
    """The compiled passes (forward, backward) of an activation.

    Both take the addresses of three arrays, then rows and columns: (h, bias, slopes) and
    (delta, slopes, sums). Where no slopes are kept, their address is that of the values.
    """
    dtype = np.dtype(dtype)
    if keeps_slopes(activation):
        return _forward_keeping(activation, dtype), _backward_by_slopes(dtype)
    return _forward(activation, dtype), _backward_by_values(activation, dtype)


def _forward(activation, dtype):
    @compiled_pass(dtype, matrices=3)
    def forward(h_at, bias_at, slopes_at, rows, columns):
        h, bias = carray(h_at, (rows, columns)), carray(bias_at, rows)
        if columns >= SHORT_ROW:
            for i in range(rows):
                for j in range(columns):
                    h[i, j] = _formula(activation, h[i, j] + bias[i])[0]
            return 0.0
        for i in range(rows):
            for j in range(columns):
                h[i, j] += bias[i]
        flat = carray(h_at, rows * columns)
        for j in range(rows * columns):
            flat[j] = _formula(activation, flat[j])[0]
        return 0.0

    return forward


def _forward_keeping(activation, dtype):
    @compiled_pass(dtype, matrices=3)
    def forward(h_at, bias_at, slopes_at, rows, columns):
        h, bias = carray(h_at, (rows, columns)), carray(bias_at, rows)
        for i in range(rows):
            for j in range(columns):
                h[i, j] += bias[i]
        flat, slopes = carray(h_at, rows * columns), carray(slopes_at, rows * columns)
        for j in range(rows * columns):
            flat[j], slopes[j], _ = _formula(activation, flat[j])
        return 0.0

    return forward


def _backward_by_values(activation, dtype):
    zero = dtype.type(0)

    @compiled_pass(dtype, matrices=3)
    def backward(delta_at, values_at, sums_at, rows, columns):
        delta, values = carray(delta_at, (rows, columns)), carray(values_at, (rows, columns))
        sums = carray(sums_at, rows)
        for i in range(rows):
            total = zero
            for j in range(columns):
                value = delta[i, j] * _slope_from_value(activation, values[i, j])
                delta[i, j] = value
                total += value
            sums[i] = total
        return 0.0

    return backward


def _backward_by_slopes(dtype):
    zero = dtype.type(0)

    @compiled_pass(dtype, matrices=3)
    def backward(delta_at, slopes_at, sums_at, rows, columns):
        delta, slopes = carray(delta_at, (rows, columns)), carray(slopes_at, (rows, columns))
        sums = carray(sums_at, rows)
        for i in range(rows):
            total = zero
            for j in range(columns):
                value = delta[i, j] * slopes[i, j]
                delta[i, j] = value
                total += value
            sums[i] = total
        return 0.0

    return backward
