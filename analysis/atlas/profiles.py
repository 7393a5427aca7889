"""The layer profiles of the atlas: each start's norms at step 0, and the theory's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.atlas.packing import quantized
from analysis.reading.rows import by_column
from analysis.reading.stores import REPEATS, MissingTableError, read_layers
from analysis.theory.layer_theory import COLUMNS, layer_theory
from core.trials import SETTINGS

LAYER_STEPS = 100  # to a decade
NO_PROFILE = 2**32 - 1
# What distinguishes two starts, and two that are no repetitions of one another.
START = [n for n, s in SETTINGS.items() if s.decides == "training" and s.differs_within != "start"]
SETTING = [name for name in START if name not in REPEATS]

Places = NDArray[np.integer]


def profile_columns(store: str | Path, runs: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """The measured profile of each start, once, and the theory's of each setting, once.

    Args:
        store: Where the layers are.
        runs: `trial_id` and the settings, in the page's order.

    Returns:
        `profile` and `theory`, each run's place among them (NO_PROFILE where there is
        none), their depths, and COLUMNS of each, layer by layer, in steps of
        1 / LAYER_STEPS. Empty without layers.
    """
    try:
        layers = read_layers(store, ["trial_id", "layer", *COLUMNS])
    except MissingTableError:
        return {}
    layers["run"] = pd.Index(runs["trial_id"]).get_indexer(layers.pop("trial_id"))
    setting = runs.groupby(SETTING, sort=False).ngroup().to_numpy()
    start = runs.groupby(START, sort=False).ngroup().to_numpy()
    layers = layers[layers["run"] >= 0].sort_values(["run", "layer"], kind="stable")
    layers = layers.assign(
        start=start[layers["run"].to_numpy()], setting=setting[layers["run"].to_numpy()]
    )
    one_each = layers.drop_duplicates(["start", "layer"])
    theory = _theories(one_each, runs, setting)
    return {
        **_columns("profile", one_each, start, "start"),
        **_columns("theory", theory, setting, "setting"),
    }


def _theories(layers: pd.DataFrame, runs: pd.DataFrame, setting: Places) -> pd.DataFrame:
    """The theory for every setting, from the mean profile over its seeds."""
    means = layers.groupby(["setting", "layer"], sort=False)[list(COLUMNS)].mean().reset_index()
    first_run = pd.Series(range(len(runs))).groupby(setting).first()
    known = []
    for place, profile in means.groupby("setting"):
        theory = layer_theory(by_column(runs.iloc[first_run[place]]), profile)
        if theory is not None:
            known.append(theory.assign(setting=place))
    return pd.concat(known) if known else means.iloc[:0]


def _columns(name: str, layers: pd.DataFrame, of_run: Places, key: str) -> dict[str, NDArray[Any]]:
    depths = layers.groupby(key, sort=False).size()
    places = pd.Index(depths.index).get_indexer(of_run)
    return {
        name: np.where(places < 0, NO_PROFILE, places).astype(np.uint32),
        f"{name} depth": depths.to_numpy().astype(np.uint16),
        **{f"{name} {each}": quantized(layers[each], LAYER_STEPS) for each in COLUMNS},
    }
