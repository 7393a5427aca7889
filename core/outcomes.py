"""The rules that call a run trained, stalled, diverged ... and name the cause.

First rule that matches. The outcome follows from the losses alone; the cause of a stall
from the network's signals at its end, that of a divergence from those at its start.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]

OUTCOMES = ("overflow", "diverged", "trained", "oscillating", "stalled", "slow")


@dataclass(frozen=True)
class Thresholds:
    """Every number a rule compares with. Recorded in each store's manifest."""

    diverged_at_once: float = 1e6  # x max(initial, baseline): decided at that step
    diverged_at_end: float = 1.1  # x max(initial, baseline): the tail ended above it
    trained: float = 0.1  # x baseline: the tail ended at or below it
    tail_losses: int = 20
    rise: float = 1e-3  # of the loss: a step raises the loss if by more than this
    oscillating_share: float = 0.1  # of the steps in the second half raise the loss
    stalled_change: float = 1e-3  # of the loss, over the last fifth
    vanishing_log10_ratio: float = -6.0  # first over last hidden layer's gradient norm
    active_fraction: float = 1e-3  # of a layer's units are active for some example
    saturated_slope: float = 1e-3  # mean |phi'| over the hidden units
    init_phase: float = 6.0  # |L ln chi|: beyond it gradients vanish or explode at step 0


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Verdict:
    """A run's outcome and the steps that decided it; None where there is no such step."""

    outcome: str
    tail_loss: float | None
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


def judge(losses: Losses, baseline: float, rules: Thresholds = THRESHOLDS) -> Verdict:
    """Call one run by its losses.

    Args:
        losses: (steps_run + 1,): losses[t] after t steps. Ends early where it was decided.
        baseline: The best constant predictor's loss.
    """
    steps_run = len(losses) - 1
    if not np.isfinite(losses[-1]):
        return Verdict("overflow", None, _diverged_step(losses, baseline, rules), steps_run)
    tail_loss = _tail_mean(losses, rules)
    worst_start = max(float(losses[0]), baseline)
    at_once = losses[-1] > rules.diverged_at_once * worst_start
    if at_once or tail_loss > rules.diverged_at_end * worst_start:
        return Verdict("diverged", tail_loss, _diverged_step(losses, baseline, rules))
    if tail_loss <= rules.trained * baseline:
        return Verdict("trained", tail_loss)
    if _share_of_rises(losses[steps_run // 2 :], rules) > rules.oscillating_share:
        return Verdict("oscillating", tail_loss)
    if _change(losses[-(steps_run // 5 + 1) :]) < rules.stalled_change:
        return Verdict("stalled", tail_loss)
    return Verdict("slow", tail_loss)


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


def stall_cause(
    log10_gradient_ratio: float,
    active_fraction: float,
    mean_slope: float,
    rules: Thresholds = THRESHOLDS,
) -> str:
    """Why a run stalled, from its signals at the end of training.

    Args:
        log10_gradient_ratio: log10 of the first over the last hidden layer's gradient norm.
        active_fraction: Of the units of the hidden layer that has the fewest active ones.
        mean_slope: Mean |phi'| over hidden units and examples.
    """
    # A dead layer also stops the gradient, so it is looked for first.
    if active_fraction < rules.active_fraction:
        return "dead"
    if log10_gradient_ratio < rules.vanishing_log10_ratio:
        return "vanishing"
    if mean_slope < rules.saturated_slope:
        return "saturated"
    return "low_learning_rate"


def _tail_mean(losses: Losses, rules: Thresholds) -> float:
    tail = losses[-tail_length(len(losses) - 1, rules) :]
    # Divided before they are summed, losses near the largest float cannot overflow.
    return float((tail / len(tail)).sum())


def _diverged_step(losses: Losses, baseline: float, rules: Thresholds) -> int | None:
    bound = rules.diverged_at_end * np.fmax(losses[0], baseline)
    below = np.flatnonzero(losses <= bound)
    first = int(below[-1]) + 1 if below.size else 0
    return first if first < len(losses) else None


def _share_of_rises(losses: Losses, rules: Thresholds) -> float:
    if len(losses) < 2:
        return 0.0
    return float(np.mean(np.diff(losses) > rules.rise * losses[:-1]))


def _change(losses: Losses) -> float:
    return float(np.ptp(losses) / losses[-1]) if losses[-1] else 0.0
