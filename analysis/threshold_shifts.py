"""What the outcomes would be, had a rule's threshold been another: from the rows alone."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.tables import UnsuitableRunsError
from analysis.trained_levels import level_by_run
from core.causes import EndSignals, divergence_cause, stall_cause
from core.outcomes import THRESHOLDS, LossSummary, Thresholds, outcome


@dataclass(frozen=True)
class Shift:
    """A threshold moved by a factor of ten.

    Attributes:
        threshold: Its name in core.outcomes.Thresholds, or trained_level.
        moved: What it becomes, in words.
        rules: All the thresholds, this one moved.
        late_rise: The column with the rise that the moved share of steps exceeds.
        of_level: What each run's own trained level is multiplied by.
    """

    threshold: str
    moved: str
    rules: Thresholds
    late_rise: str | None = "late_rise"
    of_level: float = 1.0

    def judged(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs with the outcomes and causes that they have once it is moved."""
        return judged_again(runs, self.rules, self.late_rise, self.of_level)


def _tenfold(name: str, meaning: str = "{:g}") -> tuple[Shift, Shift]:
    value = getattr(THRESHOLDS, name)
    shifted = (value / 10, value * 10)
    low, high = (
        Shift(name, f"{meaning.format(each)}", replace(THRESHOLDS, **{name: each}))
        for each in shifted
    )
    return low, high


# Of a share of 10% the tenfold is all steps, which none exceeds; 1.1 is a margin of 0.1.
SHIFTS = (
    *_tenfold("diverged_at_once"),
    Shift("diverged_at_end", "1.01", replace(THRESHOLDS, diverged_at_end=1.01)),
    Shift("diverged_at_end", "2", replace(THRESHOLDS, diverged_at_end=2.0)),
    Shift("trained_level", "x 0.1", THRESHOLDS, of_level=0.1),
    Shift("trained_level", "x 10", THRESHOLDS, of_level=10.0),
    *_tenfold("rise"),
    Shift("oscillating_share", "0.01", THRESHOLDS, late_rise="rare_rise"),
    Shift("oscillating_share", "1", THRESHOLDS, late_rise=None),
    *_tenfold("stalled_change"),
    *_tenfold("vanishing_gradient"),
    *_tenfold("active_fraction"),
    *_tenfold("saturated_slope"),
    *_tenfold("plateau"),
    *_tenfold("cancellation"),
    *_tenfold("exploding_start"),
    *_tenfold("outlived_growth"),
    Shift("presumed_excess", "1.01", replace(THRESHOLDS, presumed_excess=1.01)),
    Shift("presumed_excess", "2", replace(THRESHOLDS, presumed_excess=2.0)),
)


def judged_again(
    runs: pd.DataFrame,
    rules: Thresholds,
    late_rise: str | None = "late_rise",
    of_level: float = 1.0,
) -> pd.DataFrame:
    """The runs with the `outcome` and `cause` that these thresholds give them.

    Args:
        runs: All columns of the table.
        rules: The thresholds. A run that was stopped as diverged at once stays so.
        late_rise: The column with the rise to compare; None for a share of all steps.
        of_level: What each run's own trained level is multiplied by.
    """
    rises = runs[late_rise] if late_rise else pd.Series(np.nan, runs.index)
    levels = of_level * level_by_run(runs)
    moved = runs.assign(late_rise=rises, trained_level=levels)
    called = [_called(row, rules) for row in moved.to_dict("records")]
    return runs.assign(outcome=[c[0] for c in called], cause=[c[1] for c in called])


def _called(row: dict[str, object], rules: Thresholds) -> tuple[str, str | None]:
    row = {name: None if pd.isna(value) else value for name, value in row.items()}
    run = LossSummary(
        steps=row["steps_run"],
        initial=np.inf if row["initial_loss"] is None else row["initial_loss"],
        baseline=row["baseline_loss"],
        peak=row["peak_loss"],
        lowest=row.get("lowest_loss"),
        lowest_step=row.get("lowest_step"),
        tail=row["tail_loss"],
        late_change=row["late_change"],
        late_rise=row["late_rise"],
        rare_rise=row.get("rare_rise"),
        overflow_step=row["overflow_step"],
    )
    name = outcome(run, row["trained_level"], rules)
    if row["init_phase"] is None and row["log10_gradient_per_error"] is None:
        return name, row["cause"]
    if name == "stalled":
        # An older row lacks the examples' gradients: its cause stays as it was.
        judged = row.get("final_gradient_alignment") is not None
        return name, stall_cause(_end(row), run, row["depth"], rules) if judged else row["cause"]
    if name in ("diverged", "overflow"):
        rate, start = row["learning_rate"], row["log10_gradient_per_error"]
        critical, depth = row["critical_learning_rate"], row["depth"]
        return name, divergence_cause(run, rate, start, critical, depth, rules)
    return name, None


def _end(row: dict[str, object]) -> EndSignals:
    per_error = row["final_log10_signal_per_error"]
    if per_error is None and row["mean_slope"] is not None:
        per_error = -np.inf  # a gradient of exactly 0 has no logarithm in a table
    return EndSignals(
        log10_signal_ratio=row["final_log10_signal_ratio"],
        log10_signal_per_error=per_error,
        gradient_alignment=row["final_gradient_alignment"],
        active_fraction=row["active_fraction"],
        mean_slope=row["mean_slope"],
    )


def moved_shares(runs: pd.DataFrame) -> pd.DataFrame:
    """How many runs change their outcome, or its cause, when each threshold moves tenfold.

    Returns:
        A row for each of SHIFTS: `threshold`, `moved` to what, `outcome_changed` and
        `cause_changed`, shares of all runs.

    Raises:
        UnsuitableRunsError: Runs with `stop: decided`, whose losses end where they were decided.
    """
    decided = int((runs["stop"] == "decided").sum()) if "stop" in runs else 0
    if decided:
        raise UnsuitableRunsError(
            f"{decided:,} of {len(runs):,} runs have stop = decided: they ended under the rules as "
            "they are and cannot be judged by others; use a store of full runs"
        )
    rows = []
    for shift in SHIFTS:
        again = shift.judged(runs)
        changed = again["outcome"] != runs["outcome"]
        other = again["cause"].fillna("") != runs["cause"].fillna("")
        rows.append(
            {
                "threshold": shift.threshold,
                "moved": shift.moved,
                "outcome_changed": changed.mean(),
                "cause_changed": (other & ~changed).mean(),
            }
        )
    return pd.DataFrame(rows)
