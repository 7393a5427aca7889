"""The signals of trained networks at the end, summarized over their layers."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.measuring.gradient_ratios import (
    gradient_alignment,
    log10_gradient_per_error,
    log10_hidden_gradient_ratio,
    log10_hidden_signal_ratio,
    log10_signal_per_error,
)
from core.measuring.signal_propagation import LayerSignals

Floats = NDArray[np.floating]

# A layer's mean gradient is a sum over the examples, and each term is rounded to half a unit of
# the trained dtype. Descent comes to rest where the rounded sum is 0. What is then left of the
# exact sum is a few roundings of one example's gradient, and says nothing about the network. In
# 220 pairs of float32 and float64 runs this noise was at most 14 units.
ROUNDING_UNITS = 32


def end_signals(signals: LayerSignals, dtype: DTypeLike, biases: bool = True) -> dict[str, Floats]:
    """The columns of trained networks' rows about their signals, (networks,) each.

    NaN or -inf where there is no such number. Where a mean gradient differs from 0 only by
    rounding, its size means nothing, and the ratios with it are NaN.

    Args:
        signals: The networks', measured after the last step.
        dtype: The arithmetic of their training.
        biases: Whether biases are parameters.
    """
    known = _outside_rounding(signals, dtype)
    both = known[:, 0] & known[:, signals.last_hidden]
    ratio, per_error = log10_hidden_gradient_ratio(signals), log10_gradient_per_error(signals)
    columns = {
        "final_log10_gradient_ratio": np.where(both, ratio, np.nan),
        "final_log10_gradient_per_error": np.where(known[:, 0], per_error, np.nan),
        "final_log10_signal_ratio": log10_hidden_signal_ratio(signals),
        "final_log10_signal_per_error": log10_signal_per_error(signals),
        "final_gradient_alignment": gradient_alignment(signals, biases),
    }
    if signals.depth == 1:
        return columns
    return columns | {
        "final_mean_slope": signals.mean_slope[:, :-1].mean(axis=1),
        "final_active_fraction": 1 - signals.dead_fraction[:, :-1].max(axis=1),
    }


def _outside_rounding(signals: LayerSignals, dtype: DTypeLike) -> NDArray[np.bool_]:
    """Whether each layer's mean weight gradient exceeds the rounding errors of its examples."""
    noise = np.log10(ROUNDING_UNITS * np.finfo(dtype).eps)
    return signals.log10_gradient_norm > signals.log10_example_gradient_norm + noise
