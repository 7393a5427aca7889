"""The reference that derivatives are held against: central differences in float64."""

import numpy as np


def central_differences(function, params, step=1e-6):
    """d(sum of function)/d(params): one array per layer, the parameters' shapes."""
    gradients = []
    for p in params:
        gradient = np.empty_like(p)
        for index in np.ndindex(p.shape):
            kept = p[index]
            p[index] = kept + step
            above = function(params).sum()
            p[index] = kept - step
            below = function(params).sum()
            p[index] = kept
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients


def relative_error(found, expected):
    """The largest deviation of any layer, over that layer's largest entry."""
    return max(np.abs(f - e).max() / np.abs(e).max() for f, e in zip(found, expected, strict=True))
