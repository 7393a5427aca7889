"""Plain networks, whose fixed points the infinite-width theory knows, and what others have."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.hidden_layers import NO_NORMALIZATION, NO_RESIDUAL, branch_factor
from core.hidden_widths import EQUAL
from core.initializers import WEIGHT_STD, has_one_sigma

Run = Mapping[str, Any] | pd.Series

PLAIN = {"residual": NO_RESIDUAL, "normalization": NO_NORMALIZATION}


def is_plain(run: Run) -> bool:
    """Whether theory knows a run's fixed points from its init scale, by its settings.

    Its hidden layers are activations alone, weights are divided by sqrt(fan_in), and all layers
    have one sigma_w.
    """
    layers_are_plain = all(run.get(name, none) in (none, None) for name, none in PLAIN.items())
    return layers_are_plain and run.get("initializer") != WEIGHT_STD and of_one_sigma(run)


def of_one_sigma(run: Run) -> bool:
    """Whether sigma_w is the same in all layers between a run's hidden ones."""
    hidden_widths = run.get("hidden_widths") or EQUAL
    return hidden_widths == EQUAL or has_one_sigma(run["initializer"], hidden_widths)


def plain(runs: pd.DataFrame) -> pd.DataFrame:
    """Those of the runs, with the settings PLAIN, whose hidden layers are activations alone."""
    return runs[(runs[[*PLAIN]] == pd.Series(PLAIN)).all(axis=1)]


def hidden_of(run: Run, depth: int) -> tuple[float | None, str]:
    """The factor of a run's branches, None without residual connections, and its normalization."""
    residual = run.get("residual") or NO_RESIDUAL
    return branch_factor(residual, depth), run.get("normalization") or NO_NORMALIZATION
