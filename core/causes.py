"""Why a run stalled, from its network's signals at the end, or diverged, from its start.

First rule that matches. A weight gradient is small for one of two reasons, told apart by the
gradients of single examples: they are small themselves, because a signal is lost on its way
(`vanishing`, `dead`, `saturated`), or they are of ordinary size and cancel in the mean, at a
stationary point (`converged`).
"""

from dataclasses import dataclass

import numpy as np

from core.outcomes import THRESHOLDS, LossSummary, Thresholds


@dataclass(frozen=True, kw_only=True)
class EndSignals:
    """A network's signals at the end of its training; None where there is no such number.

    Attributes:
        log10_signal_ratio: First over last hidden layer's weight gradient, root mean square
            over the examples.
        log10_signal_per_error: The first layer's over the output error.
        gradient_alignment: Norm of the mean gradient over the root mean square of the
            examples' gradients, all parameters: 1 where they agree, 0 where they cancel.
        log10_gradient_ratio: First over last hidden layer's mean weight gradient.
        log10_gradient_per_error: The first layer's over the output error.
        active_fraction: Of the units of the hidden layer that has the fewest active ones.
        mean_slope: Mean |phi'| over hidden layers, units and examples.
    """

    log10_signal_ratio: float | None = None
    log10_signal_per_error: float | None = None
    gradient_alignment: float | None = None
    log10_gradient_ratio: float | None = None
    log10_gradient_per_error: float | None = None
    active_fraction: float | None = None
    mean_slope: float | None = None


def stall_cause(
    end: EndSignals, run: LossSummary, depth: int, rules: Thresholds = THRESHOLDS
) -> str:
    """Why a run stalled: dead, vanishing, saturated, low_learning_rate, plateau or converged.

    - `dead`: a hidden layer has next to no unit that passes a gradient.
    - `vanishing`: single examples' gradients in the first layer are a millionth of those in
      the last hidden layer, or of the output error: a linear or small-scale tanh network
      without biases loses its signal on the way forward as fast as its gradient on the way
      back, so that all layers' gradients are equally small and their ratio shows nothing.
    - `saturated`: the hidden units' mean slope is next to none.
    - `low_learning_rate`: the examples' gradients do not cancel: more or larger steps go on.
    - `plateau`: they cancel where the network answers with the best constant. It may go on.
    - `converged`: they cancel elsewhere, at a loss above the trained level.

    Args:
        end: The signals.
        run: The losses' summary.
        depth: L. A single layer loses no signal, and its loss is convex: where it stands
            still it has converged, also at the best constant's loss.
        rules: The thresholds.
    """
    # A dead layer also stops the gradient, so it is looked for first.
    if end.active_fraction is not None and end.active_fraction < rules.active_fraction:
        return "dead"
    if depth > 1 and _vanished(end, rules):
        return "vanishing"
    if end.mean_slope is not None and end.mean_slope < rules.saturated_slope:
        return "saturated"
    alignment = end.gradient_alignment
    if alignment is None or alignment >= rules.cancellation:
        return "low_learning_rate"
    return "plateau" if depth > 1 and _answers_with_the_best_constant(run, rules) else "converged"


def _vanished(end: EndSignals, rules: Thresholds) -> bool:
    bound = np.log10(rules.vanishing_gradient)
    ratios = (end.log10_signal_ratio, end.log10_signal_per_error)
    return any(ratio is not None and ratio < bound for ratio in ratios)


def _answers_with_the_best_constant(run: LossSummary, rules: Thresholds) -> bool:
    return run.tail is not None and abs(run.tail - run.baseline) <= rules.plateau * run.baseline


def divergence_cause(
    run: LossSummary,
    learning_rate: float,
    log10_gradient_per_error: float | None,
    critical_learning_rate: float | None,
    depth: int,
    rules: Thresholds = THRESHOLDS,
) -> str:
    """Why a run diverged or overflowed: init_scale, learning_rate or sharpening.

    - `init_scale`: before the first step the loss already exceeds a thousand baselines, or
      the first layer's gradient a thousand times the output error (or either is no number).
    - `sharpening`: the start is moderate, and its curvature is not the cause: the rate is
      below 2 / lambda_max, or the loss fell for longer than it could have above it. Where
      2 / lambda_max was not measured the rate is taken for a tenth above it.
    - `learning_rate`: the start is moderate, and its curvature makes descent diverge.

    Args:
        run: The losses' summary.
        learning_rate: eta.
        log10_gradient_per_error: First layer's weight-gradient norm over the output error,
            at step 0.
        critical_learning_rate: 2 / lambda_max at step 0; None where not measured.
        depth: L.
        rules: The thresholds.
    """
    exploded = not (
        np.isfinite(run.initial) and run.initial <= rules.exploding_start * run.yardstick
    )
    ratio = log10_gradient_per_error
    if exploded or ratio is None or ratio > np.log10(rules.exploding_start):
        return "init_scale"
    # A single layer's curvature hardly changes: it is the start's as long as none is known.
    if critical_learning_rate is None and depth == 1:
        return "learning_rate"
    critical = critical_learning_rate or learning_rate / rules.presumed_excess
    if _outlived_the_start(run, learning_rate / critical, rules):
        return "sharpening"
    return "learning_rate"


def _outlived_the_start(run: LossSummary, ratio: float, rules: Thresholds) -> bool:
    """Whether the loss fell for longer than the start's curvature could have let it.

    At r times 2 / lambda_max what the loss has along the steepest direction grows by
    (2r - 1)^2 a step. So where that would have grown a millionfold while the loss still
    fell, a start as steep as that held less than a millionth of its loss there.
    """
    if ratio <= 1:
        return True
    fell = run.lowest is not None and run.lowest < run.initial
    steps = run.lowest_step if fell and run.lowest_step else 0
    return bool(2 * steps * np.log(2 * ratio - 1) > np.log(rules.outlived_growth))
