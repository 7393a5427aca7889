"""One network's gradients compared: layer with layer, with the error, and example with example."""

import numpy as np

from core.signal_propagation import LayerSignals


def log10_gradient_ratio(signals: LayerSignals) -> float | None:
    """log10 of the first layer's weight-gradient norm over the last one's, of one network."""
    return _difference(signals.log10_gradient_norm[0], signals.log10_gradient_norm[-1])


def log10_hidden_gradient_ratio(signals: LayerSignals) -> float | None:
    """log10 of the first over the last hidden layer's weight-gradient norm, of one network."""
    last_hidden = max(len(signals.log10_gradient_norm) - 2, 0)
    return _difference(signals.log10_gradient_norm[0], signals.log10_gradient_norm[last_hidden])


def log10_gradient_per_error(signals: LayerSignals) -> float | None:
    """log10 of the first layer's weight-gradient norm over the output error, of one network."""
    return _difference(signals.log10_gradient_norm[0], signals.log10_delta_norm[-1])


def log10_hidden_signal_ratio(signals: LayerSignals) -> float | None:
    """log10 of the first over the last hidden layer's rms example gradient, of one network."""
    last_hidden = max(len(signals.log10_example_gradient_norm) - 2, 0)
    norms = signals.log10_example_gradient_norm
    return _difference(norms[0], norms[last_hidden])


def log10_signal_per_error(signals: LayerSignals) -> float | None:
    """log10 of the first layer's rms example gradient over the output error, of one network."""
    return _difference(signals.log10_example_gradient_norm[0], signals.log10_delta_norm[-1])


def gradient_alignment(signals: LayerSignals) -> float | None:
    """Norm of one network's mean gradient over the rms of its examples', all parameters.

    1 where all examples agree, 0 at a stationary point, where they cancel; about one over
    the root of their number where they are independent. None where no example has one.
    """
    mean = np.concatenate([signals.log10_gradient_norm, signals.log10_bias_gradient_norm])
    each = np.concatenate([signals.log10_example_gradient_norm, signals.log10_delta_norm])
    largest = each.max()
    if not np.isfinite(largest):
        return None
    ratio = np.sum(10 ** (2 * (mean - largest))) / np.sum(10 ** (2 * (each - largest)))
    return float(np.sqrt(ratio)) if np.isfinite(ratio) else None


def _difference(first: float, last: float) -> float | None:
    """first - last; None where that is no number, -inf where only the first norm is 0."""
    if np.isnan(first) or not np.isfinite(last) or first == np.inf:
        return None
    return float(first - last)
