"""What the infinite-width theory predicts for each layer of one network at step 0."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.theory.plain_networks import hidden_of, of_one_sigma
from core.hidden_widths import EQUAL, units_of_hidden
from core.initializers import INITIALIZERS, weight_variance
from core.theory.wide_signals import wide_signals

COLUMNS = ("log10_mean_square_h", "log10_delta_norm", "log10_gradient_norm")


def layer_theory(run: Mapping[str, Any], layers: pd.DataFrame) -> pd.DataFrame | None:
    """The theory's profile: forward from the first layer's variance, backward from the error.

    Forward, q_1 is the first layer's measured mean square, and each next q follows from the
    layer before. Backward, |delta|^2 grows by theory's factors, starting at the last hidden
    layer: the theory assumes that the error does not depend on the weights below, and the error at
    the outputs does. A weight's gradient is delta_l times the activation below it. How far the
    examples' gradients add up is measured at the last hidden layer too. Where hidden layers differ,
    a gradient also goes with the root of the number of activations below.

    Args:
        run: Its settings; without `residual` and `normalization` there are none, and without
            `hidden_widths` all hidden layers are equally wide.
        layers: Its measured layers in order, COLUMNS of step 0 among them.

    Returns:
        `layer` and COLUMNS, NaN where the theory's number is not finite. None for the
        identity, which is no random matrix, where the first layer has no finite signal, where
        sigma_w differs from layer to layer, and where core.theory.wide_signals has no theory.
    """
    first = layers["log10_mean_square_h"].iloc[0]
    is_random = INITIALIZERS[run["initializer"]].is_random
    if not (is_random and of_one_sigma(run)) or pd.isna(first) or abs(first) > 100:
        return None
    of_weights = weight_variance(run["initializer"], run["init_scale"], run["width"])
    variances, depth = (of_weights, run["bias_scale"] ** 2), len(layers)
    hidden = hidden_of(run, depth)
    signals = wide_signals(run["activation"], *variances, 10.0**first, depth, *hidden)
    if signals is None:
        return None
    with np.errstate(divide="ignore"):  # signals that die out entirely: -inf, shown as NaN
        forward, log10_a, log10_chi = map(np.log10, signals)
    delta = _sum_from_end(log10_chi / 2)
    delta += _last_hidden(layers["log10_delta_norm"].to_numpy() - delta)
    gradient = delta + np.concatenate([[np.nan], (log10_a + _log10_widths(run, depth)) / 2])
    gradient += _last_hidden(layers["log10_gradient_norm"].to_numpy() - gradient)
    theory = dict(zip(COLUMNS, (forward, delta, gradient), strict=True))
    table = pd.DataFrame({"layer": layers["layer"].to_numpy(), **theory})
    return table.replace([np.inf, -np.inf], np.nan)


def _log10_widths(run: Mapping[str, Any], depth: int) -> np.ndarray:
    """The hidden layers' units, as shares of the widest one's."""
    units = units_of_hidden(run["width"], depth, run.get("hidden_widths") or EQUAL)
    return np.log10(np.array(units) / run["width"])


def _sum_from_end(growth: np.ndarray) -> np.ndarray:
    """Each layer's logarithm minus the last layer's, (L,)."""
    return np.concatenate([np.cumsum(growth[::-1])[::-1], [0.0]])


def _last_hidden(offsets: np.ndarray) -> float:
    """The offset of the last hidden layer, or of the only layer."""
    return float(offsets[max(len(offsets) - 2, 0)])
