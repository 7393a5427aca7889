"""The rules that call a run trained, stalled, diverged ...: from its losses alone.

First rule that matches. core/causes.py says why a run stalled or diverged.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]

# What may end a training before its last step, beside an overflow or a divergence.
STOPS = ("full", "decided")

OUTCOMES = ("overflow", "untrained", "diverged", "trained", "oscillating", "stalled", "slow")


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
    cancellation: float = 0.03  # x rms of the examples' gradients: their mean has cancelled
    exploding_start: float = 1e3  # x baseline loss, or gradient x output error, at step 0
    outlived_growth: float = 1e6  # x along the start's steepest direction, while the loss fell
    presumed_excess: float = 1.1  # rate over 2 / lambda_max, where that was not measured
    init_phase: float = 6.0  # |L ln chi|: beyond it gradients vanish or explode at step 0


THRESHOLDS = Thresholds()


@dataclass(frozen=True, kw_only=True)
class LossSummary:
    """What the rules ask of a run's losses; None where there is no such number.

    Attributes:
        steps: How many were taken.
        initial: Loss at step 0; may be non-finite.
        baseline: The best constant predictor's.
        peak: Largest finite loss.
        lowest: Smallest finite loss.
        lowest_step: The first step with it.
        tail: Mean of the last losses.
        late_change: Range of the last fifth's losses over the last loss; of the last step's
            two losses in a run of fewer than ten.
        late_rise: Relative rise that more than `oscillating_share` of the steps in the
            second half exceed; negative where so many did not rise.
        rare_rise: The same for a tenth of that share.
        diverged_step: First from which the loss never again came below the bound.
        overflow_step: First with a non-finite loss or parameter.
    """

    steps: int
    initial: float
    baseline: float
    peak: float | None = None
    lowest: float | None = None
    lowest_step: int | None = None
    tail: float | None = None
    late_change: float | None = None
    late_rise: float | None = None
    rare_rise: float | None = None
    diverged_step: int | None = None
    overflow_step: int | None = None

    @property
    def yardstick(self) -> float:
        """What `trained` is a share of: the baseline.

        Where every target is the same the best constant makes no error. Then it is the
        initial loss: there is nothing to learn but that constant.
        """
        return self.baseline if self.baseline > 0 else self.initial


def summarize(losses: Losses, baseline: float, rules: Thresholds = THRESHOLDS) -> LossSummary:
    """What the outcome rules ask of one run's losses.

    Args:
        losses: (steps_run + 1,): losses[t] after t steps. Ends early where it was decided.
        baseline: The best constant predictor's loss.
    """
    last, finite = len(losses) - 1, np.flatnonzero(np.isfinite(losses))
    lowest = int(finite[losses[finite].argmin()]) if finite.size else None
    run = LossSummary(
        steps=last,
        initial=float(losses[0]),
        baseline=baseline,
        peak=float(losses[finite].max()) if finite.size else None,
        lowest=None if lowest is None else float(losses[lowest]),
        lowest_step=lowest,
        diverged_step=_diverged_step(losses, baseline, rules),
    )
    if not np.isfinite(losses[-1]):
        return replace(run, overflow_step=last)
    rises = _relative_rises(losses[last // 2 :])
    return replace(
        run,
        tail=_tail_mean(losses, rules),
        late_change=_change(losses[-(max(1, last // 5) + 1) :]),
        late_rise=_exceeded_by(rises, rules.oscillating_share),
        rare_rise=_exceeded_by(rises, rules.oscillating_share / 10),
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
    if run.steps == 0:
        return "untrained"
    worst_start = max(run.initial, run.baseline)
    at_once = run.peak > rules.diverged_at_once * worst_start
    if at_once or run.tail > rules.diverged_at_end * worst_start:
        return "diverged"
    if run.tail <= trained_level * run.yardstick:
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


def _change(losses: Losses) -> float | None:
    """Their range over the last of them; a change over no step is no number."""
    if len(losses) < 2:
        return None
    return float(np.ptp(losses) / losses[-1]) if losses[-1] else 0.0
