"""Fit the polynomials of core/functions/polynomials.py and print that file.

    python tests/benchmarks/fit_polynomials.py > core/functions/polynomials.py

Least squares of the relative error of a smooth quotient at Chebyshev points, in 60 digits: the
largest error is within a small factor of the best possible. Coefficients are rounded one after
the other, from the constant up, and the rest fitted again, so that they make up for it.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60
TAIL_CENTER = 4.0


def fit(function, low, high, powers, precision, offset):
    """Coefficients c with offset + sum c[n] x^powers[n] close to a function on [low, high].

    Args:
        powers: Consecutive and rising.
        precision: Bits of the float that a coefficient is rounded to, "32" or "64".

    Returns:
        The coefficients, and the largest relative error.
    """
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    count = 4 * len(powers)
    nodes = [middle + half * mp.cos(mp.pi * (2 * n + 1) / (2 * count)) for n in range(count)]
    exact = [function(x) for x in nodes]
    terms = [[x**k / f for x, f in zip(nodes, exact, strict=True)] for k in powers]
    left = mp.matrix([(f - offset) / f for f in exact])
    coefficients = []
    for n, term in enumerate(terms):
        open_terms = mp.matrix(terms[n:])
        solution = mp.lu_solve(open_terms * open_terms.T, open_terms * left)
        coefficients.append(to_float(precision, solution[0]))
        left -= coefficients[-1] * mp.matrix(term)
    return coefficients, max(abs(e) for e in left)


def exp_quotient(r):
    """(exp(r) - 1 - r) / r^2."""
    return mp.mpf(1) / 2 + r / 6 if abs(r) < mp.mpf(10) ** -20 else (mp.expm1(r) - r) / r**2


def log_quotient(z):
    """(z - ln(1 + z)) / z^2."""
    return mp.mpf(1) / 2 - z / 3 if z < mp.mpf(10) ** -20 else (z - mp.log1p(z)) / z**2


def erf_quotient(square):
    """erf(x) / x of x^2."""
    x = mp.sqrt(square)
    return 2 / mp.sqrt(mp.pi) if x < mp.mpf(10) ** -20 else mp.erf(x) / x


def tanh_quotient(square):
    """(tanh(x) - x) / x^3 of x^2."""
    x = mp.sqrt(square)
    if x < mp.mpf(10) ** -8:
        return -mp.mpf(1) / 3 + 2 * square / 15 - 17 * square**2 / 315
    return (mp.tanh(x) - x) / x**3


def tail_quotient(s):
    """Phi(-x) exp(x^2 / 2) (K + x) of s = (K - x) / (K + x)."""
    x = TAIL_CENTER * (1 - s) / (1 + s)
    return mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2)) / 2 * (TAIL_CENTER + x)


def tail_end(x):
    """s at this x."""
    return (TAIL_CENTER - mp.mpf(x)) / (TAIL_CENTER + mp.mpf(x))


HALF_LN2 = mp.log(2) / 2 * (1 + mp.mpf(10) ** -3)
HEAD = '''"""Polynomials of core.functions.elementary, coefficients from the constant up.

Printed by tests/benchmarks/fit_polynomials.py, whose functions say what each is fitted to.
"""
'''
FITS = {
    "EXP_32": (exp_quotient, -HALF_LN2, HALF_LN2, range(5)),
    "EXP_64": (exp_quotient, -HALF_LN2, HALF_LN2, range(10)),
    "LOG_32": (log_quotient, 0, 1, range(10)),
    "LOG_64": (log_quotient, 0, 1, range(21)),
    "ERF_32": (erf_quotient, 0, 1, range(7)),
    "ERF_64": (erf_quotient, 0, 1, range(13)),
    "TANH_32": (tanh_quotient, 0, mp.mpf(36) / 100, range(5)),
    "TANH_64": (tanh_quotient, 0, mp.mpf(36) / 100, range(11)),
    "TAIL_32": (tail_quotient, tail_end(14), 1, range(1, 11)),
    "TAIL_64": (tail_quotient, tail_end(38), 1, range(1, 22)),
}
# What comes before the polynomial: the 1 of x + x P(x^2); what is kept in two parts.
OFFSETS = {"ERF": 1, "TAIL": tail_quotient(0)}


def to_float(precision, x):
    """The number rounded to a float of so many bits."""
    return mp.mpf(float(np.dtype(f"float{precision}").type(float(x))))


def show(number, digits):
    """A number with so many digits."""
    return mp.nstr(number, digits, min_fixed=0, max_fixed=0)


def main():
    """Print the file."""
    print(HEAD)
    print(f"TAIL_CENTER = {TAIL_CENTER}\nTAIL_FIRST = {show(tail_quotient(0), 17)}")
    for name, arguments in FITS.items():
        kind, precision = name.split("_")
        coefficients, error = fit(*arguments, precision, OFFSETS.get(kind, 0))
        print(f"# relative error {mp.nstr(error, 2)}")
        print(f"{name} = (")
        for c in coefficients:
            print(f"    {show(c, 10 if precision == '32' else 17)},")
        print(")")


if __name__ == "__main__":
    main()
