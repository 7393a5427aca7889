"""The gradient layer by layer at step 0, measured and in theory."""

from collections.abc import Sequence

import pandas as pd

from analysis.reading.rows import by_column
from analysis.reading.stores import REPEATS, UnsuitableRunsError, groups, refuse_other_axes
from analysis.theory.layer_theory import layer_theory
from analysis.theory.plain_networks import PLAIN
from core.trials import SETTINGS

STARTS = ("activation", "depth", "init_scale")
# Settings that do not change the start of a training.
LATER = {n for n, s in SETTINGS.items() if s.differs_within == "start" or s.decides != "training"}
LATER |= {"steps", "optimizer", "batch_size"}
NORM = "log10_delta_norm"


def gradients_by_layer(
    layers: pd.DataFrame, runs: pd.DataFrame, by: Sequence[str] | None = None
) -> pd.DataFrame:
    """log10 of |dLoss/dh| in each layer at step 0, the mean over seeds, and the theory's.

    Args:
        layers: `trial_id`, `layer` and the norms of step 0.
        runs: `trial_id` and the settings.
        by: The settings that make a start; by default STARTS and whatever else of it varies.

    Returns:
        A row for each start and layer: `measured`, `theory` (NaN
        where there is none) and the number of `seeds`.

    Raises:
        UnsuitableRunsError: No layer was measured, or a setting varies that is not in `by`.
    """
    keys = groups(runs, STARTS, LATER) if by is None else list(by)
    refuse_other_axes(runs, {*keys, *LATER})
    of_layers = ("activation", "initializer", "width", "hidden_widths", *PLAIN)
    needed = dict.fromkeys([*keys, *REPEATS, "init_scale", "bias_scale", *of_layers])
    settings = runs[["trial_id", *needed]]
    measured = settings[settings["trial_id"].isin(layers["trial_id"])]
    starts = measured.drop_duplicates([*keys, *REPEATS]).merge(layers, on="trial_id")
    if starts.empty:
        raise UnsuitableRunsError("no layer was measured; add `measure: [signal]`")
    profiles = [_profile(start, keys) for _, start in starts.groupby(keys)]
    return pd.concat(profiles, ignore_index=True)


def _profile(start: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One start's layers: the mean over its seeds beside the theory."""
    setting = start.iloc[0]
    norms = ["log10_mean_square_h", NORM, "log10_gradient_norm"]
    mean = start.groupby("layer")[norms].mean().reset_index()
    theory = layer_theory(by_column(setting), mean)
    return pd.DataFrame(
        {
            **{name: setting[name] for name in keys},
            "layer": mean["layer"],
            "measured": mean[NORM],
            "theory": float("nan") if theory is None else theory[NORM],
            "seeds": len(start[list(REPEATS)].drop_duplicates()),
        }
    )
