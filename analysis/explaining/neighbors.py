"""The trained runs nearest to a run: they show what would most likely have trained."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.trials import SETTINGS

# Other settings say what to measure or how to judge, which does not change a training.
CHANGEABLE = tuple(n for n, s in SETTINGS.items() if s.decides in ("training", "end"))


def nearest_trained(run: Mapping[str, Any], runs: pd.DataFrame, most: int = 5) -> pd.DataFrame:
    """The trained runs that differ in the fewest settings, and in those by the least.

    Runs judged by a higher trained level than this one are left out: to have trained means less for
    them. For each set of changed settings the nearest run is kept, unless a part of these changes
    is enough: so every row is another remedy, without unnecessary changes. The size of a change is
    the logarithm of the ratio for a number (the difference, if one is zero) and 1 for a name.

    Args:
        run: Its settings and `trial_id`.
        runs: CHANGEABLE, `trained_level`, `trial_id`, `outcome` and whatever else is wanted of
            the neighbors.
        most: How many to return.

    Returns:
        Rows of `runs`, nearest first, with `changed`: the names of the changed settings.
    """
    others = runs[(runs["outcome"] == "trained") & (runs["trial_id"] != run["trial_id"])]
    others = others[others["trained_level"] <= run["trained_level"]]
    sizes = pd.DataFrame(
        {name: change(others[name], run[name]) for name in CHANGEABLE if name in others}
    )
    ranked = others.assign(
        changes=(sizes > 0).sum(axis=1),
        size=sizes.sum(axis=1),
        changed=_names((sizes > 0).to_numpy(), list(sizes.columns)),
    ).sort_values(["changes", "size"], kind="stable")
    nearest = ranked.drop_duplicates("changed").drop(columns=["changes", "size"])
    return nearest[_minimal(nearest["changed"])].head(most)


def _minimal(patterns: Iterable[tuple[str, ...]]) -> list[bool]:
    """Whether each set of changes contains no earlier one; the smaller sets come first."""
    kept: list[set[str]] = []
    minimal = []
    for pattern in map(set, patterns):
        minimal.append(not any(smaller <= pattern for smaller in kept))
        if minimal[-1]:
            kept.append(pattern)
    return minimal


def change(values: pd.Series, own: Any) -> pd.Series:
    """By how much values of the setting `values.name` differ from a run's own."""
    if not pd.api.types.is_numeric_dtype(values) or SETTINGS[str(values.name)].repeats:
        return (values != own).astype(float)
    numbers = values.astype(float)
    if own <= 0 or (numbers <= 0).any():
        return (numbers - own).abs()
    return np.log(numbers / own).abs()


def _names(changed: np.ndarray, names: list[str]) -> list[tuple[str, ...]]:
    """The names of each row's changed settings; rows with the same changes share one tuple."""
    patterns, places = np.unique(changed, axis=0, return_inverse=True)
    changes = [tuple(n for n, hit in zip(names, row, strict=True) if hit) for row in patterns]
    return [changes[place] for place in places.ravel()]
