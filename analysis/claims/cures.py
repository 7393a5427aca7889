"""Rules on what people change in a deep network that does not train: claims C13 to C17.

Every rule takes the rows of its claim's query and returns a Verdict. All are networks of one depth
and width over the same init scales and learning rates; the plain ones are tanh networks under
gradient descent. A share of runs is larger than another if their 95% intervals do not overlap.
"""

import pandas as pd

from analysis.claims.rates import SAME_GRADIENT
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
from analysis.tables.shares import share_interval
from core.outcomes import DIVERGED

FLOWS = "log10_gradient_per_error"
LARGER = 1.5  # a rate so many times another is larger; neighbors in the sweep differ by more


def relu_cures_vanishing(rows: pd.DataFrame) -> Verdict:
    """C13: at what init scales ReLU keeps gradients that sigmoid and tanh lose, or loses them too.

    It holds if ReLU loses them at no init scale, and fails if it loses them wherever both others
    do. Where it does the one at some init scales and the other elsewhere, the activation and the
    scale of the weights are two effects.

    Args:
        rows: `activation` (relu, sigmoid, tanh), `init_scale`, `init_phase` and
            `log10_gradient_per_error`.
    """
    nets = rows.drop_duplicates(["activation", "init_scale"])
    lost = nets.assign(lost=nets["init_phase"] == "vanishing").pivot(
        index="init_scale", columns="activation", values="lost"
    )
    flows = nets.pivot(index="init_scale", columns="activation", values=FLOWS)
    either = lost["sigmoid"] | lost["tanh"]
    kept, also = either & ~lost["relu"], lost["relu"]
    numbers = [
        number(f"{name}: init scales at which gradients vanish", lost[name].sum(), _of(lost))
        for name in ("sigmoid", "tanh", "relu")
    ]
    numbers += [
        number(
            f"{name}: first |dW| over the output error at init scale {scale:g}",
            flows.loc[scale, name],
            "decades",
        )
        for scale in (flows.index[0], flows.index[len(flows) // 2])
        for name in ("sigmoid", "tanh", "relu")
    ]
    if not also.any():
        return Verdict(HOLDS, tuple(numbers))
    return Verdict(TWO_EFFECTS if kept.any() else FAILS, tuple(numbers))


def gradients_flow_through_residuals(rows: pd.DataFrame) -> Verdict:
    """C14: do plain networks train as often once their gradients flow as well?

    Gradients of a plain network flow at the init scales where its first layer's gradient lies in
    the range of the residual networks'. It fails if residual networks train no more often than
    plain ones. If they do, it holds if the plain networks whose gradients flow train as often, and
    holds for another reason if these train less often too.

    Args:
        rows: `residual`, `init_scale`, `outcome` and `log10_gradient_per_error`.

    Raises:
        UnsuitableRunsError: No plain network's gradients flow.
    """
    skips = rows["residual"] != "none"
    reach = rows.loc[skips, FLOWS].agg(["min", "max"])
    flowing = rows.loc[~skips & rows[FLOWS].between(*reach), "init_scale"].unique()
    alike = rows["init_scale"].isin(flowing)
    if not len(flowing):
        raise UnsuitableRunsError(
            "no plain network's first gradient lies in the range of the residual networks'; add "
            "init scales near the one where chi = 1 to the sweep"
        )
    shares = {
        "residual": _Share(rows[skips]),
        "plain": _Share(rows[~skips]),
        "residual, at those init scales": _Share(rows[skips & alike]),
        "plain, at those init scales": _Share(rows[~skips & alike]),
    }
    numbers = (
        number("residual: first |dW|, least", reach["min"], "decades"),
        number("residual: first |dW|, most", reach["max"], "decades"),
        number("init scales at which plain gradients flow as well", len(flowing), _of_scales(rows)),
        *(share.trained(name) for name, share in shares.items()),
    )
    residual, plain, residual_there, plain_there = shares.values()
    if not residual.exceeds(plain):
        return Verdict(FAILS, numbers)
    return Verdict(OTHER_REASON if residual_there.exceeds(plain_there) else HOLDS, numbers)


def adam_makes_init_irrelevant(rows: pd.DataFrame) -> Verdict:
    """C15: at how many init scales some learning rate trains, under Adam and gradient descent.

    It holds if Adam trains at all of them, and fails if it does not.

    Args:
        rows: `optimizer` (gd, adam), `init_scale`, `learning_rate`, `outcome`.
    """
    trains = _trains_at(rows, "optimizer")
    phases = rows.drop_duplicates("init_scale").set_index("init_scale")["init_phase"]
    adam = trains["adam"]
    numbers = [
        number(f"{name}: init scales at which some rate trains", trains[name].sum(), _of(trains))
        for name in ("gd", "adam")
    ]
    numbers += [
        number(f"adam: of them, {phase} starts", adam[phases == phase].sum(), _of(every))
        for phase, every in adam.groupby(phases)
    ]
    return Verdict(HOLDS if adam.all() else FAILS, tuple(numbers))


def batch_norm_allows_larger_rates(rows: pd.DataFrame) -> Verdict:
    """C16: the largest rate that trained with batch normalization over that without it.

    Each of the two rates is the largest over all init scales. A network with batch normalization
    computes the same if its weights are twice as large, and a step of size eta then turns them a
    quarter as far. So the rates over the init scale squared are compared too. If only the rates
    themselves are larger, the claim holds for another reason, the larger weights; if neither are,
    it fails.

    Args:
        rows: `normalization` (none, batch), `init_scale`, `learning_rate`, `outcome`.

    Raises:
        UnsuitableRunsError: One of the two trains nowhere.
    """
    trained = rows[rows["outcome"] == "trained"]
    kind = trained["normalization"]
    if set(kind) != {"none", "batch"}:
        raise UnsuitableRunsError(
            "networks with batch normalization or those without it train at no learning rate; "
            "widen the sweep's learning rates"
        )
    rate = trained["learning_rate"]
    largest = rate.groupby(kind).max()
    turned = (rate / trained["init_scale"] ** 2).groupby(kind).max()
    ratio, turned_ratio = largest["batch"] / largest["none"], turned["batch"] / turned["none"]
    numbers = (
        number("largest rate, batch norm over none", ratio, "times"),
        number("largest rate / init scale^2, batch norm over none", turned_ratio, "times"),
        number("largest rate, none", largest["none"]),
        number("largest rate, batch norm", largest["batch"]),
        *(
            number(f"{name}: init scales at which some rate trains", scales.sum(), _of(scales))
            for name, scales in _trains_at(rows, "normalization").items()
        ),
    )
    if not ratio > LARGER:
        return Verdict(FAILS, numbers)
    return Verdict(HOLDS if turned_ratio > LARGER else OTHER_REASON, numbers)


def clipping_cures_explosion(rows: pd.DataFrame) -> Verdict:
    """C17: do exploding starts have smaller gradients with clipping, and do more of them train?

    It fails if no more of them train. If more do, it holds if the gradients at the start are
    smaller too, and holds for another reason if they are the same: only the steps are shorter.

    Args:
        rows: `clip_norm` (0 is none), `init_scale`, `learning_rate`, `outcome`, `init_phase` and
            `log10_start_norm`, of the gradient at step 0.

    Raises:
        UnsuitableRunsError: No start explodes.
    """
    steep = rows[rows["init_phase"] == "exploding"]
    if steep.empty:
        raise UnsuitableRunsError("no start explodes; add larger init scales to the sweep")
    clipped = steep["clip_norm"] > 0
    norms = steep.groupby(["init_scale", clipped])["log10_start_norm"].mean().unstack()
    smaller = norms[False] - norms[True]
    plain, short = _Share(steep[~clipped]), _Share(steep[clipped])
    numbers = (
        number("exploding: gradient at step 0, least", norms[False].min(), "decades"),
        number("exploding: clipping makes it smaller, most", smaller.max(), "decades"),
        plain.trained("exploding, not clipped"),
        short.trained("exploding, clipped"),
        plain.diverged("exploding, not clipped"),
        short.diverged("exploding, clipped"),
    )
    if not short.exceeds(plain):
        return Verdict(FAILS, numbers)
    return Verdict(HOLDS if smaller.min() > SAME_GRADIENT else OTHER_REASON, numbers)


class _Share:
    """What share of some runs trained."""

    def __init__(self, runs: pd.DataFrame):
        self._runs = len(runs)
        self._trained = int((runs["outcome"] == "trained").sum())
        self._diverged = int(runs["outcome"].isin(DIVERGED).sum())
        self._low, self._high = share_interval(self._trained, self._runs)

    def exceeds(self, other: "_Share") -> bool:
        """Whether its interval lies above the other's."""
        return bool(self._low > other._high)

    def trained(self, name: str) -> Number:
        return number(f"{name}: runs that trained", self._trained, f"of {self._runs}")

    def diverged(self, name: str) -> Number:
        return number(f"{name}: runs that diverged", self._diverged, f"of {self._runs}")


def _trains_at(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Whether some run trains, by init scale and another setting."""
    return (rows["outcome"] == "trained").groupby([rows["init_scale"], rows[by]]).any().unstack()


def _of(scales: pd.DataFrame | pd.Series) -> str:
    return f"of {len(scales)}"


def _of_scales(rows: pd.DataFrame) -> str:
    return f"of {rows['init_scale'].nunique()}"
