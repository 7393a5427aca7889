"""The gradient layer by layer at step 0, measured and in theory."""

import pandas as pd

from analysis.reading.rows import by_column
from analysis.reading.stores import REPEATS, UnsuitableRunsError, refuse_other_axes
from analysis.theory.layer_theory import layer_theory
from analysis.theory.plain_networks import PLAIN
from core.trials import SETTINGS

STARTS = ["activation", "depth", "init_scale"]
# Settings that do not change the start of a training.
LATER = {n for n, s in SETTINGS.items() if s.differs_within == "start" or s.decides != "training"}
OF_THEORY = ("bias_scale", "initializer", *PLAIN)
NORM = "log10_delta_norm"


def gradients_by_layer(layers: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """log10 of |dLoss/dh| in each layer at step 0, the mean over seeds, and the theory's.

    Args:
        layers: `trial_id`, `layer` and the norms of step 0.
        runs: `trial_id` and the settings.

    Returns:
        A row for each activation, depth, init scale and layer: `measured`, `theory` (NaN
        where there is none) and the number of `seeds`.

    Raises:
        UnsuitableRunsError: No layer was measured, or another setting varies.
    """
    refuse_other_axes(runs, {*STARTS, *LATER})
    settings = runs[["trial_id", *STARTS, *REPEATS, *OF_THEORY]]
    measured = settings[settings["trial_id"].isin(layers["trial_id"])]
    starts = measured.drop_duplicates([*STARTS, *REPEATS]).merge(layers, on="trial_id")
    if starts.empty:
        raise UnsuitableRunsError("no layer was measured; add `measure: [signal]`")
    return pd.concat([_profile(start) for _, start in starts.groupby(STARTS)], ignore_index=True)


def _profile(start: pd.DataFrame) -> pd.DataFrame:
    """One start's layers: the mean over its seeds beside the theory."""
    setting = start.iloc[0]
    norms = ["log10_mean_square_h", NORM, "log10_gradient_norm"]
    mean = start.groupby("layer")[norms].mean().reset_index()
    theory = layer_theory(by_column(setting), mean)
    return pd.DataFrame(
        {
            **{name: setting[name] for name in STARTS},
            "layer": mean["layer"],
            "measured": mean[NORM],
            "theory": float("nan") if theory is None else theory[NORM],
            "seeds": len(start[list(REPEATS)].drop_duplicates()),
        }
    )
