"""The rules that call a run trained, stalled, diverged ... and name the cause.

First rule that matches. The outcome follows from the losses alone; the cause of a stall
from the network's signals at its end, that of a divergence from those at its start.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]

# What may end a training before its last step, beside an overflow or a divergence.
STOPS = ("full", "decided")

OUTCOMES = ("overflow", "diverged", "trained", "oscillating", "stalled", "slow")


@dataclass(frozen=True)
class Thresholds:
    """Every number a rule compares with. Recorded in each store's manifest."""

    diverged_at_once: float = 1e6  # x max(initial, baseline): decided at that step
    diverged_at_end: float = 1.1  # x max(initial, baseline): the tail ended above it
    surely_trained_factor: float = 0.5  # x the trained level: a tail of losses in a row below it
    tail_losses: int = 20
    rise: float = 1e-3  # of the loss: a step raises the loss if by more than this
    oscillating_share: float = 0.1  # of the steps in the second half raise the loss
    stalled_change: float = 1e-3  # of the loss, over the last fifth
    vanishing_gradient: float = 1e-6  # x the last hidden layer's, or x the output error
    active_fraction: float = 1e-3  # of a layer's units pass a gradient for some example
    dead_unit: float = 1e-6  # |phi'| below it for every example: the unit is dead
    saturated_unit: float = 0.1  # x phi'(0): the unit is saturated for an example
    saturated_slope: float = 1e-3  # mean |phi'| over the hidden units
    plateau: float = 0.01  # x baseline: the tail lies so close to the best constant's loss
    exploding_start: float = 1e3  # x baseline loss, or gradient x output error, at step 0
    init_phase: float = 6.0  # |L ln chi|: beyond it gradients vanish or explode at step 0


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class LossSummary:
    """What the outcome rules ask of a run's losses; None where there is no such number.

    Attributes:
        initial: Loss at step 0; may be non-finite.
        baseline: The best constant predictor's.
        peak: Largest finite loss.
        tail: Mean of the last losses.
        late_change: Range of the last fifth's losses over the last loss.
        late_rise: Relative rise that more than `oscillating_share` of the steps in the
            second half exceed; negative where so many did not rise.
        rare_rise: The same for a tenth of that share.
        diverged_step: First from which the loss never again came below the bound.
        overflow_step: First with a non-finite loss or parameter.
    """

    initial: float
    baseline: float
    peak: float | None
    tail: float | None
    late_change: float | None
    late_rise: float | None
    rare_rise: float | None
    diverged_step: int | None = None
    overflow_step: int | None = None


def is_decided(
    losses: Losses, worst_start: Losses, rules: Thresholds = THRESHOLDS
) -> NDArray[np.bool_]:
    """Whether each network's loss at one step decides its run: overflow, or diverged at once.

    Args:
        losses: (networks,), at this step.
        worst_start: (networks,), max(initial loss, baseline loss).
    """
    return ~(np.isfinite(losses) & (losses <= rules.diverged_at_once * worst_start))


def is_surely_trained(
    recent: Losses, trained_loss: float, rules: Thresholds = THRESHOLDS
) -> NDArray[np.bool_]:
    """Whether each network has trained beyond doubt, where a run with `stop: decided` ends.

    As many losses in a row as a tail has are at most half of what `trained` asks of their
    mean. Of the quickstart's 5,120 runs, 558 come so far, and all of them end as trained;
    with a trained level of 0.3, 0.5 or 0.9 so do 706, 791 and 558, and all of them end so too.

    Args:
        recent: (losses, networks), the last ones; too few decide nothing.
        trained_loss: The loss at or below which a run counts as trained: its trained level
            times the best constant predictor's.
    """
    if len(recent) < rules.tail_losses:
        return np.zeros(recent.shape[1], dtype=bool)
    return recent[-rules.tail_losses :].max(axis=0) <= rules.surely_trained_factor * trained_loss


