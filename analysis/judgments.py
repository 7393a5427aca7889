"""Runs judged again at another trained level, from what their rows hold."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.tables import UnsuitableRunsError, read_runs
from analysis.threshold_shifts import judged_again
from analysis.trained_levels import require_level
from core.outcomes import THRESHOLDS
from core.trials import TRIAL_FIELDS


def read_judged(
    store: str | Path, trained_level: float | None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """The store's runs, judged at a trained level, or as they were recorded if it is None.

    Args:
        store: Its folder or URL.
        trained_level: As of judged_at.
        columns: The columns wanted, all by default.

    Raises:
        UnsuitableRunsError: As judged_at; and the errors of read_runs.
    """
    if trained_level is None:
        return read_runs(store, columns)
    judged = judged_at(read_runs(store), trained_level)
    return judged if columns is None else judged[list(columns)]


def judged_at(runs: pd.DataFrame, trained_level: float) -> pd.DataFrame:
    """The runs with the outcomes and causes that they have at one trained level.

    Where only the level of two runs differs, they are one training, and one row remains.

    Args:
        runs: All columns of the table.
        trained_level: A run has trained if the mean of its last losses is at or below this
            share of the best constant predictor's loss.

    Raises:
        UnsuitableRunsError: The level is not above 0 and below 1, or some runs left once
            they had trained at a higher one.
    """
    require_level(trained_level)
    once = _each_training_once(runs)
    _refuse_left_early(once, trained_level)
    reached = once["tail_loss"] <= trained_level * once["baseline_loss"]
    other = reached != (once["outcome"] == "trained")
    # Of all others the level decides nothing: they keep what was recorded.
    judged = judged_again(once[other].assign(trained_level=trained_level), THRESHOLDS)
    outcomes, causes = once["outcome"].copy(), once["cause"].copy()
    outcomes[other], causes[other] = judged["outcome"], judged["cause"]
    return once.assign(trained_level=trained_level, outcome=outcomes, cause=causes)


def _each_training_once(runs: pd.DataFrame) -> pd.DataFrame:
    """Without repetitions at other levels; of runs that may leave early, the longest stays."""
    settings = [name for name in TRIAL_FIELDS if name != "trained_level"]
    return runs.sort_values("trained_level", kind="stable").drop_duplicates(settings).sort_index()


def _refuse_left_early(runs: pd.DataFrame, trained_level: float) -> None:
    """A run that left at half of its level is trained at every higher one, maybe at no lower."""
    left = (runs["stop"] == "decided") & (runs["outcome"] == "trained")
    left &= (runs["steps_run"] < runs["steps"]) & (runs["trained_level"] > trained_level)
    if left.any():
        highest = runs.loc[left, "trained_level"].max()
        raise UnsuitableRunsError(
            f"{left.sum():,} of {len(runs):,} runs have stop = decided and left once they had "
            f"trained at {highest:g}: nobody knows whether they would have at {trained_level:g}; "
            f"use --trained-level {highest:g} or more, or run the sweep again with "
            f"`trained_level: {trained_level:g}`"
        )
