"""The runs of a store nearest to a network, and how theory corrects for the distance."""

from collections.abc import Mapping
from math import inf, log
from typing import Any

import pandas as pd

from analysis.theory.plain_networks import is_plain
from core.initializers import INITIALIZERS
from core.theory.mean_field import fixed_point_chi

NAMES = ("dataset", "activation")
SIZES = ("depth", "width")


def having(runs: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The runs with these settings."""
    for name, value in settings.items():
        runs = runs[runs[name] == value]
    return runs


def nearest(
    runs: pd.DataFrame, wanted: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, tuple[Any, Any]]]:
    """The runs with the names asked for and the sizes nearest to those asked for.

    Args:
        runs: At least one, with NAMES and SIZES.
        wanted: `activation` and `depth`; `width` and `dataset` if they matter.

    Returns:
        The runs, and by setting the value asked for and the value found where these differ. If no
        run has the name asked for, the runs of all names are taken, and what was found are all
        these names.
    """
    apart: dict[str, tuple[Any, Any]] = {}
    for name in [name for name in NAMES if name in wanted]:
        if (runs[name] == wanted[name]).any():
            runs = runs[runs[name] == wanted[name]]
        else:
            apart[name] = wanted[name], ", ".join(sorted(runs[name].unique()))
    sizes = [name for name in SIZES if name in wanted]
    counts = runs.groupby(sizes).size().reset_index(name="runs")
    counts["off"] = sum(abs((counts[size] / wanted[size]).map(log)) for size in sizes)
    nearest = counts.sort_values(["off", "runs"], ascending=[True, False]).iloc[0]
    found = {size: int(nearest[size]) for size in sizes}
    apart |= {size: (wanted[size], found[size]) for size in sizes if found[size] != wanted[size]}
    return having(runs, found), apart


def ratio(asked: Any, found: Any) -> float:
    """The larger number over the smaller one; infinite for a name."""
    return inf if isinstance(asked, str) else max(asked / found, found / asked)


def theory_factor(
    wanted: Mapping[str, Any], apart: Mapping[str, tuple[Any, Any]], start: Mapping[str, Any]
) -> float:
    """The factor, at most 1, by which a larger sharpness lowers the rate for the network asked for.

    The sharpness sums over all layers how far their weights move the outputs. It grows with the
    depth and the width, and by a factor chi per layer where chi > 1 (Karakida et al. 2019,
    arXiv:1806.01316). Where the sharpness falls, the rate stays as it is. For a network that is not
    plain, chi says nothing about the depth.
    """
    factor = 1.0
    for asked, found in (apart[size] for size in SIZES if size in apart):
        factor *= min(1.0, found / asked)
    asked, found = apart.get("depth", (0, 0))
    is_random = bool(start) and INITIALIZERS[start["initializer"]].is_random
    if asked > found and is_random and is_plain(start):
        scales = start["init_scale"] ** 2, start["bias_scale"] ** 2
        factor *= min(1.0, fixed_point_chi(wanted["activation"], *scales) ** (found - asked))
    return factor
