"""The units in which a learning rate may be given, and the rates that runs then use."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ABSOLUTE, INVERSE_SHARPNESS = "absolute", "inverse_sharpness"
# By name, which of core.trials.MEASUREMENTS of a start a unit takes.
RATE_UNITS: Mapping[str, frozenset[str]] = {
    ABSOLUTE: frozenset(),
    INVERSE_SHARPNESS: frozenset({"sharpness"}),
}


class Rows(Protocol):
    """Columns of `runs`, in a table or a mapping, or a single run's values."""

    def get(self, name: str, /) -> Any:
        """One of them; None if it is missing."""


def rates_in(unit: str, learning_rates: ArrayLike, sharpness: ArrayLike) -> Floats:
    """The rates eta of the steps, where learning rates are given in a unit.

    In units of inverse_sharpness a learning rate is c = eta x lambda_max, lambda_max being the
    sharpness at step 0: Lewkowycz et al. (2020), arXiv:2003.02218; Kalra & Barkeshli (2023),
    arXiv:2302.12250. A quadratic diverges beyond c = 2.

    Args:
        unit: A name in RATE_UNITS.
        learning_rates: As they were given, (runs,).
        sharpness: Of the runs' starts, (runs,).

    Returns:
        (runs,); NaN where lambda_max is no positive number, or so small that eta overflows.
    """
    given, curvature = np.asarray(learning_rates, np.float64), np.asarray(sharpness, np.float64)
    if unit == ABSOLUTE:
        return given
    with np.errstate(all="ignore"):
        rates = given / curvature
    return np.where((curvature > 0) & np.isfinite(rates), rates, np.nan)


def used_rates(runs: Rows) -> Floats:
    """The rates eta of the steps of runs that were trained; NaN where a run had none.

    Args:
        runs: `learning_rate`, `learning_rate_unit` and `learning_rate_used`. Without a unit rates
            are absolute.
    """
    return np.where(
        _in_inverse_sharpness(runs),
        _floats(runs, "learning_rate_used"),
        _floats(runs, "learning_rate"),
    )


def critical_rates(runs: Rows) -> Floats:
    """The critical rates of runs in the units of their learning rates; NaN where there is none.

    Args:
        runs: `critical_learning_rate`, `sharpness` and `learning_rate_unit`.
    """
    critical = _floats(runs, "critical_learning_rate")
    in_units = critical * _floats(runs, "sharpness")
    return np.where(_in_inverse_sharpness(runs), in_units, critical)


def _in_inverse_sharpness(runs: Rows) -> NDArray[np.bool_]:
    return np.asarray(runs.get("learning_rate_unit"), dtype=object) == INVERSE_SHARPNESS


def _floats(runs: Rows, name: str) -> Floats:
    return np.asarray(runs.get(name), dtype=np.float64)
