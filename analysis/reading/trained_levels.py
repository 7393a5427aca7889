"""Trained levels: the share of the best constant's loss at or below which a run has trained."""

import pandas as pd

from analysis.reading.stores import UnsuitableRunsError
from core.trials import DEFAULTS


def level_by_run(runs: pd.DataFrame) -> pd.Series:
    """Each run's trained level; the default for runs written before there was a choice."""
    default = DEFAULTS["trained_level"]
    if "trained_level" not in runs:
        return pd.Series(default, runs.index)
    return runs["trained_level"].fillna(default)


def level_words(runs: pd.DataFrame) -> str:
    """The trained levels in words: "10%", or "10% to 50%" where runs have their own."""
    levels = level_by_run(runs)
    ends = (levels.min(), levels.max())
    return " to ".join(dict.fromkeys(f"{100 * level:.4g}%" for level in ends))


def require_level(level: float) -> None:
    """Refuse a level at which "trained" would mean nothing.

    Raises:
        UnsuitableRunsError: It is not above 0 and below 1.
    """
    if not 0 < level < 1:
        raise UnsuitableRunsError(
            f"--trained-level must be above 0 and below 1, got {level:g}; it is a share of the "
            "best constant's loss, as in --trained-level 0.5"
        )
