"""Cures side by side: what a network's training was changed by, and how much then trains."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from analysis.reading.setting_values import as_written, spoken
from analysis.reading.stores import REPEATS, factors
from analysis.tables.shares import share_interval
from core.trials import SETTINGS

PLAIN = "plain"
AXES = ("learning_rate", "init_scale")


def with_cures(runs: pd.DataFrame, cells: Collection[str] = AXES) -> pd.DataFrame:
    """Runs with a column `cure`: in words, what was changed from a plain network.

    Named is whatever varies among the runs, except the settings of the cells and the seeds. A plain
    network has each setting's default or, if there is none, the value that is most frequent among
    the kinds of networks, if a single one is.

    Args:
        runs: The settings.
        cells: The settings along the axes of a map.
    """
    named = [n for n in factors(runs) if n not in cells and n not in REPEATS]
    if not named:
        return runs.assign(cure=PLAIN)
    kinds = runs[named].drop_duplicates()
    plain = {name: _plain_value(kinds[name]) for name in named}
    words = [_words(kind, plain) for kind in kinds.to_dict("records")]
    return runs.merge(kinds.assign(cure=words), on=named, how="left")


def trained_by_cure(runs: pd.DataFrame, cells: Collection[str] = AXES) -> pd.DataFrame:
    """How much of the plane of learning rates and init scales trains with each cure.

    Args:
        runs: The settings, `outcome` and `tail_loss`; of a traced map its cells, each of which
            counts.
        cells: The settings along the axes of the plane.

    Returns:
        A row for each cure, the one that trains most first: `cure`, the number of `runs` and
        of those that `trained`, their `share` with its 95% interval (Wilson) from `low` to
        `high`, and the lowest and highest learning rate that trained, `lowest_rate` and
        `highest_rate`, if any did.
    """
    named = with_cures(runs, cells)
    found = [_row(cure, of_cure) for cure, of_cure in named.groupby("cure", sort=False)]
    return pd.DataFrame(found).sort_values(
        ["share", "cure"], ascending=[False, True], ignore_index=True
    )


def _row(cure: object, runs: pd.DataFrame) -> dict[str, object]:
    trained = runs[runs["outcome"] == "trained"]
    low, high = share_interval(len(trained), len(runs))
    return {
        "cure": cure,
        "runs": len(runs),
        "trained": len(trained),
        "share": len(trained) / len(runs),
        "low": low,
        "high": high,
        "lowest_rate": trained["learning_rate"].min(),
        "highest_rate": trained["learning_rate"].max(),
    }


def _plain_value(column: pd.Series) -> Any:
    """A setting's value in a plain network; None if there is none."""
    default = SETTINGS[str(column.name)].encoded_default
    if default is not None:
        return default
    most = column.mode()
    return most.iloc[0] if len(most) == 1 else None


def _words(kind: Mapping[Any, Any], plain: Mapping[str, Any]) -> str:
    changed = [_of_setting(name, value) for name, value in kind.items() if value != plain[name]]
    return ", ".join(changed) or PLAIN


def _of_setting(name: str, value: object) -> str:
    if name in ("activation", "initializer", "optimizer"):
        return str(value)
    words = spoken(value) if isinstance(value, str) else as_written(name, value)
    return f"{spoken(name)} {words}"
