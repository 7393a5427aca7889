"""Rules on what layers make of a signal on its way forward: claims C1, C2, C5 and C12.

Every rule takes the rows of its claim's query and returns a Verdict.
"""

import numpy as np
import pandas as pd

from analysis.redrawn import hidden_layer
from analysis.verdicts import FAILS, HOLDS, OTHER_REASON, TWO_EFFECTS, Verdict, number
from core.layer_maps import mean_square
from core.mean_field import mean_field

STRAIGHT = 0.01  # decades: what stays within them of a line is one
STEADY = 0.005  # decades a layer: what changes by less is constant
LARGE_GRADIENT = 1e3  # x the output error; the outcome rules call it exploding
MODERATE = 10.0  # an activation's root mean square, the inputs' being about 1
EXACT = 1e-9  # rounding of twenty layers, with room to spare
SPREAD = 0.1  # of ln r, from draw to draw: beyond it r is no single number


def signals_grow_exponentially(rows: pd.DataFrame) -> Verdict:
    """C1: above the identity log rms h is a rising line in the layer, below it a falling one.

    Args:
        rows: `init_scale` (the k of k I), `layer`, `log10_mean_square_h`.
    """
    lines = {k: _line(layers) for k, layers in rows.groupby("init_scale")}
    signs = all(np.sign(slope) == np.sign(np.log(k)) for k, (slope, _) in lines.items())
    bend = max(bend for _, bend in lines.values())
    growths = [
        number(f"growth of rms h, {k:g} I", 10**slope, "times a layer")
        for k, (slope, _) in lines.items()
    ]
    numbers = (*growths, number("largest departure from a line in log", bend, "decades"))
    return Verdict(HOLDS if signs and bend < STRAIGHT else FAILS, numbers)


def _line(layers: pd.DataFrame) -> tuple[float, float]:
    """The slope of log10 rms h over the layers, and its farthest point from the line."""
    rms = layers["log10_mean_square_h"] / 2
    slope, start = np.polyfit(layers["layer"], rms, 1)
    return float(slope), float(np.abs(rms - start - slope * layers["layer"]).max())


def every_gradient_is_large(rows: pd.DataFrame) -> Verdict:
    """C2: all weight gradients exceed the output error a thousandfold, the first signals are small.

    Args:
        rows: One network's `init_scale` (k), `layer`, `log10_mean_square_a`,
            `log10_delta_norm` and `log10_gradient_norm`.
    """
    layers = rows.sort_values("layer")
    per_error = layers["log10_gradient_norm"] - layers["log10_delta_norm"].iloc[-1]
    rms = 10 ** (layers["log10_mean_square_a"].iloc[:-1] / 2)
    numbers = (
        number("smallest |dW| of a layer", 10 ** per_error.min(), "output errors"),
        number("k^(L - 1)", layers["init_scale"].iloc[0] ** (len(layers) - 1)),
        number("largest |dW| over the smallest", 10 ** np.ptp(per_error)),
        number("rms activation, layer 1", rms.iloc[0]),
        number(f"rms activation, layer {len(rms)}", rms.iloc[-1]),
    )
    if per_error.min() < np.log10(LARGE_GRADIENT):
        return Verdict(FAILS, numbers)
    return Verdict(HOLDS if rms.iloc[0] < MODERATE else OTHER_REASON, numbers)


def sigmoid_outputs_shrink(rows: pd.DataFrame) -> Verdict:
    """C5: log rms a of the deeper half still falls from layer to layer.

    Args:
        rows: One network's `init_scale`, `bias_scale`, `layer`, `log10_mean_square_a`.
    """
    layers = rows.dropna(subset=["log10_mean_square_a"]).sort_values("layer")
    rms = layers["log10_mean_square_a"] / 2
    deep = slice(len(layers) // 2, None)
    slope = np.polyfit(layers["layer"].iloc[deep], rms.iloc[deep], 1)[0]
    weight_variance, bias_variance = layers[["init_scale", "bias_scale"]].iloc[0] ** 2
    q_star = mean_field("sigmoid", float(weight_variance), float(bias_variance)).q_star
    fixed_point = np.sqrt(mean_square("sigmoid", np.nan if q_star is None else q_star))
    numbers = (
        number("change of rms a in the deeper half", slope, "decades a layer"),
        number("rms a, layer 1", 10 ** rms.iloc[0]),
        number(f"rms a, layer {layers['layer'].iloc[-1]}", 10 ** rms.iloc[-1]),
        number("its fixed point in theory", float(fixed_point)),
    )
    return Verdict(HOLDS if slope < -STEADY else FAILS, numbers)


def with_singular_values(runs: pd.DataFrame) -> pd.DataFrame:
    """Add the `singular_spread` of a hidden layer: standard deviation over root mean square.

    Args:
        runs: The settings; the layer is drawn again from them.
    """
    spreads = []
    for _, run in runs.iterrows():
        values = np.linalg.svd(hidden_layer(run), compute_uv=False)
        spreads.append(values.std() / np.sqrt(np.square(values).mean()))
    return runs.assign(singular_spread=spreads)


def identity_is_easy(rows: pd.DataFrame) -> Verdict:
    """C12: k I needs no draw, r = |h_(L-1)|^2 / |h_1|^2 is k^(2L - 4); does that hide anything?

    Two effects if it does: random weights of the same scale spread what k I leaves alone.

    Args:
        rows: `initializer`, `init_scale`, `depth`, `seed`, `log10_r`, `singular_spread`.
    """
    ln_r = rows["log10_r"] * np.log(10)
    expected = 2 * (rows["depth"] - 2) * np.log(rows["init_scale"])
    is_identity = rows["initializer"] == "scaled_identity"
    error = (ln_r - expected)[is_identity].abs().max()
    spread = ln_r.groupby(rows["initializer"]).std()
    singular = rows.groupby("initializer")["singular_spread"].mean()
    numbers = (
        number("k I: departure of ln r from (2L - 4) ln k", error),
        *(number(f"spread of ln r over draws, {name}", spread[name]) for name in spread.index),
        *(number(f"spread of singular values, {name}", singular[name]) for name in singular.index),
    )
    if error > EXACT:
        return Verdict(FAILS, numbers)
    hidden = spread["gaussian"] > SPREAD > spread["scaled_identity"]
    return Verdict(TWO_EFFECTS if hidden else HOLDS, numbers)
