"""One layer of an infinitely wide network: how it maps variance, correlation and gradient.

As the width grows, pre-activations become Gaussian. Then one number per layer, their variance q,
describes the signal, and chi describes the squared gradient.

Sources: Poole et al. (2016), arXiv:1606.05340; Schoenholz et al. (2017), arXiv:1611.01232.
Here and in core.theory.mean_field phi is the activation, z ~ N(0, 1), sigma_w^2 = weight_variance,
the variance of a weight times the layer's fan-in, and sigma_b^2 = bias_variance, the
variance of a bias. Activations go by their names in core.functions.activations.ACTIVATIONS.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.functions.activations import ACTIVATIONS
from core.theory.quadrature import correlated_mean, gaussian_mean

Array = NDArray[np.floating]

# A layer beyond is taken to have overflowed: its squares would not be float64 numbers.
LARGEST_VARIANCE = 1e150
# Stands for 0 in quotients whose limit at 0 is wanted.
SMALLEST_VARIANCE = 1e-24


def mean_square(activation: str, q: ArrayLike) -> Array:
    """E phi(sqrt(q) z)^2, the mean squared activation of a layer, in the shape of `q`."""
    phi = ACTIVATIONS[activation]
    return gaussian_mean(lambda h: phi.value(h) ** 2, q, phi.kinks, phi.straight_from)


def mean_squared_slope(activation: str, q: ArrayLike) -> Array:
    """E phi'(sqrt(q) z)^2, in the shape of `q`; at q = 0 the mean of both sides."""
    phi = ACTIVATIONS[activation]
    return gaussian_mean(lambda h: phi.derivative(h) ** 2, q, phi.kinks, phi.straight_from)


def next_variance(
    q: ArrayLike, activation: str, weight_variance: float, bias_variance: float
) -> Array:
    """Pre-activation variance one layer deeper, at infinite width.

        q' = sigma_w^2 E[phi(sqrt(q) z)^2] + sigma_b^2

    Poole et al. (2016), eq. 3. Returns the shape of `q`.
    """
    return weight_variance * mean_square(activation, q) + bias_variance


def gradient_growth(q: ArrayLike, activation: str, weight_variance: float) -> Array:
    """chi at variance q: the factor of a squared gradient per layer backward.

        chi = sigma_w^2 E[phi'(sqrt(q) z)^2],    E |delta_(l-1)|^2 = chi E |delta_l|^2

    Poole et al. (2016), eq. 6 (there as the slope of the correlation map at 1);
    Schoenholz et al. (2017), section 4, for gradients. Returns the shape of `q`.
    """
    return weight_variance * mean_squared_slope(activation, q)


def next_correlation(
    c: float, q: float, activation: str, weight_variance: float, bias_variance: float
) -> float:
    """Correlation, one layer deeper, of two inputs whose pre-activations have variance q.

        c' = (sigma_w^2 E[phi(u1) phi(u2)] + sigma_b^2) / q',   corr(u1, u2) = c, var u = q

    Poole et al. (2016), eq. 5, with q' their eq. 3.
    """
    phi = ACTIVATIONS[activation]
    shared = (
        weight_variance * correlated_mean(phi.value, q, c, phi.kinks, phi.straight_from)
        + bias_variance
    )
    return shared / float(next_variance(q, activation, weight_variance, bias_variance))


def variance_slope(q: float, activation: str, weight_variance: float) -> float:
    """dq'/dq at q: the factor of a small deviation of the variance per layer.

        dq'/dq = chi + sigma_w^2 E[phi''(u) phi(u)] = sigma_w^2 E[phi(u) phi'(u) u] / q

    with u = sqrt(q) z. Schoenholz et al. (2017), section 3, has the first form; the second
    is the chain rule on E phi^2. The second form is computed, since it needs no phi'': at a kink
    phi'' is a delta function, which no quadrature sees. At q = 0, where phi(0) = 0, the result
    is the limit.
    """
    phi = ACTIVATIONS[activation]
    q = max(q, SMALLEST_VARIANCE)
    mean = gaussian_mean(
        lambda h: phi.value(h) * phi.derivative(h) * h, q, phi.kinks, phi.straight_from
    )
    return weight_variance * float(mean) / q


def correlation_slope(c: float, q: float, activation: str, weight_variance: float) -> float:
    """chi_c at a fixed point q: the factor of a small deviation of the correlation per layer.

        chi_c = dc'/dc = sigma_w^2 E[phi'(u1) phi'(u2)],    corr(u1, u2) = c, var u = q

    Schoenholz et al. (2017), section 3. At c = 1 it is chi.
    """
    phi = ACTIVATIONS[activation]
    return weight_variance * correlated_mean(phi.derivative, q, c, phi.kinks, phi.straight_from)


def variance_by_layer(
    activation: str, weight_variance: float, bias_variance: float, first_q: float, depth: int
) -> Array:
    """Pre-activation variance of layers 1 to `depth`, (depth,), the first being `first_q`.

    Poole et al. (2016), eq. 3, iterated. Inputs x of n features make first_q equal to
    sigma_w^2 |x|^2 / n + sigma_b^2. Variances beyond 1e150 are inf.
    """
    variances = np.full(depth, np.inf)
    q = first_q
    for layer in range(depth):
        if q > LARGEST_VARIANCE:
            break
        variances[layer] = q
        q = float(next_variance(q, activation, weight_variance, bias_variance))
    return variances
