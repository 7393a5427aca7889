"""Cures side by side: what a network's training was changed by, and how much then trains."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from scipy.stats import binomtest

from analysis.reading.setting_values import as_written, spoken
from analysis.reading.stores import REPEATS, factors
from core.trials import SETTINGS

PLAIN = "plain"
AXES = ("learning_rate", "init_scale")


def with_cures(runs: pd.DataFrame, cells: Collection[str] = AXES) -> pd.DataFrame:
    """Runs with a column `cure`: in words, what was changed from the defaults of the settings.

    What varies among the runs is named, but for the settings of the cells and the seeds; a
    setting that has its default is not. `plain` is a run in which all have theirs.

    Args:
        runs: The settings.
        cells: The settings along the axes of a map.
    """
    named = [n for n in factors(runs) if n not in cells and n not in REPEATS]
    kinds = runs[named].drop_duplicates()
    words = [_words(kind) for kind in kinds.to_dict("records")]
    if not named:
        return runs.assign(cure=PLAIN)
    return runs.merge(kinds.assign(cure=words), on=named, how="left")


def trained_by_cure(runs: pd.DataFrame, cells: Collection[str] = AXES) -> pd.DataFrame:
    """How much of the plane of learning rates and init scales trains with each cure.

    Args:
        runs: The settings, `outcome` and `tail_loss`.
        cells: The settings along the axes of the plane.

    Returns:
        A row for each cure, the one that trains most first: `cure`, the number of `runs` and
        of those that `trained`, their `share` with its 95% interval (Wilson) from `low` to
        `high`, and where there are some, the learning rates between which they lie,
        `lowest_rate` and `highest_rate`.
    """
    named = with_cures(runs, cells)
    found = [_row(cure, of_cure) for cure, of_cure in named.groupby("cure", sort=False)]
    return pd.DataFrame(found).sort_values(
        ["share", "cure"], ascending=[False, True], ignore_index=True
    )


def _row(cure: object, runs: pd.DataFrame) -> dict[str, object]:
    trained = runs[runs["outcome"] == "trained"]
    interval = binomtest(len(trained), len(runs)).proportion_ci(method="wilson")
    return {
        "cure": cure,
        "runs": len(runs),
        "trained": len(trained),
        "share": len(trained) / len(runs),
        "low": interval.low,
        "high": interval.high,
        "lowest_rate": trained["learning_rate"].min(),
        "highest_rate": trained["learning_rate"].max(),
    }


def _words(kind: Mapping[Any, Any]) -> str:
    changed = [_of_setting(name, value) for name, value in kind.items() if _is_changed(name, value)]
    return ", ".join(changed) or PLAIN


def _is_changed(name: str, value: object) -> bool:
    default = SETTINGS[name].encoded_default
    return default is None or value != default


def _of_setting(name: str, value: object) -> str:
    if name in ("activation", "optimizer"):
        return str(value)
    words = spoken(value) if isinstance(value, str) else as_written(name, value)
    return f"{spoken(name)} {words}"
