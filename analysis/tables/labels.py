"""The labels whose boundary a map may be asked for: each divides its cells into two or more."""

from collections.abc import Callable

import pandas as pd

from core.outcomes import DIVERGED

# From runs, with the columns of the label, to a label for each; missing where there is none.
LABELS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "outcome": lambda runs: runs["outcome"],
    "trained": lambda runs: runs["outcome"] == "trained",
    "diverged": lambda runs: runs["outcome"].isin(DIVERGED),
    "fractal_converged": lambda runs: runs["fractal_converged"],
    "init_phase": lambda runs: runs["init_phase"],
}
