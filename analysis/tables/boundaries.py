"""Where training ends: shares of outcomes, and the learning rate at which runs diverge.

Every function takes a DataFrame of runs and returns a new one with one row per group.
"""

from collections.abc import Sequence

import pandas as pd

from analysis.reading.stores import groups, refuse_other_axes
from core.outcomes import DIVERGED, THRESHOLDS

USUAL = ("activation", "depth", "init_scale")
LOSSES = ("initial_loss", "baseline_loss", "peak_loss")


def outcome_shares(runs: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """How often each outcome came up in each group.

    Args:
        runs: With the columns of `by` and `outcome`; of a traced map its cells, each of which
            counts.
        by: The settings that make a group, at least one.

    Returns:
        A row for each group and each outcome found among the runs: `by`, `outcome`, the
        number of `runs` and their `share` of the group's, 0 where there are none.
    """
    keys = list(by)
    counts = runs.groupby([*keys, "outcome"]).size().unstack(fill_value=0)
    tidy = counts.reset_index().melt(id_vars=keys, var_name="outcome", value_name="runs")
    tidy["share"] = tidy["runs"] / tidy.groupby(keys)["runs"].transform("sum")
    return tidy.sort_values([*keys, "outcome"], ignore_index=True)


def blew_up(runs: pd.DataFrame) -> pd.Series:
    """Which runs diverged, including those that stalled after a peak above their start.

    Steps that are too long can kill a ReLU network or drive a sigmoid into saturation. The loss
    then falls back from its peak to a constant answer's: the outcome is `stalled`, but the
    learning rate was no stable one.

    Args:
        runs: With `outcome`. With LOSSES too, peaks count; without them only the outcome does.
            `diverged_at_end` is the threshold by which each run was judged, as read_judged
            gives it; without it this version's is used.
    """
    diverged = runs["outcome"].isin(DIVERGED)
    if not set(LOSSES) <= set(runs.columns):
        return diverged
    start = runs[["initial_loss", "baseline_loss"]].max(axis=1)
    bound = runs.get("diverged_at_end", THRESHOLDS.diverged_at_end)
    peaked = runs["peak_loss"] > bound * start
    return diverged | ((runs["outcome"] == "stalled") & peaked)


def boundary_learning_rates(runs: pd.DataFrame, by: Sequence[str] | None = None) -> pd.DataFrame:
    """The two learning rates between which each group begins to diverge.

    Only divergence counts: below the boundary, runs may still be too slow, oscillate or be dead
    from the start. A learning rate counts as diverged if any of its runs blew up; seeds that are
    not in `by` are pooled. The boundary is the first crossing: if runs at still higher rates
    survive again, it stays where it is and `reentrant` is true. A run that took no step shows
    nothing.

    Args:
        runs: With the settings and `outcome`, and what blew_up asks for.
        by: The settings that make a group; add "seed" for a bracket per seed. By default
            activation, depth and init scale, and whatever else varies and may change how a
            run ends.

    Returns:
        A row for each group: `by` and

        - `stable_learning_rate`: the largest one up to which no run blew up; NaN if one did at the
          smallest
        - `diverged_learning_rate`: the smallest at which a run blew up; NaN where none did
        - `boundary_learning_rate`: their geometric mean; NaN where either is
        - `reentrant`: whether no run blew up at some learning rate above the bracket

    Raises:
        UnsuitableRunsError: A setting varies that is not in `by`, and a bracket would mix
            its values.
    """
    keys = groups(runs, USUAL, {"learning_rate"}) if by is None else list(by)
    refuse_other_axes(runs, {*keys, "learning_rate"})
    rates = _divergence_by_rate(runs, keys)
    first = rates["learning_rate"].where(rates["diverged"]).groupby(_columns(rates, keys)).min()
    rates = rates.merge(first.rename("first").reset_index(), on=keys)
    stable = rates["stepped"] & ~rates["diverged"]
    below = stable & ~(rates["learning_rate"] > rates["first"])
    bracket = pd.DataFrame(
        {
            "stable_learning_rate": rates["learning_rate"].where(below),
            "diverged_learning_rate": rates["first"],
            "reentrant": stable & ~below,
        }
    )
    brackets = bracket.groupby(_columns(rates, keys)).max().reset_index()
    ends = brackets["stable_learning_rate"] * brackets["diverged_learning_rate"]
    brackets.insert(len(brackets.columns) - 1, "boundary_learning_rate", ends**0.5)
    return brackets


def _divergence_by_rate(runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Whether any run blew up, and any took a step, for each group and learning rate."""
    marked = runs.assign(diverged=blew_up(runs), stepped=runs["outcome"] != "untrained")
    groups = marked.groupby([*keys, "learning_rate"])
    return groups[["diverged", "stepped"]].any().reset_index()


def _columns(frame: pd.DataFrame, names: list[str]) -> list[pd.Series]:
    return [frame[name] for name in names]
