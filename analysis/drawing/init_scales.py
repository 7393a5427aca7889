"""What an axis of init scales shows, which depends on the initializers."""

import pandas as pd

from core.initializers import WEIGHT_STD


def by_meaning(runs: pd.DataFrame, *, sigma_w: str, weight_std: str, both: str) -> str:
    """One of three labels: where init scales are sigma_w, a weight's standard deviation, or both.

    Args:
        runs: The settings.
        sigma_w, weight_std, both: The labels.
    """
    if "initializer" not in runs:
        return sigma_w
    of_std = runs["initializer"] == WEIGHT_STD
    if of_std.all():
        return weight_std
    return both if of_std.any() else sigma_w
