"""What a sweep may measure beside the losses, at the start of a training and at its end.

A start is a draw of initial weights: trials that differ in learning rate alone share it,
so it is measured once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.curvature import Curvature, critical_learning_rate, extreme_curvature
from core.gradient_descent import Problem
from core.gradient_ratios import log10_gradient_per_error, log10_gradient_ratio
from core.signal_propagation import LayerSignals, chi_measured, signal_propagation

Params = list[NDArray[Any]]

# signal: each layer's forward and backward norms. sharpness: the Hessian's extreme
# eigenvalues at step 0; sharpness_curve: the largest one at every logged step too.
MEASUREMENTS = ("signal", "sharpness", "sharpness_curve")


@dataclass(frozen=True)
class StartMeasurement:
    """One start; None for what was not asked for or does not exist."""

    signals: LayerSignals | None
    curvature: Curvature

    @property
    def chi(self) -> tuple[float | None, float | None]:
        """chi measured, and its standard error."""
        return chi_measured(self.signals) if self.signals else (None, None)

    @property
    def log10_gradient_ratio(self) -> float | None:
        """First over last layer's weight-gradient norm."""
        return finite_or_none(log10_gradient_ratio(self.signals)) if self.signals else None

    @property
    def log10_gradient_per_error(self) -> float | None:
        """First layer's weight-gradient norm over the output error."""
        return log10_gradient_per_error(self.signals) if self.signals else None

    @property
    def critical_learning_rate(self) -> float | None:
        """2 / lambda_max."""
        return critical_learning_rate(self.curvature)


def measure_starts(params: Params, problem: Problem, measure: str) -> list[StartMeasurement]:
    """Measure a stack of starts.

    Args:
        params: One array per layer, (starts, fan_out, fan_in + 1).
        problem: What they are trained on.
        measure: Of MEASUREMENTS, joined by +.
    """
    asked, starts = measure.split("+"), range(len(params[0]))
    signals = signal_propagation(params, problem) if "signal" in asked else None
    curvatures = (
        [extreme_curvature([p[start] for p in params], problem) for start in starts]
        if "sharpness" in asked
        else [Curvature(None, None)] * len(starts)
    )
    return [
        StartMeasurement(None if signals is None else signals.of(start), curvatures[start])
        for start in starts
    ]


def finite_or_none(number: float | None) -> float | None:
    """A Python float, or None for NaN and infinity: what a table's column may hold."""
    return float(number) if number is not None and np.isfinite(number) else None
