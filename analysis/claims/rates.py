"""Rules on gradients at the start and learning rates during training: claims C3 and C8.

Every rule takes the rows of its claim's query and returns a Verdict. A start's boundary
learning rate is measured: midway between the last rate that was stable and the first that
diverged. Its critical learning rate, 2 / lambda_max, is what the start's sharpness predicts.
"""

from collections.abc import Iterator

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
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.boundaries import boundary_learning_rates
from core.outcomes import DIVERGED

FALLEN = 10.0  # a boundary learning rate so many times lower is another one, and so is a gradient
SAME_GRADIENT = 0.01  # decades: float32's rounding, with room to spare


def with_boundary_rates(rows: pd.DataFrame, start: list[str]) -> pd.DataFrame:
    """One row per start, with the `boundary_learning_rate` that its runs show.

    Args:
        rows: The settings and `outcome`, at every learning rate.
        start: The settings that make a start.

    Returns:
        The first row of each start, and its bracket of boundary_learning_rates.
    """
    brackets = boundary_learning_rates(rows, start)
    return rows.drop_duplicates(start).merge(brackets, on=start).sort_values(start)


def bracketed(starts: pd.DataFrame) -> pd.DataFrame:
    """The starts, unchanged; an error if one has no boundary learning rate to compare.

    Raises:
        UnsuitableRunsError: The learning rates of a start do not reach to both sides of it.
    """
    missing = starts["boundary_learning_rate"].isna().sum()
    if missing:
        raise UnsuitableRunsError(
            f"{missing} of {len(starts)} starts are stable or diverge at every learning rate, so "
            "their boundary is unknown; widen the range of learning rates in the sweep"
        )
    return starts


def large_gradients_overshoot(rows: pd.DataFrame) -> Verdict:
    """C3: the boundary learning rate falls where gradients grow, the sharpness being the same.

    In one layer the init scale changes the gradient alone, in a deep net the sharpness too. If the
    rate falls only in the deep net, it follows the sharpness and not the gradient.

    Args:
        rows: `depth`, `init_scale`, `learning_rate`, `outcome`, `gradient_norm` at step 0
            and `critical_learning_rate`, of one layer and of a deep net.
    """
    starts = bracketed(with_boundary_rates(rows, ["depth", "init_scale"]))
    depths = sorted(starts["depth"].unique())
    gradients, falls, numbers = {}, {}, []
    for depth in depths:
        here = starts[starts["depth"] == depth].sort_values("gradient_norm")
        rate, gradient = here["boundary_learning_rate"], here["gradient_norm"]
        gradients[depth] = gradient.iloc[-1] / gradient.iloc[0]
        falls[depth] = rate.iloc[0] / rate.iloc[-1]
        numbers += [
            number(f"depth {depth}: gradient at step 0 grows", gradients[depth], "times"),
            number(f"depth {depth}: boundary learning rate falls", falls[depth], "times"),
        ]
    ratio = starts["boundary_learning_rate"] / starts["critical_learning_rate"]
    numbers += [
        number("boundary rate over 2 / lambda_max, smallest", ratio.min()),
        number("boundary rate over 2 / lambda_max, largest", ratio.max()),
    ]
    alone, deep = falls[depths[0]] > FALLEN, falls[depths[-1]] > FALLEN
    if not deep:
        return Verdict(FAILS, tuple(numbers))
    return Verdict(HOLDS if alone else OTHER_REASON, tuple(numbers))


def learning_rate_explodes_gradients(rows: pd.DataFrame) -> Verdict:
    """C8: gradients are large only where the learning rate is large, at the start or later.

    Before the first step gradients cannot depend on the rate. If some of them explode there all the
    same, and during training gradients grow only where it diverges, these are two effects.

    Args:
        rows: `depth`, `init_scale`, `learning_rate`, `outcome`, `init_phase`,
            `gradient_norm` at step 0, `peak_gradient_norm` of all logged steps, and
            `critical_learning_rate`.
    """
    start = ["depth", "init_scale"]
    by_start = rows.groupby(start)
    gradients = by_start["gradient_norm"].agg(["min", "max"])
    spread = np.log10(gradients["max"] / gradients["min"]).max()
    reach = np.log10(gradients["max"].max() / gradients["min"].min())
    exploding = by_start["init_phase"].first() == "exploding"
    lost = rows["outcome"].isin(DIVERGED)
    calm = exploding & ~lost.groupby([rows[name] for name in start]).all()
    growth = rows.assign(growth=rows["peak_gradient_norm"] / rows["gradient_norm"])
    kept_growth = growth[~lost].groupby(start)["growth"].max()
    lost_growth = growth[lost].groupby(start)["growth"].max()
    numbers = (
        number("gradient at step 0, across learning rates", spread, "decades"),
        number("gradient at step 0, across init scale and depth", reach, "decades"),
        number("exploding starts, some rate not diverging", calm.sum(), f"of {exploding.sum()}"),
        number("later, at rates that do not diverge: gradient grows", kept_growth.max(), "times"),
        number("later, where it diverges: grows, median start", lost_growth.median(), "times"),
        number("later, where it diverges: grows, least start", lost_growth.min(), "times"),
        *_rates_by_depth(with_boundary_rates(rows, start)),
    )
    if spread > SAME_GRADIENT:
        return Verdict(HOLDS, numbers)
    if not lost_growth.median() > FALLEN > kept_growth.median():
        return Verdict(FAILS, numbers)
    return Verdict(TWO_EFFECTS if exploding.any() else HOLDS, numbers)


def _rates_by_depth(starts: pd.DataFrame) -> Iterator[Number]:
    """How far the init scale moves the boundary learning rate: farther in deeper networks."""
    ratio = starts["boundary_learning_rate"] / starts["critical_learning_rate"]
    yield number("boundary rate over 2 / lambda_max, median", ratio.median())
    for depth, here in starts.groupby("depth"):
        first, last = here.iloc[0], here.iloc[-1]
        scales = f"{first['init_scale']:g} to {last['init_scale']:g}"
        fall = first["boundary_learning_rate"] / last["boundary_learning_rate"]
        yield number(f"boundary rate, init scale {scales}, depth {depth}: falls", fall, "times")
