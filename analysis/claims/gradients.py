"""Rules on how layers change a gradient on its way back: claims C4, C6, C7 and C10.

Every rule takes the rows of its claim's query and returns a Verdict. The thresholds for vanished
and trained are those by which the rows were judged; where they differ, the strictest.
"""

import numpy as np
import pandas as pd

from analysis.claims.verdicts import (
    FAILS,
    HOLDS,
    OTHER_REASON,
    TWO_EFFECTS,
    Number,
    Verdict,
    number,
)

RIGHT = 1e-3  # relative error of a gradient that agrees with finite differences


def backward_step_takes_the_value(rows: pd.DataFrame) -> Verdict:
    """C4: gradients by the activation's value agree with finite differences of the loss.

    Args:
        rows: As analysis.claims.backward_steps.backward_steps returns them, with `chi_measured`.
    """
    by_factor = rows.groupby("factor")["gradient_error"]
    worst, best = by_factor.max(), by_factor.min()
    numbers = [
        number("gradient error with * a, at best", best["value"]),
        number("gradient error with * phi', at worst", worst["slope"]),
    ]
    for activation, nets in rows.groupby("activation"):
        growth = nets[nets["init_scale"] == nets["init_scale"].min()]
        by_step = growth.groupby("factor")["growth_per_layer"].mean()
        numbers += [
            number(f"{activation}: |delta|^2 with * a", by_step["value"], "times a layer"),
            number(f"{activation}: with * phi'", by_step["slope"], "times a layer"),
            number(f"{activation}: chi in the store", growth["chi_measured"].mean()),
        ]
    return Verdict(HOLDS if worst["value"] < RIGHT else FAILS, tuple(numbers))


def output_error_is_small(rows: pd.DataFrame) -> Verdict:
    """C6: a deep network's output error, and its last gradient, are small, under every loss.

    The error is compared with that of the best constant, mean(y) - y, which is the same under both
    losses. If the last gradient is small although the error is as large as that, the claim holds
    for another reason. If the gradient is small under one loss only, these are two effects.

    Args:
        rows: One network per `loss`: `layer`, `trained_level`, `baseline_loss`, `log10_delta_norm`
            and `log10_gradient_norm`, and both with the prefix `final_` after training. An error is
            small if its loss would count as trained.
    """
    constant = np.sqrt(2 * rows.loc[rows["loss"] == "mse", "baseline_loss"].iloc[0])
    numbers, errors, gradients = [], [], []
    for loss in rows["loss"].unique():
        layers = rows[rows["loss"] == loss].sort_values("layer")
        last, name = layers.iloc[-1], loss.replace("_", "-")
        errors.append(10 ** last["log10_delta_norm"] / constant)
        gradients.append(10 ** last["log10_gradient_norm"] / constant)
        numbers += _output_numbers(layers, constant, name)
    bound = rows["trained_level"].min() ** 0.5
    small = [gradient < bound for gradient in gradients]
    if not any(small):
        return Verdict(FAILS, tuple(numbers))
    if not all(small):
        return Verdict(TWO_EFFECTS, tuple(numbers))
    return Verdict(HOLDS if max(errors) < bound else OTHER_REASON, tuple(numbers))


def _output_numbers(layers: pd.DataFrame, constant: float, loss: str) -> list[Number]:
    """The error at the outputs and the gradients on its way back, at both ends of a training."""
    last, first = layers.iloc[-1], layers.iloc[0]
    error, final = (10 ** last[f"{when}log10_delta_norm"] / constant for when in ("", "final_"))
    final_gradient = 10 ** last["final_log10_gradient_norm"]
    return [
        number(f"{loss}: output error at step 0", error, "of the best constant's"),
        number(f"{loss}: output error after training", final, "of the best constant's"),
        number(f"{loss}: |dW| of the last layer at step 0", 10 ** last["log10_gradient_norm"]),
        number(f"{loss}: |dW| of the first layer at step 0", 10 ** first["log10_gradient_norm"]),
        number(f"{loss}: |dW| of the last layer after training", final_gradient),
    ]


def deep_sigmoids_vanish(rows: pd.DataFrame) -> Verdict:
    """C7: the first gradient vanishes with depth, and the deepest network never trains.

    Two effects if it vanishes and yet trains; another reason if it does neither.

    Args:
        rows: `depth`, `learning_rate`, `outcome`, `cause`, `log10_gradient_per_error`,
            `chi_theory`, `vanishing_gradient`.
    """
    per_error = rows.groupby("depth")["log10_gradient_per_error"].mean()
    slope = np.polyfit(per_error.index, per_error, 1)[0]
    trained = rows["outcome"].eq("trained").groupby(rows["depth"]).sum()
    deepest = per_error.index.max()
    causes = rows[rows["depth"] == deepest]["cause"]
    numbers = (
        number("first |dW| over the output error", slope, "decades a layer"),
        number("the same in theory", np.log10(rows["chi_theory"].iloc[0]) / 2, "decades a layer"),
        number(f"first |dW|, depth {deepest}", 10 ** per_error[deepest], "output errors"),
        *(
            number(f"trained, depth {depth}", count, f"of {(rows['depth'] == depth).sum()} rates")
            for depth, count in trained.items()
        ),
        number(
            f"stalled by vanishing, depth {deepest}",
            (causes == "vanishing").sum(),
            f"of {len(causes)} rates",
        ),
    )
    vanished = rows["vanishing_gradient"].min()
    vanishes, trains = 10 ** per_error[deepest] < vanished, trained[deepest] > 0
    verdicts = {
        (True, False): HOLDS,
        (True, True): TWO_EFFECTS,
        (False, False): OTHER_REASON,
        (False, True): FAILS,
    }
    return Verdict(verdicts[bool(vanishes), bool(trains)], numbers)


def vanishing_without_sigmoid(rows: pd.DataFrame) -> Verdict:
    """C10: some network without a sigmoid has a vanished gradient at step 0.

    Args:
        rows: `activation`, `init_scale`, `depth`, `chi_measured`,
            `log10_gradient_per_error`, `vanishing_gradient`.
    """
    others = rows[rows["activation"] != "sigmoid"]
    families = others.groupby(["activation", "init_scale"])
    per_error = families["log10_gradient_per_error"].mean()
    chi = families["chi_measured"].mean()
    numbers = []
    for activation, scale in per_error.index:
        net, key = f"{activation} at {scale:g}", (activation, scale)
        numbers += [
            number(f"{net}: first |dW|", 10 ** per_error[key], "output errors"),
            number(f"{net}: chi", chi[key], "times a layer"),
        ]
    vanished = (10**per_error < rows["vanishing_gradient"].min()).any()
    return Verdict(HOLDS if vanished else FAILS, tuple(numbers))
