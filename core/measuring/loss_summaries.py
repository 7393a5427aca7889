"""Summaries of a run's losses: how high and low they went, and how they ended."""

import numpy as np
from numpy.typing import NDArray

from core.outcomes import THRESHOLDS, Thresholds

Losses = NDArray[np.float64]


def summarize(
    losses: Losses, baseline: float, overflowed: bool = False, rules: Thresholds = THRESHOLDS
) -> dict[str, float | bool]:
    """The columns of a run's row that summarize its losses; NaN where there is no number.

    Args:
        losses: (steps_run + 1,): losses[t] after t steps. Ends early where it was decided.
        baseline: The best constant predictor's loss.
        overflowed: Whether a parameter is not finite at the end, behind a finite loss.
        rules: The thresholds.
    """
    last, finite = len(losses) - 1, np.flatnonzero(np.isfinite(losses))
    lowest = int(finite[losses[finite].argmin()]) if finite.size else None
    ends = bool(np.isfinite(losses[-1]))
    rises = _relative_rises(losses[last // 2 :]) if ends else np.empty(0)
    return {
        "initial_loss": losses[0],
        "final_loss": np.nan if overflowed else losses[-1],
        "baseline_loss": baseline,
        "peak_loss": np.nan if lowest is None else losses[finite].max(),
        "lowest_loss": np.nan if lowest is None else losses[lowest],
        "lowest_step": np.nan if lowest is None else lowest,
        "tail_loss": _tail_mean(losses, rules) if ends and not overflowed else np.nan,
        "late_change": _change(losses[-(max(1, last // 5) + 1) :]) if ends else np.nan,
        "late_rise": _exceeded_by(rises, rules.oscillating_share),
        "rare_rise": _exceeded_by(rises, rules.oscillating_share / 10),
        "diverged_step": _diverged_step(losses, baseline, rules),
        "overflow_step": np.nan if ends and not overflowed else last,
        "fractal_converged": ends and _tail_mean(losses, rules) < losses[0],
        "steps_run": last,
    }


def tail_length(steps: int, rules: Thresholds = THRESHOLDS) -> int:
    """How many of the last losses make the tail: 20, or a fifth of them if that is fewer."""
    return max(1, min(rules.tail_losses, steps // 5))


def _tail_mean(losses: Losses, rules: Thresholds) -> float:
    tail = losses[-tail_length(len(losses) - 1, rules) :]
    # Divided before they are summed, losses near the largest float cannot overflow.
    return float((tail / len(tail)).sum())


def _diverged_step(losses: Losses, baseline: float, rules: Thresholds) -> float:
    """The first step from which on the loss stayed above the bound; NaN if there is none."""
    bound = rules.diverged_at_end * float(np.fmax(losses[0], baseline))
    below = np.flatnonzero(losses <= bound)
    first = int(below[-1]) + 1 if below.size else 0
    return first if first < len(losses) else np.nan


def _relative_rises(losses: Losses) -> Losses:
    """(loss after - loss before) / loss before, for each step."""
    return np.asarray(np.diff(losses) / np.where(losses[:-1] == 0, 1, losses[:-1]))


def _exceeded_by(rises: Losses, share: float) -> float:
    """The largest rise that at most this share of the steps exceed; NaN without steps."""
    if not rises.size:
        return np.nan
    return float(np.sort(rises)[::-1][int(share * rises.size)])


def _change(losses: Losses) -> float:
    """The range of the losses over the last loss; NaN for fewer than two losses."""
    if len(losses) < 2:
        return np.nan
    return float(np.ptp(losses) / losses[-1]) if losses[-1] else 0.0
