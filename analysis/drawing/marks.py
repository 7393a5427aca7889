"""Marks that several figures share: measured points, critical lines and rates, edges."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Keyword arguments of what matplotlib draws.
Style = dict[str, Any]

MEASURED: Style = {"color": "#d55e00", "linestyle": "none", "marker": "o", "markersize": 4}
CRITICAL: Style = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (3, 2))}
CURVE_POINTS = 200
# The legend's words for the column `critical_learning_rate`.
CRITICAL_RATE = r"$2 / \lambda_{max}$ at step 0"
EDGE: Style = {"color": "0.15", "linewidth": 1.0, "linestyle": (0, (3, 2))}


def between(values: pd.Series) -> NDArray[np.float64]:
    """Where a curve of the theory is drawn: over the positive values, if there are any."""
    positive = values[values > 0]
    if positive.empty:
        return np.empty(0)
    return np.geomspace(positive.min(), positive.max(), CURVE_POINTS)
