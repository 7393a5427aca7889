"""Rules on what moves gradients besides the scale of the initial weights: claims C9 and C11.

Every rule takes the rows of its claim's query and returns a Verdict.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from analysis.claims.rates import FALLEN, bracketed, with_boundary_rates
from analysis.claims.verdicts import (
    FAILS,
    HOLDS,
    OTHER_REASON,
    TWO_EFFECTS,
    Number,
    Verdict,
    number,
)

SAME_GROWTH = 1.25  # a factor: chi of a net of width 32 is measured no better
MOVED = 1.0  # decades: how far a source must move a gradient
MOST_GROUPS = 0.5  # a source moves gradients if it does so in at least that share of the groups

# Possible sources, the initial weights' scale being fixed, and the gradient that each may move.
BEFORE, LATER = "log10_gradient_per_error", "log10_peak_growth"
SOURCES = {"width": BEFORE, "depth": BEFORE, "features": BEFORE, "learning_rate": LATER}
IN_WORDS = {BEFORE: "first |dW| at step 0", LATER: "growth during training"}


def unscaled_features_hurt(rows: pd.DataFrame) -> Verdict:
    """C9: without standardized features gradients grow more from layer to layer.

    Three things are measured separately: growth per layer; the first layer's gradient, which is
    multiplied by the inputs' size; and the boundary learning rate. The claim holds if only growth
    gets worse, and holds for another reason if only one of the others does. If two or all get
    worse, these are two effects.

    Args:
        rows: `features`, `activation`, `init_scale`, `learning_rate`, `outcome`,
            `chi_measured`, `log10_gradient_per_error`, and of the first layer
            `log10_gradient_norm`, `log10_delta_norm` and `saturated_fraction`.
    """
    nets = ["activation", "init_scale"]
    starts = bracketed(with_boundary_rates(rows, [*nets, "features"]))
    starts["log10_input_norm"] = starts["log10_gradient_norm"] - starts["log10_delta_norm"]
    columns = ["boundary_learning_rate", "chi_measured", BEFORE, "log10_input_norm"]
    table = starts.set_index([*nets, "features"])[columns].unstack()
    rate, chi, per_error, size = (table[column] for column in columns)
    fall, centered = rate["standardized"] / rate["raw"], rate["standardized"] / rate["centered"]
    growth = chi["raw"] / chi["standardized"]
    first = 10 ** (per_error["raw"] - per_error["standardized"])
    inputs = 10 ** (size["raw"] - size["standardized"])
    numbers = (
        number("raw: gradient growth per layer, least", growth.min(), "times standardized"),
        number("raw: gradient growth per layer, most", growth.max(), "times standardized"),
        number("raw: first |dW| over output error, median", first.median(), "times standardized"),
        number("raw: of it by the inputs' size, median", inputs.median(), "times standardized"),
        *_each("raw: first |dW| over output error", first.groupby("activation").median(), "times"),
        number("raw: boundary learning rate falls, median", fall.median(), "times"),
        *_each("raw: falls", fall.groupby("activation").median(), "times"),
        number("centered: falls, median", centered.median(), "times"),
        *_each(
            "saturated in layer 1 (tanh)", starts.groupby("features")["saturated_fraction"].mean()
        ),
        *_each("runs that trained", rows["outcome"].eq("trained").groupby(rows["features"]).sum()),
    )
    grows = bool(growth.median() > SAME_GROWTH)
    worse = (grows, bool(first.median() > FALLEN), bool(fall.median() > FALLEN))
    if sum(worse) > 1:
        return Verdict(TWO_EFFECTS, numbers)
    if grows:
        return Verdict(HOLDS, numbers)
    return Verdict(OTHER_REASON if any(worse) else FAILS, numbers)


def _each(meaning: str, values: pd.Series, unit: str = "1") -> Iterator[Number]:
    for name, value in values.items():
        yield number(f"{meaning}, {name}", value, unit)


def gradients_have_other_sources(rows: pd.DataFrame) -> Verdict:
    """C11: with a fixed scale of the initial weights, something else moves gradients tenfold.

    For width, depth and features, the gradient is the first layer's at step 0 over the output
    error; for learning rates it is the growth of the gradient during training. Outcomes are
    reported but decide nothing.

    Args:
        rows: `init_scale`, SOURCES, `outcome`, `log10_gradient_per_error` at step 0, and
            `log10_peak_growth`: the largest logged gradient norm over that at step 0.
    """
    numbers, sources = [], 0
    for name, gradient in SOURCES.items():
        others = ["init_scale", *(other for other in SOURCES if other != name)]
        # A start is the same at every learning rate.
        fixed = [each for each in others if gradient == LATER or each != "learning_rate"]
        moves = _compared(rows, fixed, name)[gradient].agg(np.ptp)
        ends = _compared(rows, others, name)["outcome"].nunique()
        sources += (moves >= MOVED).mean() >= MOST_GROUPS
        source = name.replace("_", " ")
        numbers += [
            number(
                f"{source}: {IN_WORDS[gradient]} moves tenfold", (moves >= MOVED).sum(), _of(moves)
            ),
            number(f"{source}: it moves, median", moves.median(), "decades"),
            number(f"{source}: outcome changes", (ends > 1).sum(), _of(ends)),
        ]
    return Verdict(HOLDS if sources else FAILS, tuple(numbers))


def _compared(rows: pd.DataFrame, fixed: list[str], source: str) -> DataFrameGroupBy:
    """Groups of rows that share the fixed settings and have several values of a source."""
    several = rows.groupby(fixed)[source].transform("nunique") > 1
    return rows[several].groupby(fixed)


def _of(groups: pd.Series) -> str:
    return f"of {len(groups)} groups"
