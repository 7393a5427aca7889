"""Learning rates in units of the sharpness: the catapult and the edge of stability."""

from collections.abc import Sequence

import pandas as pd

from analysis.reading.stores import groups
from core.optimization.optimizers import OPTIMIZERS, edges
from core.optimization.rate_units import used_rates
from core.optimization.schedules import SCHEDULES
from core.outcomes import DIVERGED
from core.trials import DEFAULTS, TRIAL_FIELDS

STARTS = ("activation", "depth", "init_scale", "seed")
EDGES = (*STARTS, "learning_rate")
RATES = ("optimizer", "learning_rate")
LATE = 0.5  # share of the steps after which a run is taken to have reached its edge


def largest_stable_rates(runs: pd.DataFrame, by: Sequence[str] | None = None) -> pd.DataFrame:
    """The largest stable learning rates as c = eta x lambda_max, which may exceed 2.

    lambda_max is that of step 0. A quadratic loss diverges at c = 2, two linear layers at
    c = 4 (Lewkowycz et al. 2020, arXiv:2003.02218).

    Args:
        runs: The settings, `learning_rate_used`, `outcome`, `peak_loss`, `initial_loss` and
            `sharpness`.
        by: The settings that make a row; by default STARTS and whatever else varies.

    Returns:
        A row for each group: `sharpness`; the smallest c at which the loss rose above its start
        on the way, `c_catapult`; the largest c below all that diverged, `c_stable`; the smallest
        that diverged, `c_diverged`. NaN where the sweep held no such c.
    """
    keys = groups(runs, STARTS, {"learning_rate"}) if by is None else list(by)
    measured = runs.dropna(subset=["sharpness"])
    c = used_rates(measured) * measured["sharpness"]
    diverged = measured["outcome"].isin(DIVERGED)
    rose = ~diverged & (measured["peak_loss"] > 1.001 * measured["initial_loss"])
    table = measured.assign(c_catapult=c.where(rose), c_diverged=c.where(diverged), c=c)
    by_start = table.groupby(keys)
    ends = by_start[["c_catapult", "c_diverged"]].min()
    first = table.merge(ends["c_diverged"].rename("first").reset_index(), on=keys)
    below = first["c"].where(~(first["c"] >= first["first"]))
    ends["c_stable"] = below.groupby([first[key] for key in keys]).max()
    ends.insert(0, "sharpness", by_start["sharpness"].first())
    return ends[["sharpness", "c_catapult", "c_stable", "c_diverged"]].reset_index()


def sharpness_over_time(curves: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The sharpness at each logged step in units of 2 / eta, where it was measured.

    Args:
        curves: `trial_id`, `step`, `loss` and `sharpness`.
        runs: `trial_id`, the settings and `learning_rate_used`.

    Returns:
        `curves` where the sharpness is known, with the settings and `sharpness_ratio` =
        sharpness x eta / 2: it hovers at 1 at the edge of stability (Cohen et al. 2021,
        arXiv:2103.00065).
    """
    settings = [n for n in TRIAL_FIELDS if n in runs and n not in curves]
    known = curves.dropna(subset=["sharpness"])
    rates = runs.assign(eta=used_rates(runs))[["trial_id", *settings, "eta"]]
    table = known.merge(rates, on="trial_id")
    table["sharpness_ratio"] = table["sharpness"] * table.pop("eta") / 2
    return table


def edge_of_stability(
    curves: pd.DataFrame, runs: pd.DataFrame, by: Sequence[str] | None = None
) -> pd.DataFrame:
    """The sharpness at the end of each run, in units of 2 / eta.

    Args:
        curves, runs: As for sharpness_over_time.
        by: The settings that make a row; by default EDGES and whatever else varies.

    Returns:
        A row for each group: the `initial_ratio`, the `largest_ratio` after it, and the
        `late_ratio`, the median over the logged steps in the second half.
    """
    keys = groups(runs, EDGES) if by is None else list(by)
    over_time = sharpness_over_time(curves, runs)
    ratio = over_time["sharpness_ratio"]
    late = over_time["step"] >= LATE * over_time["steps"]
    parts = over_time.assign(
        initial_ratio=ratio.where(over_time["step"] == 0),
        largest_ratio=ratio.where(over_time["step"] > 0),
        late_ratio=ratio.where(late),
    ).groupby(keys)
    return parts.agg(
        initial_ratio=("initial_ratio", "first"),
        largest_ratio=("largest_ratio", "max"),
        late_ratio=("late_ratio", "median"),
    ).reset_index()


def sharpness_at_end(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that did not diverge, with their last steps' stability.

    Args:
        runs: The settings, `learning_rate_used`, `outcome`, `steps_run` and
            `final_preconditioned_sharpness`.

    Returns:
        Those of `runs` that have a positive sharpness at the end, and ended at the rate that was
        asked for. Beside their columns are `eta`, that rate; `edge`, the sharpness above which
        their optimizer diverges on a quadratic; and `edge_ratio`, their sharpness over it. A weight
        decay is a curvature of its own, which the edge leaves less room beside. The edge is NaN
        where none is known: with clipped gradients, with adam and a weight decay, whose
        preconditioned curvature was not measured, and where the decay alone is beyond it.
    """
    known = (runs["final_preconditioned_sharpness"] > 0) & ~runs["outcome"].isin(DIVERGED)
    table = runs[known & _at_full_rate(runs)]
    eta = used_rates(table)
    edge = edges(table["optimizer"], table["momentum"]) / eta - _of(table, "weight_decay")
    edge = edge.where((edge > 0) & ~_without_edge(table))
    ratio = table["final_preconditioned_sharpness"] / edge
    return table.assign(eta=eta, edge=edge, edge_ratio=ratio)


def _without_edge(runs: pd.DataFrame) -> pd.Series:
    """Which runs' optimizers have no known edge, by clipping or by what decays."""
    adaptive = [each.name for each in OPTIMIZERS.values() if each.adaptive]
    decays = runs["optimizer"].isin(adaptive) & (_of(runs, "weight_decay") > 0)
    return decays | (_of(runs, "clip_norm") > 0)


def _of(runs: pd.DataFrame, name: str) -> pd.Series:
    """A setting's column; of rows from before it, what they stand for."""
    return runs.get(name, pd.Series(DEFAULTS[name], index=runs.index))


def _at_full_rate(runs: pd.DataFrame) -> pd.Series:
    """Which runs' last steps were at the rate that was asked for: risen, and not fallen again."""
    falling = [each.name for each in SCHEDULES.values() if each.falls]
    rising = [each.name for each in SCHEDULES.values() if "warmup_steps" in each.settings]
    risen = ~runs["schedule"].isin(rising) | (runs["steps_run"] >= runs["warmup_steps"])
    return risen & ~runs["schedule"].isin(falling)


def optimizer_edges(runs: pd.DataFrame, by: Sequence[str] | None = None) -> pd.DataFrame:
    """The preconditioned sharpness at the end beside each optimizer's stability bound.

    Args:
        runs: As for sharpness_at_end.
        by: The settings that make a row; by default RATES and whatever else varies.

    Returns:
        A row for each group: the means of `final_preconditioned_sharpness`, `edge` and
        `edge_ratio`.
    """
    keys = groups(runs, RATES) if by is None else list(by)
    columns = ["final_preconditioned_sharpness", "edge", "edge_ratio"]
    return sharpness_at_end(runs).groupby(keys)[columns].mean().reset_index()
