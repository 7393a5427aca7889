"""The rules that call a run trained, stalled, diverged ...: first rule that matches.

A run is judged by its losses alone; a stalled run's cause by its gradients at the end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]


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
    vanishing_ratio: float = 1e-6  # first over last hidden layer's gradient norm
    dead_fraction: float = 1e-3  # of hidden units that are active for some example
    saturated_slope: float = 1e-3  # mean |phi'|


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Verdict:
    """A run's outcome and the steps that decided it; None where there is no such step."""

    outcome: str
    tail_loss: float | None
    diverged_step: int | None = None
    overflow_step: int | None = None


def is_decided(losses: Losses, worst_start: Losses, rules: Thresholds = THRESHOLDS) -> NDArray[np.bool_]:
    """Whether each network's loss at one step decides its run: overflow, or diverged at once.

    Args:
        losses: (networks,), at this step.
        worst_start: (networks,), max(initial loss, baseline loss).
    """
    # Written so that NaN counts as decided.
    return ~(losses <= rules.diverged_at_once * worst_start)


def judge(losses: Losses, baseline: float, rules: Thresholds = THRESHOLDS) -> Verdict:
    """Call one run by its losses.

    Args:
        losses: (steps_run + 1,): losses[t] after t steps. Ends early where it was decided.
        baseline: The best constant predictor's loss.
    """
    if not np.isfinite(losses[-1]):
        return Verdict("overflow", None, _diverged_step(losses, baseline, rules), len(losses) - 1)
    tail = losses[-tail_length(len(losses) - 1, rules) :]
    tail_loss = float(tail.mean())
    worst_start = max(losses[0], baseline)
    at_once = losses[-1] > rules.diverged_at_once * worst_start
    if at_once or tail_loss > rules.diverged_at_end * worst_start:
        return Verdict("diverged", tail_loss, _diverged_step(losses, baseline, rules))
    if tail_loss <= rules.trained * baseline:
        return Verdict("trained", tail_loss)
    if _rises(losses[len(losses) // 2 :], rules) > rules.oscillating_share:
        return Verdict("oscillating", tail_loss)
    if _change(losses[-(len(losses) // 5 + 1) :]) < rules.stalled_change:
        return Verdict("stalled", tail_loss)
    return Verdict("slow", tail_loss)


def tail_length(steps: int, rules: Thresholds = THRESHOLDS) -> int:
    """How many of the last losses make the tail: 20, or the last fifth when fewer."""
    return max(1, min(rules.tail_losses, steps // 5))


def fractal_converged(losses: Losses, rules: Thresholds = THRESHOLDS) -> bool:
    """Mean of the last losses over the first below 1: Sohl-Dickstein (2024), arXiv:2402.06184."""
    tail = losses[-tail_length(len(losses) - 1, rules) :]
    return bool(np.isfinite(tail).all() and tail.mean() < losses[0])


def _diverged_step(losses: Losses, baseline: float, rules: Thresholds) -> int | None:
    bound = rules.diverged_at_end * max(losses[0], baseline)
    below = np.flatnonzero(losses <= bound)
    first = int(below[-1]) + 1 if below.size else 0
    return first if first < len(losses) else None


def _rises(losses: Losses, rules: Thresholds) -> float:
    if len(losses) < 2:
        return 0.0
    return float(np.mean(np.diff(losses) > rules.rise * losses[:-1]))


def _change(losses: Losses) -> float:
    return float(np.ptp(losses) / losses[-1]) if losses[-1] else 0.0
