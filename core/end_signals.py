"""A trained network's signals at its end, drawn together from those of its layers."""

import numpy as np
from numpy.typing import DTypeLike

from core.causes import EndSignals
from core.gradient_ratios import (
    gradient_alignment,
    log10_gradient_per_error,
    log10_hidden_gradient_ratio,
    log10_hidden_signal_ratio,
    log10_signal_per_error,
)
from core.signal_propagation import LayerSignals

# A layer's mean gradient is a sum over the examples, each term rounded to within a half unit
# of the trained dtype. Descent comes to rest where the sum as rounded is 0, so what is left
# of the exact one is a few roundings of one example's gradient, and says nothing of the
# network. In 220 pairs of float32 and float64 runs the noise ended at 14 units.
ROUNDING_UNITS = 32


def end_signals(signals: LayerSignals, dtype: DTypeLike) -> EndSignals:
    """What the rules for stalls ask of one trained network.

    A mean gradient that only rounding kept from 0 has no size: the ratios with it are None.

    Args:
        signals: The network's, measured after the last step.
        dtype: The arithmetic of its training.
    """
    hidden_slopes, dead = signals.mean_slope[:-1], signals.dead_fraction[:-1]
    known = _outside_rounding(signals, dtype)
    last_hidden = max(len(known) - 2, 0)
    both = known[0] and known[last_hidden]
    return EndSignals(
        log10_signal_ratio=log10_hidden_signal_ratio(signals),
        log10_signal_per_error=log10_signal_per_error(signals),
        gradient_alignment=gradient_alignment(signals),
        log10_gradient_ratio=log10_hidden_gradient_ratio(signals) if both else None,
        log10_gradient_per_error=log10_gradient_per_error(signals) if known[0] else None,
        active_fraction=_number(1 - dead.max()) if dead.size else None,
        mean_slope=_number(hidden_slopes.mean()) if hidden_slopes.size else None,
    )


def _outside_rounding(signals: LayerSignals, dtype: DTypeLike) -> list[bool]:
    """Whether each layer's mean weight gradient is more than rounding of its examples'."""
    noise = np.log10(ROUNDING_UNITS * np.finfo(dtype).eps)
    floor = signals.log10_example_gradient_norm + noise
    return np.asarray(signals.log10_gradient_norm > floor).tolist()


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
