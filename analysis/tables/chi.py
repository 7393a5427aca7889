"""The measured growth of gradients from layer to layer, beside the infinite-width theory's."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.reading.stores import groups
from analysis.tables.layer_profiles import LATER
from analysis.theory.input_mean_squares import data_mean_square
from analysis.theory.plain_networks import is_plain
from core.theory.mean_field import mean_field
from core.trials import TRIAL_FIELDS

SETTINGS = ("activation", "init_scale", "bias_scale", "depth", "width")
# Of the start, chi is the same for any loss and targets.
POOLED = (*LATER, "loss", "targets")


def chi_against_theory(runs: pd.DataFrame, by: Sequence[str] | None = None) -> pd.DataFrame:
    """chi measured at step 0, averaged over seeds, and chi of the theory.

    The theory's chi is that of the fixed point q*, which signals approach within a few xi_variance
    layers. Where there is no finite q*, it is the limit of chi with depth.

    Args:
        runs: All settings, `chi_measured` and `chi_theory`. Learning rates do not matter.
        by: The settings that make a row, SETTINGS among them; by default those and whatever
            else of the start varies.

    Returns:
        A row for each group: the number of `seeds`, `chi_measured` and its `standard_error` over
        the seeds, `chi_theory`, the `relative_deviation`, the `input_mean_square` that theory
        starts from, `q_star` and `xi_variance` (NaN where there is none, as of networks that are
        not plain).
    """
    keys = groups(runs, SETTINGS, POOLED) if by is None else list(by)
    others = [name for name in TRIAL_FIELDS if name not in keys]
    starts = runs.drop_duplicates([*keys, "seed"]).dropna(subset=["chi_measured", "chi_theory"])
    by_start = starts.groupby(keys)
    table = by_start["chi_measured"].agg(seeds="size", chi_measured="mean", standard_error="sem")
    table = table.join(by_start[["chi_theory", *others]].first()).reset_index()
    table["relative_deviation"] = table["chi_measured"] / table["chi_theory"] - 1
    rows = table.to_dict("records")
    table["input_mean_square"] = [data_mean_square(row) for row in rows]
    theory = [
        mean_field(row["activation"], row["init_scale"] ** 2, row["bias_scale"] ** 2, inputs)
        if is_plain(row)
        else None
        for row, inputs in zip(rows, table["input_mean_square"], strict=True)
    ]
    for name in ("q_star", "xi_variance"):
        table[name] = np.array([each and getattr(each, name) for each in theory], dtype=float)
    return table.drop(columns=others)
