"""Rules on how layers change a signal on its way forward: claims C1, C2, C5 and C12.

Every rule takes the rows of its claim's query and returns a Verdict.
"""

import numpy as np
import pandas as pd

from analysis.claims.backward_steps import Net, backward
from analysis.claims.verdicts import FAILS, HOLDS, OTHER_REASON, TWO_EFFECTS, Verdict, number
from analysis.reading.rows import by_column
from analysis.theory.redrawn import hidden_layer, params_of, task_of
from core.functions.activations import ACTIVATIONS
from core.theory.layer_maps import mean_square
from core.theory.mean_field import mean_field

STRAIGHT = 0.01  # decades: points this near to a line count as lying on it
SAME_SLOPE = 0.01  # of log10 k: as far as a measured slope may lie from it
ARGUED_LAYERS = 20  # the argument multiplies so many: 1.5^20 = 3325.2567, 0.5^20 = 9.5367e-7
STEADY = 0.005  # decades per layer: a smaller change counts as none
LARGE_GRADIENT = 1e3  # x an output error; the outcome rules call it exploding
MODERATE = 10.0  # an activation's root mean square, the inputs' being about 1
EXACT = 1e-9  # rounding of twenty layers, with room to spare
SPREAD = 0.1  # standard deviation of ln r over draws: beyond it r depends on the draw


def signals_grow_exponentially(rows: pd.DataFrame) -> Verdict:
    """C1: log rms h is a line in the layer, with the slope log k.

    Args:
        rows: `init_scale` (the k of k I), `layer`, `log10_mean_square_h`.
    """
    lines = {k: _line(rows[rows["init_scale"] == k]) for k in np.unique(rows["init_scale"])}
    error = max(abs(slope / np.log10(k) - 1) for k, (slope, _) in lines.items())
    bend = max(bend for _, bend in lines.values())
    numbers = [
        number(f"growth of rms h, {k:g} I", 10**slope, "times a layer")
        for k, (slope, _) in lines.items()
    ]
    for k in (max(lines), min(lines)):
        growth = 10 ** _growth(rows[rows["init_scale"] == k], ARGUED_LAYERS)
        numbers += [
            number(f"growth of rms h over {ARGUED_LAYERS} layers, {k:g} I", growth, "times"),
            number(f"{k:g}^{ARGUED_LAYERS}", k**ARGUED_LAYERS),
        ]
    numbers += [
        number("largest departure of a slope from log10 k", error, "of log10 k"),
        number("largest departure from a line in log", bend, "decades"),
    ]
    holds = error < SAME_SLOPE and bend < STRAIGHT
    return Verdict(HOLDS if holds else FAILS, tuple(numbers))


def _growth(layers: pd.DataFrame, count: int) -> float:
    """log10 of rms h, `count` layers after the first over the first; NaN if there are fewer."""
    rms = layers.set_index("layer")["log10_mean_square_h"] / 2
    first = rms.index.min()
    return float(rms.get(first + count, np.nan) - rms[first])


def _line(layers: pd.DataFrame) -> tuple[float, float]:
    """The slope of log10 rms h over the layers, and its farthest point from the line."""
    rms = layers["log10_mean_square_h"] / 2
    slope, start = np.polyfit(layers["layer"], rms, 1)
    return float(slope), float(np.abs(rms - start - slope * layers["layer"]).max())


def with_bias_gradients(rows: pd.DataFrame) -> pd.DataFrame:
    """Add each layer's `bias_gradient_norm`, |dLoss/db_l|: of the mean over examples of delta_l.

    The store has only the root mean square of delta over examples. The norm of the mean, measured
    on the network drawn again, may be far smaller: with centered features linear outputs
    average 0.

    Args:
        rows: One network's settings, a row for each `layer`.
    """
    run = by_column(rows.iloc[0])
    phi = ACTIVATIONS[run["activation"]]
    net = Net(params_of(run), phi, run["loss"], task_of(run))
    _, gradients = backward(net, "slope")
    norms = [np.linalg.norm(gradient[:, -1]) for gradient in gradients]
    return rows.assign(bias_gradient_norm=[norms[layer - 1] for layer in rows["layer"]])


def every_gradient_is_large(rows: pd.DataFrame) -> Verdict:
    """C2: all weight gradients exceed the output error a thousandfold, the first signals are small.

    The output error dZ_L = A_L - Y, large because the outputs are, is a factor of every gradient.
    If the gradients are large only because of this factor, the claim holds for another reason.

    Args:
        rows: One network's `init_scale` (k), `layer`, `baseline_loss` (mse),
            `log10_mean_square_h`, `log10_mean_square_a`, `log10_delta_norm`,
            `log10_gradient_norm` and `bias_gradient_norm`.
    """
    layers = rows.sort_values("layer")
    error = layers["log10_delta_norm"].iloc[-1]
    per_error = layers["log10_gradient_norm"] - error
    log10_constant = np.log10(2 * layers["baseline_loss"].iloc[0]) / 2
    smallest = (layers["log10_gradient_norm"] - log10_constant).min()
    rms = 10 ** (layers["log10_mean_square_a"].iloc[:-1] / 2)
    outputs = 10 ** (layers["log10_mean_square_h"].iloc[-1] / 2)
    numbers = (
        number("smallest |dW| of a layer", 10**smallest, "errors of the best constant"),
        number("smallest |dW| over the output error", 10 ** per_error.min(), "output errors"),
        number("k^(L - 1)", layers["init_scale"].iloc[0] ** (len(layers) - 1)),
        number("largest |dW| over the smallest", 10 ** np.ptp(per_error)),
        number("output error |dZ_L|", 10 ** (error - log10_constant), "of the best constant's"),
        number("rms of the outputs A_L", outputs),
        number("rms activation, layer 1", rms.iloc[0]),
        number(f"rms activation, layer {len(rms)}", rms.iloc[-1]),
        number("|db| of layer 1", layers["bias_gradient_norm"].iloc[0]),
        number(f"|db| of layer {len(layers)}", layers["bias_gradient_norm"].iloc[-1]),
    )
    large = np.log10(LARGE_GRADIENT)
    if smallest < large:
        return Verdict(FAILS, numbers)
    as_claimed = per_error.min() >= large and rms.iloc[0] < MODERATE
    return Verdict(HOLDS if as_claimed else OTHER_REASON, numbers)


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
        values = np.linalg.svdvals(hidden_layer(by_column(run)))
        spreads.append(values.std() / np.sqrt(np.square(values).mean()))
    return runs.assign(singular_spread=spreads)


def identity_is_easy(rows: pd.DataFrame) -> Verdict:
    """C12: k I needs no draw, r = |h_(L-1)|^2 / |h_1|^2 is k^(2L - 4); does that hide anything?

    Two effects if it does: random weights of the same scale spread r, which k I does not.

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
