"""Plain networks, whose fixed points the infinite-width theory knows, and what others have."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.hidden_layers import NO_NORMALIZATION, NO_RESIDUAL, branch_factor

Run = Mapping[str, Any] | pd.Series

PLAIN = {"residual": NO_RESIDUAL, "normalization": NO_NORMALIZATION}


def is_plain(run: Run) -> bool:
    """Whether a run's hidden layers are activations alone, by its settings."""
    return all(run.get(name, none) in (none, None) for name, none in PLAIN.items())


def plain(runs: pd.DataFrame) -> pd.DataFrame:
    """Those of the runs, with the settings PLAIN, whose hidden layers are activations alone."""
    return runs[(runs[[*PLAIN]] == pd.Series(PLAIN)).all(axis=1)]


def hidden_of(run: Run, depth: int) -> tuple[float | None, str]:
    """The factor of a run's branches, None without residual connections, and its normalization."""
    residual = run.get("residual") or NO_RESIDUAL
    return branch_factor(residual, depth), run.get("normalization") or NO_NORMALIZATION
