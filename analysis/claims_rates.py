"""Rules on gradients at the start against learning rates on the way: claims C3, C8, C9 and C11.

Every rule takes the rows of its claim's query and returns a Verdict. A start's critical
learning rate is measured: midway between the last rate that was stable and the first that
diverged.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.boundaries import DIVERGED, critical_learning_rate_bracket
from analysis.tables import UnsuitableRunsError
from analysis.verdicts import FAILS, HOLDS, OTHER_REASON, TWO_EFFECTS, Number, Verdict, number

FALLEN = 10.0  # a critical learning rate that many times lower is another one
SAME_GRADIENT = 0.01  # decades: float32's rounding, with room to spare
SAME_GROWTH = 1.25  # a factor: chi of a net of width 32 is measured no better
BESIDE_WEIGHTS = ("learning_rate", "width", "depth", "features")


def with_critical_rates(rows: pd.DataFrame, start: list[str]) -> pd.DataFrame:
    """One row a start, with the `boundary_learning_rate` that its runs show.

    Args:
        rows: The settings and `outcome`, at every learning rate.
        start: The settings that make a start.

    Returns:
        The first row of each start, and its bracket of critical_learning_rate_bracket.
    """
    brackets = critical_learning_rate_bracket(rows, start)
    return rows.drop_duplicates(start).merge(brackets, on=start).sort_values(start)


def bracketed(starts: pd.DataFrame) -> pd.DataFrame:
    """The starts as they are, all with a critical learning rate: a rule compares them.

    Raises:
        UnsuitableRunsError: The learning rates of a start do not reach to both sides of it.
    """
    missing = starts["boundary_learning_rate"].isna().sum()
    if missing:
        raise UnsuitableRunsError(
            f"{missing} of {len(starts)} starts are stable or diverge at every learning rate, so "
            "their critical one is unknown; widen the range of learning rates in the sweep"
        )
    return starts


def large_gradients_overshoot(rows: pd.DataFrame) -> Verdict:
    """C3: the critical learning rate falls where gradients grow, the curvature being the same.

    In one layer the init scale moves the gradient alone, in a deep net the curvature too. If
    the rate falls in the deep net only, it is the curvature that it follows.

    Args:
        rows: `depth`, `init_scale`, `learning_rate`, `outcome`, `gradient_norm` at step 0
            and `critical_learning_rate`, of one layer and of a deep net.
    """
    starts = bracketed(with_critical_rates(rows, ["depth", "init_scale"]))
    depths = sorted(starts["depth"].unique())
    gradients, falls, numbers = {}, {}, []
    for depth in depths:
        here = starts[starts["depth"] == depth].sort_values("gradient_norm")
        rate, gradient = here["boundary_learning_rate"], here["gradient_norm"]
        gradients[depth] = gradient.iloc[-1] / gradient.iloc[0]
        falls[depth] = rate.iloc[0] / rate.iloc[-1]
        numbers += [
            number(f"depth {depth}: gradient at step 0 grows", gradients[depth], "times"),
            number(f"depth {depth}: critical learning rate falls", falls[depth], "times"),
        ]
    ratio = starts["boundary_learning_rate"] / starts["critical_learning_rate"]
    numbers += [
        number("critical rate over 2 / curvature, smallest", ratio.min()),
        number("critical rate over 2 / curvature, largest", ratio.max()),
    ]
    alone, deep = falls[depths[0]] > FALLEN, falls[depths[-1]] > FALLEN
    if not deep:
        return Verdict(FAILS, tuple(numbers))
    return Verdict(HOLDS if alone else OTHER_REASON, tuple(numbers))


def learning_rate_explodes_gradients(rows: pd.DataFrame) -> Verdict:
    """C8: the gradient before the first step is larger at larger learning rates.

    If it is not, it and divergence are two effects, provided that either comes without the
    other: exploding starts that some rate keeps from diverging, moderate ones that diverge.

    Args:
        rows: `depth`, `init_scale`, `learning_rate`, `outcome`, `init_phase`,
            `gradient_norm` at step 0 and `critical_learning_rate`.
    """
    by_start = rows.groupby(["depth", "init_scale"])
    gradients = by_start["gradient_norm"].agg(["min", "max"])
    spread = np.log10(gradients["max"] / gradients["min"]).max()
    reach = np.log10(gradients["max"].max() / gradients["min"].min())
    exploding = by_start["init_phase"].first() == "exploding"
    diverged = rows.assign(diverged=rows["outcome"].isin(DIVERGED)).groupby(
        ["depth", "init_scale"]
    )["diverged"]
    calm = (exploding & ~diverged.all()).sum()
    lost = (~exploding & diverged.any()).sum()
    numbers = (
        number("gradient at step 0, across learning rates", spread, "decades"),
        number("gradient at step 0, across init scale and depth", reach, "decades"),
        number("exploding starts, some rate not diverging", calm, f"of {exploding.sum()}"),
        number("other starts, some rate diverging", lost, f"of {(~exploding).sum()}"),
        *_rates_by_depth(with_critical_rates(rows, ["depth", "init_scale"])),
    )
    if spread > SAME_GRADIENT:
        return Verdict(HOLDS, numbers)
    return Verdict(TWO_EFFECTS if calm and lost else FAILS, numbers)


def _rates_by_depth(starts: pd.DataFrame) -> Iterator[Number]:
    """How the init scale moves the critical learning rate, the more the deeper."""
    ratio = starts["boundary_learning_rate"] / starts["critical_learning_rate"]
    yield number("critical rate over 2 / curvature, median", ratio.median())
    for depth, here in starts.groupby("depth"):
        first, last = here.iloc[0], here.iloc[-1]
        scales = f"{first['init_scale']:g} to {last['init_scale']:g}"
        fall = first["boundary_learning_rate"] / last["boundary_learning_rate"]
        yield number(f"critical rate, init scale {scales}, depth {depth}: falls", fall, "times")


def unscaled_features_hurt(rows: pd.DataFrame) -> Verdict:
    """C9: without standardized features gradients grow more per layer, and less rate is stable.

    If only the learning rate suffers, the claim holds for another reason.

    Args:
        rows: `features`, `activation`, `init_scale`, `learning_rate`, `outcome`,
            `chi_measured`, `log10_gradient_per_error`, and `saturated_fraction` of the first
            layer's units.
    """
    nets = ["activation", "init_scale"]
    starts = bracketed(with_critical_rates(rows, [*nets, "features"]))
    columns = ["boundary_learning_rate", "chi_measured", "log10_gradient_per_error"]
    table = starts.set_index([*nets, "features"])[columns].unstack()
    rate, chi, per_error = (table[column] for column in columns)
    fall, centered = rate["standardized"] / rate["raw"], rate["standardized"] / rate["centered"]
    growth = chi["raw"] / chi["standardized"]
    first = 10 ** (per_error["raw"] - per_error["standardized"])
    numbers = (
        number("raw: critical learning rate falls, median", fall.median(), "times"),
        *_each("raw: falls", fall.groupby("activation").median(), "times"),
        number("centered: falls, median", centered.median(), "times"),
        number("raw: gradient growth per layer, least", growth.min(), "times standardized"),
        number("raw: gradient growth per layer, most", growth.max(), "times standardized"),
        number("raw: first |dW| over output error, median", first.median(), "times standardized"),
        *_each(
            "saturated in layer 1 (tanh)", starts.groupby("features")["saturated_fraction"].mean()
        ),
        *_each("runs that trained", rows["outcome"].eq("trained").groupby(rows["features"]).sum()),
    )
    slower, grows = fall.median() > FALLEN, growth.median() > SAME_GROWTH
    if not slower:
        return Verdict(HOLDS if grows else FAILS, numbers)
    return Verdict(TWO_EFFECTS if grows else OTHER_REASON, numbers)


def _each(meaning: str, values: pd.Series, unit: str = "1") -> Iterator[Number]:
    for name, value in values.items():
        yield number(f"{meaning}, {name}", value, unit)


def same_phase_ends_differently(rows: pd.DataFrame) -> Verdict:
    """C11: starts of one init scale in one phase end differently, by something else alone.

    Args:
        rows: Of one init scale and phase: BESIDE_WEIGHTS and `outcome`.
    """
    numbers, sources = [], 0
    for name in BESIDE_WEIGHTS:
        others = [other for other in BESIDE_WEIGHTS if other != name]
        outcomes = rows.groupby(others)["outcome"].agg(["nunique", "size"])
        compared = outcomes[outcomes["size"] > 1]
        differ = int((compared["nunique"] > 1).sum())
        sources += differ > 0
        told = name.replace("_", " ")
        numbers.append(number(f"outcome changes with {told}", differ, f"of {len(compared)} groups"))
    return Verdict(HOLDS if sources else FAILS, tuple(numbers))
