"""For many runs at once, the trained run that needs the least change."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.explaining.neighbors import CHANGEABLE, change
from analysis.explaining.suggestions import NETWORK
from core.trials import SETTINGS

Places = NDArray[np.int64]

# Other data or another loss is no remedy for a run; another scaling of the features is one.
OF_TASK = [n for n, s in SETTINGS.items() if s.of_task and s.decides == "training"]
GIVEN = (*(name for name in OF_TASK if name != "features"), "loss")

# One integer ranks a candidate: first whether it keeps the network, then how many settings
# change, then by how much, in steps that rounding does not reach.
STEPS = 10**6
MOST = 10**13
ONE_CHANGE = 10**15
ANOTHER_NETWORK = 10**17
EXCLUDED = 10**18
CHUNK = 64  # runs, whose ranks stay in a processor's cache


def nearest_changes(runs: pd.DataFrame, trained: pd.DataFrame) -> Places:
    """For each run, the place of the nearest trained run on its task; -1 where there is none.

    A run that keeps depth, width and activation is nearer than one that does not; then the
    one that changes fewer settings; then the one that changes them less, as
    analysis.explaining.neighbors measures it; then the one whose id comes first.

    Args:
        runs: CHANGEABLE and `trained_level`.
        trained: The same columns and `trial_id`. Runs judged by a higher trained level than a run
            do not count for it.
    """
    if trained.empty or runs.empty:
        return np.full(len(runs), -1)
    order = np.argsort(trained["trial_id"].to_numpy(str), kind="stable")
    ordered = trained.iloc[order]
    parts = [_ranks(name, runs[name], ordered[name]) for name in CHANGEABLE if name in trained]
    parts.append(_level_ranks(runs["trained_level"], ordered["trained_level"]))
    deciding = [part for part in parts if part[0].any()]
    places = np.empty(len(runs), np.int64)
    for start in range(0, len(runs), CHUNK):
        chunk = slice(start, start + CHUNK)
        ranks = np.zeros((len(places[chunk]), len(ordered)), np.int64)
        for table, own, other in deciding:
            ranks += table[own[chunk]][:, other]
        best = ranks.argmin(axis=1)
        excluded = ranks[np.arange(len(best)), best] >= EXCLUDED
        places[chunk] = np.where(excluded, -1, order[best])
    return places


def _ranks(name: str, own: pd.Series, other: pd.Series) -> tuple[Places, Places, Places]:
    """What a change of one setting adds to a rank, (own values, other values), and their codes."""
    own_codes, own_values = pd.factorize(own)
    other_codes, values = pd.factorize(other)
    others = pd.Series(values, name=name)
    rows = [_rank(name, change(others, value)) for value in own_values]
    return np.array(rows), own_codes, other_codes


def _rank(name: str, size: pd.Series) -> Places:
    changed = size.to_numpy() > 0
    steps = np.minimum(size.to_numpy() * STEPS, MOST).round().astype(np.int64)
    cost = EXCLUDED if name in GIVEN else ONE_CHANGE + (ANOTHER_NETWORK if name in NETWORK else 0)
    return np.where(changed, steps + cost, 0)


def _level_ranks(own: pd.Series, other: pd.Series) -> tuple[Places, Places, Places]:
    own_codes, own_values = pd.factorize(own)
    other_codes, values = pd.factorize(other)
    higher = np.asarray(values)[None, :] > np.asarray(own_values)[:, None]
    return np.where(higher, EXCLUDED, 0), own_codes, other_codes
