"""How deep networks can be trained, against the depth scale of the infinite-width theory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reading.stores import groups, refuse_other_axes
from analysis.theory.plain_networks import is_plain
from core.initializers import WEIGHT_STD, weight_variance
from core.theory.mean_field import mean_field

SETTINGS = ("activation", "init_scale", "bias_scale")
POOLED = ("depth", "learning_rate")


@dataclass(frozen=True)
class Multiple:
    """A fit of trainable depth = value x xi_correlation.

    Attributes:
        value: The geometric mean of the ratios.
        error: Its standard error, as a factor: the value lies within value x or / error.
        points: How many init scales it rests on.
    """

    value: float
    error: float
    points: int


def trainable_depth(runs: pd.DataFrame, by: Sequence[str] | None = None) -> pd.DataFrame:
    """The depth up to which networks of each init scale trained.

    A depth counts as trained if a run with any learning rate and seed trained. If some depth fails
    and a deeper one trains again, the deeper one counts.

    Args:
        runs: The settings and `outcome`; the depths should reach past what trains.
        by: The settings that make a row, SETTINGS among them; by default those and whatever
            else varies.

    Returns:
        A row for each group:

        - `weight_variance`: sigma_w^2
        - `trained_depth`: the largest depth trained; NaN where none was
        - `untrained_depth`: the next depth run; NaN where the deepest was trained
        - `trainable_depth`: their geometric mean; NaN where either is
        - `xi_correlation`: the theory's depth scale; NaN where there is none
        - `multiple`: trainable depth over xi_correlation; NaN where xi_correlation is 0 or beyond
          the deepest run, where no multiple of it could have been found

    Raises:
        UnsuitableRunsError: A setting varies besides those in `by`, depth, learning rate and
            seed.
    """
    keys = groups(runs, SETTINGS, POOLED) if by is None else list(by)
    refuse_other_axes(runs, {*keys, *POOLED})
    trained = runs.assign(trained=runs["outcome"] == "trained")
    by_depth = trained.groupby([*keys, "depth"])["trained"].any().reset_index()
    rows = [
        dict(zip(keys, setting, strict=True)) | _bracket(depths)
        for setting, depths in by_depth.groupby(keys)
    ]
    table = pd.DataFrame(rows)
    starts = [runs_of_one.iloc[0] for _, runs_of_one in runs.groupby(keys)]
    table.insert(len(keys), "weight_variance", [_weight_variance(start) for start in starts])
    table["trainable_depth"] = (table["trained_depth"] * table["untrained_depth"]) ** 0.5
    table["xi_correlation"] = [_xi(start) for start in starts]
    within = table["xi_correlation"].between(0, runs["depth"].max(), inclusive="right")
    table["multiple"] = (table["trainable_depth"] / table["xi_correlation"]).where(within)
    return table


def _bracket(depths: pd.DataFrame) -> dict[str, float]:
    trained = depths.loc[depths["trained"], "depth"].max()
    deeper = depths.loc[~(depths["depth"] <= trained), "depth"].min()
    return {"trained_depth": float(trained), "untrained_depth": float(deeper)}


def _weight_variance(start: pd.Series) -> float:
    if start.get("initializer") != WEIGHT_STD:
        return float(start["init_scale"] ** 2)
    return weight_variance(WEIGHT_STD, start["init_scale"], start["width"])


def _xi(start: pd.Series) -> float:
    if not is_plain(start):
        return np.nan
    variances = start["init_scale"] ** 2, start["bias_scale"] ** 2
    xi = mean_field(start["activation"], *variances).xi_correlation
    return np.nan if xi is None else xi


def fitted_multiple(depths: pd.DataFrame) -> Multiple | None:
    """Fit trainable_depth's `multiple` over its init scales; None for fewer than two."""
    logs = np.log(depths["multiple"].dropna())
    if len(logs) < 2:
        return None
    return Multiple(float(np.exp(logs.mean())), float(np.exp(logs.sem())), len(logs))


def multiple_of_xi(runs: pd.DataFrame, by: Sequence[str] = ("activation",)) -> pd.DataFrame:
    """The fitted multiple of xi_correlation to which networks can be trained.

    Args:
        runs: As for trainable_depth.
        by: The settings that make a row; init scales and bias scales are fitted together.

    Returns:
        One row per group with enough points: `multiple`, its standard error as a factor,
        `error_factor`, and the number of `points`.
    """
    depths = trainable_depth(runs, list(dict.fromkeys([*by, *SETTINGS])))
    fits = [(group, fitted_multiple(rows)) for group, rows in depths.groupby(list(by))]
    rows = [
        [*group, multiple.value, multiple.error, multiple.points]
        for group, multiple in fits
        if multiple is not None
    ]
    return pd.DataFrame(rows, columns=[*by, "multiple", "error_factor", "points"])
