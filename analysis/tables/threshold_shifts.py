"""What the outcomes would be with another threshold of a rule: from the rows alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import JudgedBy
from analysis.reading.trained_levels import level_by_run
from core.trials import SETTINGS
from core.verdicts import judged

ENDING = [name for name, setting in SETTINGS.items() if setting.decides == "end"]

# Of these thresholds the margin above 1 is moved, as the 0.1 of a threshold of 1.1.
MARGINS = ("diverged_at_end", "presumed_excess")


@dataclass(frozen=True)
class Shift:
    """A threshold moved by a factor of ten.

    Attributes:
        threshold: Its name in core.outcomes.Thresholds, or trained_level.
        times: 0.1 or 10.
    """

    threshold: str
    times: float

    def moved(self, value: float) -> float:
        """The moved value of the threshold."""
        if self.threshold in MARGINS:
            return 1 + self.times * (value - 1)
        # Rows hold the rises that a tenth of the share exceeds, and that no step does.
        if self.threshold == "oscillating_share" and self.times > 1:
            return 1.0
        return self.times * value

    def words(self, runs: pd.DataFrame, judged_by: JudgedBy) -> str:
        """The moved thresholds of the runs: "0.01", or "0.01 and 0.02" where they differ."""
        if self.threshold == "trained_level":
            return f"x {self.times:g}"
        return in_words(judged_by.values(runs, self.threshold).map(self.moved))

    def judged(self, runs: pd.DataFrame, judged_by: JudgedBy) -> pd.DataFrame:
        """The runs with their outcomes and causes under the moved threshold."""
        moved: dict[str, Any] = {}
        if self.threshold == "trained_level":
            rules, moved = judged_by, {"trained_level": self.times * level_by_run(runs)}
        else:
            rules = judged_by.moved(self.threshold, self.moved)
        if self.threshold == "oscillating_share":
            moved = {"late_rise": runs.get("rare_rise") if self.times < 1 else np.nan}
        again = judged_again(runs.assign(**moved), rules)
        return runs.assign(outcome=again["outcome"], cause=again["cause"])


SHIFTS = tuple(
    Shift(name, times)
    for name in (
        "diverged_at_once",
        "diverged_at_end",
        "trained_level",
        "rise",
        "oscillating_share",
        "stalled_change",
        "vanishing_gradient",
        "active_fraction",
        "saturated_slope",
        "plateau",
        "cancellation",
        "exploding_start",
        "outlived_growth",
        "presumed_excess",
    )
    for times in (0.1, 10.0)
)


def in_words(values: pd.Series) -> str:
    """The distinct values in ascending order, as text."""
    return " and ".join(f"{value:g}" for value in np.unique(values))


def judged_again(runs: pd.DataFrame, judged_by: JudgedBy) -> pd.DataFrame:
    """The runs with the `outcome` and `cause` that these thresholds give them.

    A run that was stopped as diverged at once stays so. A stalled run from before the
    examples' gradients were measured keeps its cause.

    Args:
        runs: All columns of the table.
        judged_by: The thresholds.
    """
    columns = {**runs, "trained_level": level_by_run(runs)}
    outcomes, causes = runs["outcome"].copy(), runs["cause"].astype(object)
    for rules, chosen in judged_by.groups(runs):
        here = {name: column[chosen].to_numpy() for name, column in columns.items()}
        found = judged(here, rules)
        outcomes[chosen], causes[chosen] = found["outcome"], found["cause"]
    return runs.assign(outcome=outcomes, cause=causes)


def moved_shares(runs: pd.DataFrame, judged_by: JudgedBy) -> pd.DataFrame:
    """How many runs change their outcome or cause when each threshold moves tenfold.

    Args:
        runs: All columns of the table.
        judged_by: The thresholds by which they were judged.

    Returns:
        A row for each of SHIFTS: `threshold`, the value that it was `moved` to, and the shares of
        all runs with `outcome_changed` and `cause_changed`.

    Raises:
        UnsuitableRunsError: Some runs ended once they were decided, so that their later losses are
            unknown.
    """
    _refuse_ended(runs)
    rows = []
    for shift in SHIFTS:
        again = shift.judged(runs, judged_by)
        changed = again["outcome"] != runs["outcome"]
        other = again["cause"].fillna("") != runs["cause"].fillna("")
        rows.append(
            {
                "threshold": shift.threshold,
                "moved": shift.words(runs, judged_by),
                "outcome_changed": changed.mean(),
                "cause_changed": (other & ~changed).mean(),
            }
        )
    return pd.DataFrame(rows)


def _refuse_ended(runs: pd.DataFrame) -> None:
    for name in [name for name in ENDING if name in runs]:
        ended = runs.loc[~runs[name].isin([SETTINGS[name].encoded_default, None]), name]
        if len(ended):
            raise UnsuitableRunsError(
                f"{len(ended):,} of {len(runs):,} runs have {name} = {ended.iloc[0]}: they ended "
                "under the rules as they are and cannot be judged by others; use a store of full "
                f"runs, or keep those: --where {name}={SETTINGS[name].encoded_default}"
            )
