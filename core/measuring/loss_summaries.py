"""Summaries of a run's losses: how high and low they went, and how they ended."""

import numpy as np
from numpy.typing import NDArray

from core.outcomes import THRESHOLDS, Thresholds

Losses = NDArray[np.float64]
Steps = NDArray[np.int64]


def summarize(
    losses: Losses,
    baseline: float,
    steps: Steps | None = None,
    overflowed: bool = False,
    rules: Thresholds = THRESHOLDS,
) -> dict[str, float | bool]:
    """The columns of a run's row that summarize its losses; NaN where there is no number.

    Args:
        losses: (points,), losses[n] after steps[n] steps. They end early where it was decided.
        baseline: The best constant predictor's loss.
        steps: (points,), from 0 on, increasing, the last ones one by one; None for every step.
        overflowed: Whether a parameter is not finite at the end, behind a finite loss.
        rules: The thresholds.
    """
    steps = np.arange(len(losses)) if steps is None else steps
    last, finite = int(steps[-1]), np.flatnonzero(np.isfinite(losses))
    lowest = int(finite[losses[finite].argmin()]) if finite.size else None
    ends = bool(np.isfinite(losses[-1]))
    rises = _relative_rises(losses, steps) if ends else np.empty(0)
    tail = losses[-tail_length(last, rules) :]
    late = losses[steps >= last - max(1, last // 5)]
    return {
        "initial_loss": losses[0],
        "final_loss": np.nan if overflowed else losses[-1],
        "baseline_loss": baseline,
        "peak_loss": np.nan if lowest is None else losses[finite].max(),
        "lowest_loss": np.nan if lowest is None else losses[lowest],
        "lowest_step": np.nan if lowest is None else steps[lowest],
        "tail_loss": _mean(tail) if ends and not overflowed else np.nan,
        "late_change": _change(late) if ends else np.nan,
        "late_rise": _exceeded_by(rises, rules.oscillating_share),
        "rare_rise": _exceeded_by(rises, rules.oscillating_share / 10),
        "diverged_step": _diverged_step(losses, steps, baseline, rules),
        "overflow_step": np.nan if ends and not overflowed else last,
        "fractal_converged": ends and _mean(tail) < losses[0],
        "steps_run": last,
    }


def tail_length(steps: int, rules: Thresholds = THRESHOLDS) -> int:
    """How many of the last losses make the tail: 20, or a fifth of them if that is fewer."""
    return max(1, min(rules.tail_losses, steps // 5))


def _mean(losses: Losses) -> float:
    # Divided before they are summed, losses near the largest float cannot overflow.
    return float((losses / len(losses)).sum())


def _diverged_step(losses: Losses, steps: Steps, baseline: float, rules: Thresholds) -> float:
    """The first step from which on the loss stayed above the bound; NaN if there is none."""
    bound = rules.diverged_at_end * float(np.fmax(losses[0], baseline))
    below = np.flatnonzero(losses <= bound)
    first = int(below[-1]) + 1 if below.size else 0
    return float(steps[first]) if first < len(losses) else np.nan


def _relative_rises(losses: Losses, steps: Steps) -> Losses:
    """(loss after - loss before) / loss before of the known steps in the second half."""
    second_half = steps[:-1] >= steps[-1] // 2
    known = (np.diff(steps) == 1) & second_half
    before = losses[:-1][known]
    return np.asarray(np.diff(losses)[known] / np.where(before == 0, 1, before))


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
