"""Runs judged again at another trained level, from the columns of their rows alone."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.reading.stores import UnsuitableRunsError, read_runs
from analysis.reading.thresholds import JudgedBy, read_judged_by
from analysis.reading.trained_levels import require_level
from analysis.tables.threshold_shifts import judged_again
from core.trials import SETTINGS

BOUND = "diverged_at_end"


def read_judged(
    store: str | Path, trained_level: float | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """The store's runs, judged at a trained level; if it is None, as they were recorded.

    Args:
        store: Its folder or URL.
        trained_level: As of judged_at.
        columns: The columns wanted, all by default.

    Returns:
        The runs with the columns and with `diverged_at_end`, the threshold by which each was
        judged; analysis.tables.boundaries needs it.

    Raises:
        UnsuitableRunsError: As judged_at; and the errors of read_runs.
    """
    judged_by = read_judged_by(store)
    if trained_level is None:
        needed = None if columns is None else list(dict.fromkeys([*columns, "thresholds"]))
        runs = read_runs(store, needed)
    else:
        runs = judged_at(read_runs(store), trained_level, judged_by)
    runs = runs.assign(**{BOUND: judged_by.values(runs, BOUND)})
    return runs if columns is None else runs[[*columns, BOUND]]


def judged_at(runs: pd.DataFrame, trained_level: float, judged_by: JudgedBy) -> pd.DataFrame:
    """The runs with the outcomes and causes that they have at one trained level.

    Two runs that differ only in their level are one training: one row remains.

    Args:
        runs: All columns of the table.
        trained_level: A run has trained if the mean of its last losses is at or below this
            share of the best constant predictor's loss.
        judged_by: The thresholds by which they were judged.

    Raises:
        UnsuitableRunsError: The level is not above 0 and below 1, or some runs left once
            they had trained at a higher one.
    """
    require_level(trained_level)
    once = _each_training_once(runs)
    _refuse_left_early(once, trained_level)
    moved = once.assign(trained_level=trained_level)
    own, judged = judged_again(once, judged_by), judged_again(moved, judged_by)
    # For all other runs the level decides nothing: they keep what was recorded.
    other = own["outcome"] != judged["outcome"]
    outcomes, causes = once["outcome"].copy(), once["cause"].copy()
    outcomes[other], causes[other] = judged.loc[other, "outcome"], judged.loc[other, "cause"]
    return moved.assign(outcome=outcomes, cause=causes)


def _each_training_once(runs: pd.DataFrame) -> pd.DataFrame:
    """Each training once; of repetitions at other trained levels, the longest run is kept."""
    settings = [name for name, s in SETTINGS.items() if s.decides != "verdict" and name in runs]
    return runs.sort_values("trained_level", kind="stable").drop_duplicates(settings).sort_index()


def _refuse_left_early(runs: pd.DataFrame, trained_level: float) -> None:
    """Refuse runs that left early at a higher level: they may not have reached a lower one."""
    left = (runs["outcome"] == "trained") & (runs["steps_run"] < runs["steps"])
    left &= runs["trained_level"] > trained_level
    if left.any():
        highest = runs.loc[left, "trained_level"].max()
        raise UnsuitableRunsError(
            f"{left.sum():,} of {len(runs):,} runs have stop = decided and left once they had "
            f"trained at {highest:g}: nobody knows whether they would have at {trained_level:g}; "
            f"use --trained-level {highest:g} or more, or run the sweep again with "
            f"`trained_level: {trained_level:g}`"
        )
