"""A trained network's signals at its end, drawn together from those of its layers."""

import numpy as np

from core.causes import EndSignals
from core.signal_propagation import (
    LayerSignals,
    gradient_alignment,
    log10_gradient_per_error,
    log10_hidden_gradient_ratio,
    log10_hidden_signal_ratio,
    log10_signal_per_error,
)


def end_signals(signals: LayerSignals) -> EndSignals:
    """What the rules for stalls ask of one trained network."""
    hidden_slopes, dead = signals.mean_slope[:-1], signals.dead_fraction[:-1]
    return EndSignals(
        log10_signal_ratio=log10_hidden_signal_ratio(signals),
        log10_signal_per_error=log10_signal_per_error(signals),
        gradient_alignment=gradient_alignment(signals),
        log10_gradient_ratio=log10_hidden_gradient_ratio(signals),
        log10_gradient_per_error=log10_gradient_per_error(signals),
        active_fraction=_number(1 - dead.max()) if dead.size else None,
        mean_slope=_number(hidden_slopes.mean()) if hidden_slopes.size else None,
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
