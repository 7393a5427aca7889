"""What the infinite-width theory predicts for each layer of one network at step 0."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.initializers import INITIALIZERS
from core.theory.layer_maps import gradient_growth, mean_square, variance_by_layer

COLUMNS = ("log10_mean_square_h", "log10_delta_norm", "log10_gradient_norm")


def layer_theory(run: Mapping[str, Any], layers: pd.DataFrame) -> pd.DataFrame | None:
    """The theory's profile: forward from the first layer's variance, backward from the error.

    Forward, q_1 is the first layer's measured mean square, and each next q follows from the
    variance map. Backward, |delta_(l-1)|^2 = chi(q_(l-1)) |delta_l|^2, starting at the last hidden
    layer: the theory assumes that the error does not depend on the weights below, and the error at
    the outputs does. A weight's gradient is delta_l times the activation below it. How far the
    examples' gradients add up is measured at the last hidden layer too.

    Args:
        run: Its settings.
        layers: Its measured layers in order, COLUMNS of step 0 among them.

    Returns:
        `layer` and COLUMNS, NaN where the theory's number is not finite. None for the
        identity, which is no random matrix, and where the first layer has no finite signal.
    """
    first = layers["log10_mean_square_h"].iloc[0]
    is_random = INITIALIZERS[run["initializer"]].is_random
    if not is_random or pd.isna(first) or abs(first) > 100:
        return None
    activation, weight_variance = run["activation"], run["init_scale"] ** 2
    q = variance_by_layer(
        activation, weight_variance, run["bias_scale"] ** 2, 10.0**first, len(layers)
    )
    finite = np.isfinite(q)
    with np.errstate(divide="ignore"):  # signals that die out entirely: -inf, shown as NaN
        log10_chi = np.full(len(q), np.nan)
        log10_chi[finite] = np.log10(gradient_growth(q[finite], activation, weight_variance))
        log10_a = np.full(len(q), np.nan)
        log10_a[finite] = np.log10(mean_square(activation, q[finite]))
        forward = np.log10(q)
    delta = _sum_from_end(log10_chi[:-1] / 2)
    delta += _last_hidden(layers["log10_delta_norm"].to_numpy() - delta)
    gradient = delta + np.concatenate([[np.nan], log10_a[:-1] / 2])
    gradient += _last_hidden(layers["log10_gradient_norm"].to_numpy() - gradient)
    theory = dict(zip(COLUMNS, (forward, delta, gradient), strict=True))
    table = pd.DataFrame({"layer": layers["layer"].to_numpy(), **theory})
    return table.replace([np.inf, -np.inf], np.nan)


def _sum_from_end(growth: np.ndarray) -> np.ndarray:
    """Each layer's logarithm minus the last layer's, (L,)."""
    return np.concatenate([np.cumsum(growth[::-1])[::-1], [0.0]])


def _last_hidden(offsets: np.ndarray) -> float:
    """The offset of the last hidden layer, or of the only layer."""
    return float(offsets[max(len(offsets) - 2, 0)])
