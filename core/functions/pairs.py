"""Numbers in two parts: a rounded number, and the rest that rounding lost.

Each operation keeps what it loses, so that the last one of a formula is the only one whose
rounding counts. Without a fused multiply-add in the processor part of it is lost.

Source: Dekker (1971), Numerische Mathematik 18.
"""

from core.compilation import inlined
from core.functions.intrinsics import multiply_add


@inlined
def pair(x, number):
    """A constant rounded to x's type, and the rest of it."""
    T = type(x)
    rounded = T(number)
    return rounded, T(number - float(rounded))


@inlined
def plus(power_of_two, x):
    """The sum of a power of two and a number x >= 0, as a pair."""
    rounded = power_of_two + x
    return rounded, x - (rounded - power_of_two)


@inlined
def product(x, y):
    """x y, for pairs: both and the result are a rounded number and the rest of it."""
    rounded = x[0] * y[0]
    rest = multiply_add(x[0], y[0], -rounded)
    return rounded, multiply_add(x[0], y[1], multiply_add(x[1], y[0], rest))


@inlined
def rounded_product(x, y):
    """x y of two pairs, rounded once."""
    return multiply_add(x[0], y[0], multiply_add(x[0], y[1], x[1] * y[0]))


@inlined
def reciprocal(x):
    """1 / x of a pair, as a pair."""
    one = type(x[0])(1)
    rounded = one / x[0]
    rest = multiply_add(-rounded, x[1], multiply_add(-rounded, x[0], one))
    return rounded, rounded * rest


@inlined
def complement(x):
    """1 - x of a pair between 0 and 1, as a pair."""
    one = type(x[0])(1)
    rounded = one - x[0]
    return rounded, ((one - rounded) - x[0]) - x[1]
