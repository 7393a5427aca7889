"""Rules on what layers make of a gradient on its way back: claims C4, C6, C7 and C10.

Every rule takes the rows of its claim's query and returns a Verdict.
"""

import numpy as np
import pandas as pd

from analysis.verdicts import FAILS, HOLDS, OTHER_REASON, TWO_EFFECTS, Verdict, number
from core.outcomes import THRESHOLDS
from core.trials import DEFAULTS

RIGHT = 1e-3  # relative error of a gradient that agrees with finite differences
SMALL = (
    DEFAULTS["trained_level"] ** 0.5
)  # x the best constant's error: such a loss counts as trained
VANISHED = THRESHOLDS.vanishing_gradient  # x the output error


def backward_step_takes_the_value(rows: pd.DataFrame) -> Verdict:
    """C4: gradients by the activation's value agree with finite differences of the loss.

    Args:
        rows: As analysis.backward_steps.backward_steps returns them, with `chi_measured`.
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
    """C6: a deep network's output error, and its last gradient, are small beside the first's.

    The error is held against that of the best constant. Where it is as large and the last
    layer's gradient small all the same, that has another reason.

    Args:
        rows: One network's `layer`, `baseline_loss` (mse), `log10_delta_norm` and
            `log10_gradient_norm`, and both again with `final_`, after training.
    """
    layers = rows.sort_values("layer")
    last, first = layers.iloc[-1], layers.iloc[0]
    constant = np.sqrt(2 * last["baseline_loss"])
    error = 10 ** last["log10_delta_norm"] / constant
    final_error = 10 ** last["final_log10_delta_norm"] / constant
    gradient = 10 ** last["log10_gradient_norm"]
    numbers = (
        number("output error at step 0", error, "of the best constant's"),
        number("output error after training", final_error, "of the best constant's"),
        number("|dW| of the last layer at step 0", gradient),
        number("|dW| of the first layer at step 0", 10 ** first["log10_gradient_norm"]),
        number("|dW| of the last layer after training", 10 ** last["final_log10_gradient_norm"]),
    )
    if gradient >= SMALL * constant:
        return Verdict(FAILS, numbers)
    return Verdict(HOLDS if error < SMALL else OTHER_REASON, numbers)


def deep_sigmoids_vanish(rows: pd.DataFrame) -> Verdict:
    """C7: the first gradient vanishes with depth, and the deepest network never trains.

    Two effects if it vanishes and yet trains; another reason if it does neither.

    Args:
        rows: `depth`, `learning_rate`, `outcome`, `cause`, `log10_gradient_per_error`,
            `chi_theory`.
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
    vanishes, trains = 10 ** per_error[deepest] < VANISHED, trained[deepest] > 0
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
            `log10_gradient_per_error`.
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
    vanished = (10**per_error < VANISHED).any()
    return Verdict(HOLDS if vanished else FAILS, tuple(numbers))