def summarize(losses: Losses, baseline: float, rules: Thresholds = THRESHOLDS) -> LossSummary:
    """What the outcome rules ask of one run's losses.

    Args:
        losses: (steps_run + 1,): losses[t] after t steps. Ends early where it was decided.
        baseline: The best constant predictor's loss.
    """
    finite = losses[np.isfinite(losses)]
    initial, peak = float(losses[0]), float(finite.max()) if finite.size else None
    diverged_step, last = _diverged_step(losses, baseline, rules), len(losses) - 1
    if not np.isfinite(losses[-1]):
        return LossSummary(initial, baseline, peak, None, None, None, None, diverged_step, last)
    rises = _relative_rises(losses[last // 2 :])
    return LossSummary(
        initial,
        baseline,
        peak,
        tail=_tail_mean(losses, rules),
        late_change=_change(losses[-(last // 5 + 1) :]),
        late_rise=_exceeded_by(rises, rules.oscillating_share),
        rare_rise=_exceeded_by(rises, rules.oscillating_share / 10),
        diverged_step=diverged_step,
    )


def outcome(run: LossSummary, trained_level: float, rules: Thresholds = THRESHOLDS) -> str:
    """One of OUTCOMES: the first rule that matches.

    Args:
        run: The losses' summary.
        trained_level: The run has trained if its tail ended at or below this share of the
            baseline.
    """
    if run.overflow_step is not None or run.tail is None or run.peak is None:
        return "overflow"
    worst_start = max(run.initial, run.baseline)
    at_once = run.peak > rules.diverged_at_once * worst_start
    if at_once or run.tail > rules.diverged_at_end * worst_start:
        return "diverged"
    if run.tail <= trained_level * run.baseline:
        return "trained"
    if run.late_rise is not None and run.late_rise > rules.rise:
        return "oscillating"
    if run.late_change is None or run.late_change < rules.stalled_change:
        return "stalled"
    return "slow"


def tail_length(steps: int, rules: Thresholds = THRESHOLDS) -> int:
    """How many of the last losses make the tail: 20, or the last fifth when fewer."""
    return max(1, min(rules.tail_losses, steps // 5))


def fractal_converged(losses: Losses, rules: Thresholds = THRESHOLDS) -> bool:
    """Mean of the last losses over the first below 1: Sohl-Dickstein (2024), arXiv:2402.06184."""
    return bool(np.isfinite(losses[-1]) and _tail_mean(losses, rules) < losses[0])


def init_phase(chi: float | None, depth: int, rules: Thresholds = THRESHOLDS) -> str | None:
    """Whether gradients vanish or explode at step 0: s = L ln chi beyond +-6.

    Args:
        chi: Measured growth of |delta|^2 per layer; None where depth allows no measurement.
        depth: L.
    """
    if chi is None:
        return None
    s = depth * np.log(chi) if chi > 0 else -np.inf
    if abs(s) <= rules.init_phase:
        return "critical"
    return "vanishing" if s < 0 else "exploding"


@dataclass(frozen=True)
class EndSignals:
    """A network's signals at the end of its training; None where there is no such number.

    Attributes:
        log10_hidden_gradient_ratio: First over last hidden layer's weight-gradient norm.
        log10_gradient_per_error: First layer's weight-gradient norm over the output error.
        active_fraction: Of the units of the hidden layer that has the fewest active ones.
        mean_slope: Mean |phi'| over hidden layers, units and examples.
    """

    log10_hidden_gradient_ratio: float | None
    log10_gradient_per_error: float | None
    active_fraction: float | None
    mean_slope: float | None


def stall_cause(end: EndSignals, run: LossSummary, rules: Thresholds = THRESHOLDS) -> str:
    """Why a run stalled: dead, vanishing, saturated, plateau or low_learning_rate.

    Gradients vanish where the first layer's is a millionth of the last hidden layer's, or
    of the output error: a linear or small-scale tanh network without biases loses its
    signal on the way forward as fast as its gradient on the way back, so that all its
    layers have equally vanished gradients and their ratio shows nothing. At a plateau the
    network has come to answer with the best constant: its output biases learned and nothing
    else did.
    """
    # A dead layer also stops the gradient, so it is looked for first.
    if end.active_fraction is not None and end.active_fraction < rules.active_fraction:
        return "dead"
    bound = np.log10(rules.vanishing_gradient)
    ratios = (end.log10_hidden_gradient_ratio, end.log10_gradient_per_error)
    if any(ratio is not None and ratio < bound for ratio in ratios):
        return "vanishing"
    if end.mean_slope is not None and end.mean_slope < rules.saturated_slope:
        return "saturated"
    # It came there: from twice as far at least, not by a start that happened to lie near.
    reach = min(rules.plateau * run.baseline, abs(run.initial - run.baseline) / 2)
    if run.tail is not None and abs(run.tail - run.baseline) <= reach:
        return "plateau"
    return "low_learning_rate"


def divergence_cause(
    run: LossSummary,
    learning_rate: float,
    log10_gradient_per_error: float | None,
    critical_learning_rate: float | None,
    rules: Thresholds = THRESHOLDS,
) -> str:
    """Why a run diverged or overflowed: init_scale, learning_rate or sharpening.

    - `init_scale`: before the first step the loss already exceeds a thousand baselines, or
      the first layer's gradient a thousand times the output error (or either is no number).
    - `learning_rate`: the start is moderate and the rate above 2 / lambda_max, where the
      start's own curvature makes descent diverge; or lambda_max was not measured.
    - `sharpening`: the start is moderate, the rate below 2 / lambda_max: the curvature has
      risen on the way.

    Args:
        run: The losses' summary.
        learning_rate: eta.
        log10_gradient_per_error: First layer's weight-gradient norm over the output error,
            at step 0.
        critical_learning_rate: 2 / lambda_max at step 0; None where not measured.
    """
    exploded = not run.initial <= rules.exploding_start * run.baseline
    ratio = log10_gradient_per_error
    if exploded or ratio is None or ratio > np.log10(rules.exploding_start):
        return "init_scale"
    if critical_learning_rate is not None and learning_rate < critical_learning_rate:
        return "sharpening"
    return "learning_rate"


def _tail_mean(losses: Losses, rules: Thresholds) -> float:
    tail = losses[-tail_length(len(losses) - 1, rules) :]
    # Divided before they are summed, losses near the largest float cannot overflow.
    return float((tail / len(tail)).sum())


def _diverged_step(losses: Losses, baseline: float, rules: Thresholds) -> int | None:
    bound = rules.diverged_at_end * float(np.fmax(losses[0], baseline))
    below = np.flatnonzero(losses <= bound)
    first = int(below[-1]) + 1 if below.size else 0
    return first if first < len(losses) else None


def _relative_rises(losses: Losses) -> Losses:
    """(loss after - loss before) / loss before, for each step."""
    return np.asarray(np.diff(losses) / np.where(losses[:-1] == 0, 1, losses[:-1]))


def _exceeded_by(rises: Losses, share: float) -> float | None:
    """The largest rise that at most this share of the steps exceed; None without steps."""
    if not rises.size:
        return None
    return float(np.sort(rises)[::-1][int(share * rises.size)])


def _change(losses: Losses) -> float:
    return float(np.ptp(losses) / losses[-1]) if losses[-1] else 0.0
