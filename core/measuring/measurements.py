"""What a sweep may measure besides the losses, at the start and at the end of a training.

A start is a draw of initial weights: trials that differ in learning rate alone share it,
so it is measured once.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.columns import Tables
from core.gradient_descent import Descent, Problem
from core.losses import LOSSES
from core.measuring.curvature import extreme_curvature, largest_curvature
from core.measuring.end_signals import end_signals
from core.measuring.gradient_ratios import (
    log10_gradient_per_error,
    log10_gradient_ratio,
    output_slope,
)
from core.measuring.output_derivatives import output_derivatives
from core.measuring.signal_propagation import LayerSignals, chi_measured, signal_propagation

Params = list[NDArray[Any]]


def stacked(networks: Sequence[Params]) -> Params:
    """Stack networks of one shape: one array per layer, (networks, fan_out, fan_in + 1)."""
    return [np.stack(layer) for layer in zip(*networks, strict=True)]


def measure_starts(params: Params, problem: Problem, asked: Collection[str]) -> Tables:
    """Measure a stack of starts: columns of `runs`, and of `layers` as (starts, L).

    A value is not finite where there is no such number.

    Args:
        params: One array per layer, (starts, fan_out, fan_in + 1).
        problem: The task on which they are trained.
        asked: Which of core.trials.MEASUREMENTS to take.
    """
    found: Tables = {"runs": {}, "layers": {}}
    if "signal" in asked:
        signals = signal_propagation(params, problem)
        found["runs"] |= _start_signals(signals, problem.factor)
        found["layers"] |= vars(signals)
    if "sharpness" in asked:
        found["runs"] |= _curvature(params, problem)
    if "ntk" in asked:
        networks = range(len(params[0]))
        each = [output_derivatives([p[network] for p in params], problem) for network in networks]
        found["runs"] |= {name: np.array([one[name] for one in each]) for name in each[0]}
    return found


def measure_ends(
    ended: Sequence[Descent], problem: Problem, asked: Collection[str], dtype: DTypeLike
) -> Tables:
    """Measure trained networks; returns what measure_starts does.

    Args:
        ended: Descents that neither diverged nor overflowed, at least one.
        problem: What they were trained on.
        asked: Which of core.trials.MEASUREMENTS to take.
        dtype: The arithmetic of their training.
    """
    networks = [descent.params for descent in ended if descent.params is not None]
    found: Tables = {"runs": {}, "layers": {}}
    if "signal" in asked:
        signals = signal_propagation(stacked(networks), problem)
        found["runs"] |= end_signals(signals, dtype, problem.biases)
        if LOSSES[problem.loss].saturates:
            losses = np.array([descent.losses[-1] for descent in ended])
            found["runs"]["final_output_slope"] = output_slope(signals, losses)
        found["layers"] |= {f"final_{name}": column for name, column in vars(signals).items()}
    if "preconditioned_sharpness" in asked:
        sharpness = [
            largest_curvature(params, problem, descent.preconditioner)
            for params, descent in zip(networks, ended, strict=True)
        ]
        found["runs"]["final_preconditioned_sharpness"] = np.array(sharpness)
    return found


def _start_signals(signals: LayerSignals, factor: float | None) -> dict[str, NDArray[np.floating]]:
    chi, error = chi_measured(signals, factor)
    return {
        "chi_measured": chi,
        "chi_measured_error": error,
        "log10_gradient_ratio": log10_gradient_ratio(signals),
        "log10_gradient_per_error": log10_gradient_per_error(signals),
    }


def _curvature(params: Params, problem: Problem) -> dict[str, NDArray[np.floating]]:
    networks = range(len(params[0]))
    ends = [extreme_curvature([p[network] for p in params], problem) for network in networks]
    smallest, sharpness = np.array(ends).T
    return {"sharpness": sharpness, "smallest_curvature": smallest}
