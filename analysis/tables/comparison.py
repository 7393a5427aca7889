"""Two stores' runs beside each other: settings that differ, outcomes, the boundary of training.

A cell is one combination of the settings that both sets of runs have in common; repetitions,
as with other seeds, are in one cell. A setting that has one value in each, but not the same, is
what the two are compared for: it makes no cells. Values are the same only if they are equal.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.reading.stores import REPEATS
from analysis.reading.thresholds import NAMES, JudgedBy
from core.outcomes import OUTCOMES
from core.trials import SETTINGS, TRIAL_FIELDS

# Besides the settings: who trained decides the last bits.
COMPARED = (*TRIAL_FIELDS, "trainer")
RATE = "learning_rate"


def differing_settings(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """The settings whose values are not the same in two sets of runs, and the trainer's version.

    Returns:
        A row for each: `setting`, and as `a` and `b` the lists of the values of each, ascending.
    """
    names = [name for name in COMPARED if name in a and name in b]
    return _differing((name, a[name], b[name]) for name in names)


def differing_thresholds(
    a: pd.DataFrame, b: pd.DataFrame, judged_a: JudgedBy, judged_b: JudgedBy
) -> pd.DataFrame:
    """The thresholds by which two sets of runs were not judged alike; as differing_settings."""
    return _differing((name, judged_a.values(a, name), judged_b.values(b, name)) for name in NAMES)


def _differing(columns: Iterator[tuple[str, pd.Series, pd.Series]]) -> pd.DataFrame:
    values = [
        (name, *(sorted(c.dropna().unique().tolist()) for c in two)) for name, *two in columns
    ]
    rows = [each for each in values if each[1] != each[2]]
    return pd.DataFrame(rows, columns=["setting", "a", "b"])


def cell_settings(a: pd.DataFrame, b: pd.DataFrame) -> list[str]:
    """The settings that make the cells: they vary in one set of runs or in both."""
    return [name for name in TRIAL_FIELDS if _makes_cells(name, a, b)]


def _makes_cells(name: str, a: pd.DataFrame, b: pd.DataFrame) -> bool:
    if name in REPEATS or SETTINGS[name].decides == "record":
        return False
    return max(a[name].nunique(), b[name].nunique()) > 1


def common_cells(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """The cells that both sets of runs have.

    Args:
        a, b: The settings of the runs and their `outcome`.

    Returns:
        A row for each cell: its settings (cell_settings), `outcome_a` and `outcome_b`, the most
        frequent one of its runs (of equally frequent ones the first of core.outcomes.OUTCOMES),
        and how many they are, `runs_a` and `runs_b`.
    """
    settings = cell_settings(a, b)
    cells = [_cells(runs, settings) for runs in (a, b)]
    if not settings:
        return cells[0].merge(cells[1], how="cross", suffixes=("_a", "_b"))
    return cells[0].merge(cells[1], on=settings, suffixes=("_a", "_b"))


def _cells(runs: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """Each cell's most frequent outcome, and the number of its runs."""
    kinds = pd.Categorical(runs["outcome"], [*OUTCOMES, *({*runs["outcome"]} - {*OUTCOMES})])
    coded = runs[settings].assign(outcome=kinds.codes)
    counts = coded.groupby([*settings, "outcome"]).size().rename("count").reset_index()
    counts = counts.sort_values(["count", "outcome"], ascending=[False, True], kind="stable")
    if settings:
        counts["runs"] = counts.groupby(settings)["count"].transform("sum")
        first = counts.drop_duplicates(settings).sort_values(settings, ignore_index=True)
    else:
        first = counts.head(1).assign(runs=len(runs))
    names = first["outcome"].map(dict(enumerate(kinds.categories)))
    return first.assign(outcome=names).drop(columns="count")


def outcome_changes(cells: pd.DataFrame) -> pd.DataFrame:
    """How many of common_cells have each pair of different outcomes.

    Returns:
        `outcome_a`, `outcome_b` and `cells`, the most frequent pair first.
    """
    pairs = cells[cells["outcome_a"] != cells["outcome_b"]].groupby(["outcome_a", "outcome_b"])
    counts = pairs.size().rename("cells").reset_index()
    return counts.sort_values("cells", ascending=False, kind="stable", ignore_index=True)


def changes_by_setting(cells: pd.DataFrame) -> pd.DataFrame:
    """In what share of common_cells the outcomes differ, for each value of each setting.

    Returns:
        `setting`, `value`, the number of `cells` with it, how many `differ` and their `share`;
        only settings that vary among the cells.
    """
    differ = cells["outcome_a"] != cells["outcome_b"]
    tables = []
    for name in [n for n in TRIAL_FIELDS if n in cells and cells[n].nunique() > 1]:
        groups = differ.groupby(cells[name])
        counts = pd.DataFrame({"cells": groups.size(), "differ": groups.sum()})
        counts = counts.rename_axis("value").reset_index()
        tables.append(counts.assign(setting=name, value=counts["value"].astype(object)))
    columns = ["setting", "value", "cells", "differ"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return found[columns].assign(share=found["differ"] / found["cells"])


def moved_boundary(cells: pd.DataFrame) -> pd.DataFrame:
    """The largest learning rate that trained on either side, of the rates that both have.

    Args:
        cells: Of common_cells, with more than one learning rate.

    Returns:
        A row for each combination of the other settings: `largest_a` and `largest_b`, NaN where
        nothing trained; `factor`, the second over the first; and `highest`, the largest
        learning rate that was tried: a boundary there may lie beyond.
    """
    others = [name for name in TRIAL_FIELDS if name in cells and name != RATE]
    rates = cells.assign(
        **{
            f"largest_{side}": cells[RATE].where(cells[f"outcome_{side}"] == "trained")
            for side in "ab"
        },
        highest=cells[RATE],
    )
    found = ["largest_a", "largest_b", "highest"]
    if others:
        largest = rates.groupby(others)[found].max().reset_index()
    else:
        largest = rates[found].max().to_frame().T
    largest.insert(len(others) + 2, "factor", largest["largest_b"] / largest["largest_a"])
    return largest


def moves(boundary: pd.DataFrame) -> dict[str, int | float | None]:
    """How many rows of moved_boundary moved where, and the median factor where both trained."""
    a, b = boundary["largest_a"], boundary["largest_b"]
    both = a.notna() & b.notna()
    return {
        "up": int((b > a).sum()),
        "down": int((b < a).sum()),
        "same": int((both & (a == b)).sum()),
        "only_a": int((a.notna() & b.isna()).sum()),
        "only_b": int((a.isna() & b.notna()).sum()),
        "neither": int((a.isna() & b.isna()).sum()),
        "median_factor": float(np.exp(np.log(boundary["factor"]).median())) if both.any() else None,
    }
