"""Ratios of gradients: between layers, to the output error, and between examples.

Of a stack of networks, (networks,); NaN where there is no such number.
"""

import numpy as np
from numpy.typing import NDArray

from core.measuring.signal_propagation import LayerSignals

Floats = NDArray[np.floating]


def log10_gradient_ratio(signals: LayerSignals) -> Floats:
    """log10 of the first layer's weight-gradient norm over the last one's."""
    return _difference(signals.log10_gradient_norm[:, 0], signals.log10_gradient_norm[:, -1])


def log10_hidden_gradient_ratio(signals: LayerSignals) -> Floats:
    """log10 of the first over the last hidden layer's weight-gradient norm."""
    norms = signals.log10_gradient_norm
    return _difference(norms[:, 0], norms[:, signals.last_hidden])


def log10_gradient_per_error(signals: LayerSignals) -> Floats:
    """log10 of the first layer's weight-gradient norm over the output error."""
    return _difference(signals.log10_gradient_norm[:, 0], signals.log10_delta_norm[:, -1])


def log10_hidden_signal_ratio(signals: LayerSignals) -> Floats:
    """log10 of the first over the last hidden layer's rms example gradient."""
    norms = signals.log10_example_gradient_norm
    return _difference(norms[:, 0], norms[:, signals.last_hidden])


def log10_signal_per_error(signals: LayerSignals) -> Floats:
    """log10 of the first layer's rms example gradient over the output error."""
    return _difference(signals.log10_example_gradient_norm[:, 0], signals.log10_delta_norm[:, -1])


def gradient_alignment(signals: LayerSignals, biases: bool = True) -> Floats:
    """Norm of a network's mean gradient over the rms norm of its examples' gradients.

    1 where all examples agree, 0 at a stationary point, where they cancel, and about
    1 / sqrt(examples) where they are independent. NaN where no example has a gradient. The
    biases' gradients count only if biases are parameters.
    """
    mean, each = signals.log10_gradient_norm, signals.log10_example_gradient_norm
    if biases:
        mean = np.concatenate([mean, signals.log10_bias_gradient_norm], axis=1)
        each = np.concatenate([each, signals.log10_delta_norm], axis=1)
    largest = each.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        means, examples = (np.sum(10 ** (2 * (x - largest)), axis=1) for x in (mean, each))
        return np.sqrt(means / examples)


def output_slope(signals: LayerSignals, loss: Floats) -> Floats:
    """The rms of the examples' |dloss / dh_L| over that of their errors.

    Of a loss that is half of the squared errors, summed over outputs, of a function of h_L.

    Args:
        signals: The networks'.
        loss: Its mean over examples, (networks,).
    """
    with np.errstate(all="ignore"):
        return np.asarray(10 ** signals.log10_delta_norm[:, -1] / np.sqrt(2 * loss))


def _difference(first: Floats, last: Floats) -> Floats:
    """first - last; NaN where it is undefined, -inf where only the first norm is 0."""
    known = np.isfinite(last) & (first < np.inf)
    return np.subtract(first, last, where=known, out=np.full(known.shape, np.nan))
