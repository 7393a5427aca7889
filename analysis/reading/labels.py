"""The labels between which a boundary may lie: each divides the cells of a map."""

from collections.abc import Callable

import pandas as pd

from core.outcomes import DIVERGED

# From runs, with the column of the label, to a label for each; missing where there is none.
LABELS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "outcome": lambda runs: runs["outcome"],
    "trained": lambda runs: runs["outcome"] == "trained",
    "diverged": lambda runs: runs["outcome"].isin(DIVERGED),
    "fractal_converged": lambda runs: runs["fractal_converged"],
    "init_phase": lambda runs: runs["init_phase"],
}
OF_OUTCOMES = ("trained", "diverged")  # which the outcome decides


def column_of(label: str) -> str:
    """The column of `runs` that a label is found from."""
    return "outcome" if label in OF_OUTCOMES else label


def labels_of(runs: pd.DataFrame, label: str) -> pd.Series:
    """Each run's label: one of LABELS, or a column of that name."""
    return LABELS[label](runs) if label in LABELS else runs[label]
