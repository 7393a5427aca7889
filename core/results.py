"""One training's measurements, drawn together into its row: outcome, cause and numbers."""

import numpy as np
from numpy.typing import NDArray

from core.causes import EndSignals, divergence_cause, stall_cause
from core.end_signals import end_signals
from core.mean_field import fixed_point_chi
from core.measurements import StartMeasurement, finite_or_none
from core.outcomes import LossSummary, fractal_converged, init_phase, outcome
from core.signal_propagation import LayerSignals
from core.trials import Trial, TrialResult

Floats = NDArray[np.float64]


def trial_result(
    trial: Trial,
    losses: Floats,
    summary: LossSummary,
    accuracy: float | None,
    start: StartMeasurement,
    end: LayerSignals | None,
    input_mean_square: float,
) -> TrialResult:
    """One row's numbers.

    Args:
        trial: Its settings.
        losses: (steps_run + 1,).
        summary: Of those losses, an overflow of the parameters included.
        accuracy: Fraction classified right at the end; None without classes.
        start: What was measured at step 0.
        end: Each layer's signals after the last step; None if not asked for or decided.
        input_mean_square: Of the features that Gaussian weights would make the same first
            layer from; it can decide chi at infinite width.
    """
    called = outcome(summary, trial.trained_level)
    final = EndSignals() if end is None else end_signals(end, trial.dtype)
    chi, chi_error = start.chi
    return TrialResult(
        outcome=called,
        cause=_cause(called, trial, summary, start, final),
        init_phase=init_phase(chi, trial.depth),
        initial_loss=finite_or_none(summary.initial),
        final_loss=None if called == "overflow" else finite_or_none(losses[-1]),
        baseline_loss=summary.baseline,
        peak_loss=summary.peak,
        lowest_loss=summary.lowest,
        lowest_step=summary.lowest_step,
        tail_loss=None if called == "overflow" else summary.tail,
        late_change=finite_or_none(summary.late_change),
        late_rise=finite_or_none(summary.late_rise),
        rare_rise=finite_or_none(summary.rare_rise),
        diverged_step=summary.diverged_step,
        overflow_step=summary.overflow_step,
        final_accuracy=accuracy,
        fractal_converged=fractal_converged(losses),
        chi_measured=chi,
        chi_measured_error=chi_error,
        chi_theory=_chi_theory(trial, input_mean_square),
        log10_gradient_ratio=start.log10_gradient_ratio,
        mean_slope=final.mean_slope,
        active_fraction=final.active_fraction,
        **_final_ratios(final),
        log10_gradient_per_error=finite_or_none(start.log10_gradient_per_error),
        sharpness=start.curvature.largest,
        smallest_curvature=start.curvature.smallest,
        critical_learning_rate=start.critical_learning_rate,
        steps_run=len(losses) - 1,
    )


def _final_ratios(end: EndSignals) -> dict[str, float | None]:
    return {
        "final_log10_gradient_ratio": finite_or_none(end.log10_gradient_ratio),
        "final_log10_gradient_per_error": finite_or_none(end.log10_gradient_per_error),
        "final_log10_signal_ratio": finite_or_none(end.log10_signal_ratio),
        "final_log10_signal_per_error": finite_or_none(end.log10_signal_per_error),
        "final_gradient_alignment": end.gradient_alignment,
    }


def _cause(
    called: str, trial: Trial, summary: LossSummary, start: StartMeasurement, final: EndSignals
) -> str | None:
    if start.signals is None:
        return None
    if called == "stalled":
        return stall_cause(final, summary, trial.depth)
    if called in ("diverged", "overflow"):
        return divergence_cause(
            summary,
            trial.learning_rate,
            start.log10_gradient_per_error,
            start.critical_learning_rate,
            trial.depth,
        )
    return None


def _chi_theory(trial: Trial, input_mean_square: float) -> float | None:
    """chi at infinite width; the identity is no random matrix and has none."""
    if trial.initializer == "scaled_identity":
        return None
    return fixed_point_chi(
        trial.activation, trial.init_scale**2, trial.bias_scale**2, input_mean_square
    )
