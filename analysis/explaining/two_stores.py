"""What is said of two stores beside each other, in a terminal and on a page."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.tables.comparison import moves
from analysis.tables.two_stores import Comparison

MOST_VALUES = 4
OF_TRACED = "traced: only cells near a boundary were trained, and all that follows is of these"


def store_words(found: Comparison) -> tuple[str, str]:
    """How many trainings each store has, and what share of them trained."""
    a, b = zip(found.trainings, found.trained, found.traced, strict=True)
    return _counted(*a), _counted(*b)


def _counted(trainings: int, trained: int, traced: bool) -> str:
    words = f"{trainings:,} trainings, {trained / trainings:.0%} trained"
    return f"{words}; {OF_TRACED}" if traced else words


def outcome_words(found: Comparison) -> str:
    """In how many of the common cells the outcome is the same."""
    return f"{found.same:,} the same, {len(found.cells) - found.same:,} not"


def outcome_pairs(found: Comparison) -> pd.DataFrame:
    """The pairs of different outcomes and their numbers of cells, to be shown."""
    return found.changes.rename(columns={"outcome_a": "A", "outcome_b": "B"})


def most_different(found: Comparison) -> pd.DataFrame:
    """The values of settings at which outcomes differ, the largest share first, to be shown."""
    where = found.by_setting[found.by_setting["differ"] > 0]
    where = where.sort_values("share", ascending=False, kind="stable")
    return where.assign(
        share=[f"{share:.0%}" for share in where["share"]],
        value=[value_words(value) for value in where["value"]],
    )


def boundary_words(boundary: pd.DataFrame) -> list[str]:
    """How many boundaries moved, and by what factor in the median.

    Args:
        boundary: As of moved_boundary.
    """
    found = moves(boundary)
    counts = (
        f"of {len(boundary):,} networks: {found['up']:,} larger in B, "
        f"{found['down']:,} smaller, {found['same']:,} the same; {found['only_a']:,} trained "
        f"in A alone, {found['only_b']:,} in B alone, {found['neither']:,} in neither"
    )
    if found["median_factor"] is None:
        return [counts]
    return [counts, f"median of B over A, where both trained: {found['median_factor']:.3g}"]


def largest_moves(boundary: pd.DataFrame) -> pd.DataFrame:
    """The rows that moved by the largest factors, and those where only one store trained.

    Args:
        boundary: As of moved_boundary.
    """
    moved = boundary[boundary["largest_a"].ne(boundary["largest_b"])]
    moved = moved[moved["largest_a"].notna() | moved["largest_b"].notna()]
    size = moved["factor"].where(moved["factor"] >= 1, 1 / moved["factor"])
    order = size.sort_values(ascending=False, na_position="last", kind="stable").index
    names = {"largest_a": "A", "largest_b": "B", "factor": "B / A", "highest": "tried up to"}
    return moved.loc[order].rename(columns=names)


def values_words(values: Sequence[Any]) -> str:
    """The values of a setting: all of a few, the ends of many."""
    if len(values) <= MOST_VALUES:
        return ", ".join(map(value_words, values))
    return f"{len(values)} values from {value_words(values[0])} to {value_words(values[-1])}"


def common_words(a: Sequence[Any], b: Sequence[Any]) -> str:
    """How many values two lists have in common; nothing if each has one."""
    return f"{len(set(a) & set(b))} in both" if max(len(a), len(b)) > 1 else ""


def value_words(value: Any) -> str:
    """One value of a setting."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
