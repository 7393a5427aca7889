"""Plain networks, whose fixed points the infinite-width theory knows, and what others have."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.hidden_layers import NO_NORMALIZATION, NO_RESIDUAL, branch_factor
from core.initializers import WEIGHT_STD

Run = Mapping[str, Any] | pd.Series

PLAIN = {"residual": NO_RESIDUAL, "normalization": NO_NORMALIZATION}


def is_plain(run: Run) -> bool:
    """Whether theory knows a run's fixed points from its init scale, by its settings.

    Its hidden layers are activations alone, and weights are divided by sqrt(fan_in).
    """
    layers_are_plain = all(run.get(name, none) in (none, None) for name, none in PLAIN.items())
    return layers_are_plain and run.get("initializer") != WEIGHT_STD


def plain(runs: pd.DataFrame) -> pd.DataFrame:
    """Those of the runs, with the settings PLAIN, whose hidden layers are activations alone."""
    return runs[(runs[[*PLAIN]] == pd.Series(PLAIN)).all(axis=1)]


def hidden_of(run: Run, depth: int) -> tuple[float | None, str]:
    """The factor of a run's branches, None without residual connections, and its normalization."""
    residual = run.get("residual") or NO_RESIDUAL
    return branch_factor(residual, depth), run.get("normalization") or NO_NORMALIZATION
