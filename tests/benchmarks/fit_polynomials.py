"""Fit the polynomials of core/polynomials.py and print that file.

    python tests/benchmarks/fit_polynomials.py > core/polynomials.py

Interpolation at Chebyshev points, in 60 digits, of a smooth quotient: the largest relative
error is within a small factor of the best possible.
"""

import mpmath as mp

mp.mp.dps = 60
ERFC_CENTER = 3.0


def chebyshev_fit(function, low, high, degree):
    """Coefficients from the constant up, and the largest relative error on [low, high]."""
    low, high = mp.mpf(low), mp.mpf(high)
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = [mp.cos(mp.pi * (2 * n + 1) / (2 * degree + 2)) for n in range(degree + 1)]
    values = [function(middle + half * u) for u in nodes]
    powers = mp.matrix(degree + 1, degree + 1)
    for row, u in enumerate(nodes):
        for column in range(degree + 1):
            powers[row, column] = (middle + half * u) ** column
    coefficients = list(mp.lu_solve(powers, mp.matrix(values)))
    errors = []
    for n in range(400):
        x = middle + half * mp.cos(mp.pi * (n + mp.mpf(1) / 3) / 400)
        exact = function(x)
        errors.append(abs(mp.polyval(coefficients[::-1], x) - exact) / abs(exact))
    return coefficients, max(errors)


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


def erfc_quotient(s):
    """exp(x^2) erfc(x) (K + x) of s = (K - x) / (K + x)."""
    x = ERFC_CENTER * (1 - s) / (1 + s)
    return mp.exp(x * x) * mp.erfc(x) * (ERFC_CENTER + x)


def erfc_end(x):
    """s at this x."""
    return (ERFC_CENTER - mp.mpf(x)) / (ERFC_CENTER + mp.mpf(x))


HALF_LN2 = mp.log(2) / 2 * (1 + mp.mpf(10) ** -3)
HEAD = '''"""Polynomials that core.elementary evaluates, coefficients from the constant up.

Printed by tests/benchmarks/fit_polynomials.py, whose functions say what each is fitted to.
"""
'''
FITS = {
    "EXP_32": (exp_quotient, -HALF_LN2, HALF_LN2, 4),
    "EXP_64": (exp_quotient, -HALF_LN2, HALF_LN2, 9),
    "LOG_32": (log_quotient, 0, 1, 9),
    "LOG_64": (log_quotient, 0, 1, 20),
    "ERF_32": (erf_quotient, 0, 1, 6),
    "ERF_64": (erf_quotient, 0, 1, 12),
    "TANH_32": (tanh_quotient, 0, mp.mpf(36) / 100, 4),
    "TANH_64": (tanh_quotient, 0, mp.mpf(36) / 100, 10),
    "ERFC_32": (erfc_quotient, erfc_end(10), 1, 9),
    "ERFC_64": (erfc_quotient, erfc_end(30), 1, 21),
}

if __name__ == "__main__":
    print(HEAD)
    print(f"ERFC_CENTER = {ERFC_CENTER}")
    for name, fit in FITS.items():
        coefficients, error = chebyshev_fit(*fit)
        if name.startswith("ERF_"):
            coefficients[0] -= 1  # the 1 of x + x P(x^2)
        digits = 10 if name.endswith("32") else 17
        print(f"# relative error {mp.nstr(error, 2)}\n{name} = (")
        for c in coefficients:
            print(f"    {mp.nstr(c, digits, min_fixed=0, max_fixed=0)},")
        print(")")
