"""The networks whose fixed points the infinite-width theory knows: plain ones."""

from collections.abc import Mapping
from typing import Any

from core.hidden_layers import NO_RESIDUAL, branch_factor


def is_plain(run: Mapping[str, Any]) -> bool:
    """Whether a run's hidden layers are activations alone, by its settings."""
    return _residual(run) == NO_RESIDUAL


def factor_of(run: Mapping[str, Any], depth: int) -> float | None:
    """The factor of a run's branches; None without residual connections."""
    return branch_factor(_residual(run), depth)


def _residual(run: Mapping[str, Any]) -> str:
    return run.get("residual") or NO_RESIDUAL
