"""What the runs nearest to a network say about its learning rate, and how near they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.advising.nearby_runs import having, nearest, ratio, theory_factor
from analysis.advising.trained_rates import START, TrainedRate, most_reliable
from analysis.reading.stores import factors
from analysis.tables.boundaries import LOSSES, blew_up
from analysis.tables.judgments import read_judged
from analysis.theory.plain_networks import plain
from core.hidden_widths import EQUAL
from core.optimization.rate_units import ABSOLUTE
from core.trials import TRIAL_FIELDS

# The size asked for may be up to so many times the size found, or the other way round.
FARTHEST = 1.5
SAME_SCALE = 0.03  # an init scale of the grid this near to theory's counts as theory's
MEASURED = ("outcome", "cause", "tail_loss", "final_accuracy", "critical_learning_rate", *LOSSES)


@dataclass(frozen=True)
class BestNearby:
    """The run with the lowest loss.

    Attributes:
        settings: Its settings by name.
        trial_id, outcome, cause: Its own.
        share: Its last losses' mean over the best constant's loss.
        accuracy: The fraction that it classifies right; None without classes.
    """

    settings: Mapping[str, Any]
    trial_id: str
    outcome: str
    cause: str | None
    share: float
    accuracy: float | None


@dataclass(frozen=True)
class Divergence:
    """The learning rates between which divergence begins, and how the runs below it ended.

    Attributes:
        highest: The largest rate up to which no run diverged; None if one diverged at the
            smallest.
        runs: How many runs had rates up to `highest`.
        endings: How many of them ended in each outcome and cause.
        first: The smallest rate at which a run diverged; None if none did.
        lost, tried: How many runs diverged at `first`, and of how many.
    """

    highest: float | None
    runs: int
    endings: Mapping[str, int]
    first: float | None
    lost: int
    tried: int


@dataclass(frozen=True)
class OtherScale:
    """How the runs with one init scale ended.

    Attributes:
        init_scale: The scale.
        runs: How many they are.
        rate: Where they trained most reliably; None where none trained.
    """

    init_scale: float
    runs: int
    rate: TrainedRate | None


@dataclass(frozen=True)
class RateAdvice:
    """What the runs nearest to a network say about its learning rate.

    Attributes:
        apart: The settings in which those runs differ from the network asked for, each with the
            value asked for and the value found. If the store lacks a name, all names that it has
            are given.
        rate: The rate that trained most reliably there, and its start; None if none trained.
        failures: How the other runs at `rate` ended, and how many did so.
        theory: How runs at theory's init scale ended; None if `rate` has that scale, or no run.
        factor: By what to multiply that rate, in theory, for the network asked for; at most 1.
        divergence: The divergence of the runs with that start; if none trained, with the best
            run's start.
        best: The best run; None where every loss overflowed.
        predicted: The smallest 2 / lambda_max at step 0; None where not measured.
        runs: How many they are.
        varied: The settings that vary among the runs at `rate`, apart from the seed.
        steps: How many the runs at `rate` took; None where that varies, or none trained.
        next_seed: The first seed that no run had.
    """

    apart: Mapping[str, tuple[Any, Any]]
    rate: TrainedRate | None
    failures: Mapping[str, int]
    theory: OtherScale | None
    factor: float
    divergence: Divergence
    best: BestNearby | None
    predicted: float | None
    runs: int
    varied: tuple[str, ...]
    steps: int | None
    next_seed: int

    @property
    def distance(self) -> float:
        """The largest factor between a size asked for and one found; infinite if a name differs."""
        sizes = [ratio(*pair) for pair in self.apart.values()]
        return max([1.0, 1 / self.factor, *sizes])

    @property
    def is_near(self) -> bool:
        """Whether the runs are near enough to say something about the network asked for."""
        return self.distance <= FARTHEST


def rate_advice(
    store: str | Path, wanted: Mapping[str, Any], trained_level: float | None = None
) -> RateAdvice:
    """What the store's nearest runs say about the learning rate.

    The runs have the names asked for, if the store has them, and the sizes nearest to those asked
    for, by the logarithm of their ratio. The init scale is chosen together with the rate; among
    equally good ones, the one nearest to theory's is taken.

    Args:
        store: The store's folder or URL.
        wanted: `activation`, `depth` and `init_scale`; `width` and `dataset` if they matter.
        trained_level: The share of the best constant's loss that counts as trained; None for
            each run's own.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        ValueError: None of its runs took a step at an absolute learning rate.
    """
    runs = _judged_runs(store, trained_level)
    near, apart = nearest(runs, wanted)
    rate = most_reliable(near, wanted["init_scale"])
    best = _best_run(near)
    start = rate.start if rate else best.settings if best else {}
    alike = having(near, {name: start[name] for name in START if name in start})
    at_rate = alike if rate is None else alike[alike["learning_rate"] == rate.learning_rate]
    predicted = alike["critical_learning_rate"].min()
    return RateAdvice(
        apart=apart,
        rate=rate,
        failures=_endings(at_rate[~at_rate["trained"]]) if rate else {},
        theory=_at_theory(near, wanted["init_scale"], rate),
        factor=theory_factor(wanted, apart, start),
        divergence=_divergence(alike),
        best=best,
        predicted=None if pd.isna(predicted) else float(predicted),
        runs=len(near),
        varied=tuple(factors(at_rate)),
        steps=int(at_rate["steps"].iloc[0]) if rate and at_rate["steps"].nunique() == 1 else None,
        next_seed=int(near["seed"].max()) + 1,
    )


def _judged_runs(store: str | Path, trained_level: float | None) -> pd.DataFrame:
    """The runs of equally wide layers that took steps at absolute rates, with whether `trained`."""
    runs = read_judged(store, trained_level, ["trial_id", *TRIAL_FIELDS, *MEASURED])
    runs = runs[runs["learning_rate_unit"] == ABSOLUTE]
    if runs.empty:
        raise ValueError(
            f"every run in {store} has its learning rate in units of the start's sharpness, and "
            f"none shows which rate to start from; run a sweep with learning_rate_unit: {ABSOLUTE} "
            "into it"
        )
    runs = runs[runs["hidden_widths"] == EQUAL]
    if runs.empty:
        raise ValueError(
            f"every run in {store} has hidden layers that differ in width, and none shows which "
            "rate to start from where they are equal; run a sweep with width: 32 into it"
        )
    runs = runs[runs["steps"] > 0]
    if runs.empty:
        raise ValueError(
            f"every run in {store} has steps: 0, and none shows what a learning rate does; "
            "run a sweep with steps into it"
        )
    return runs.assign(trained=runs["outcome"] == "trained")


def _at_theory(
    runs: pd.DataFrame, init_scale: float, rate: TrainedRate | None
) -> OtherScale | None:
    if rate is None or isclose(rate.start["init_scale"], init_scale, rel_tol=SAME_SCALE):
        return None
    runs = plain(runs)  # what theory speaks of
    alike = runs[np.isclose(runs["init_scale"], init_scale, rtol=SAME_SCALE)]
    if alike.empty:
        return None
    return OtherScale(init_scale, len(alike), most_reliable(alike, init_scale))


def _endings(runs: pd.DataFrame) -> dict[str, int]:
    """How many runs ended in each outcome and cause, the most frequent first."""
    causes = runs["cause"].fillna("")
    ended = runs["outcome"].where(causes == "", runs["outcome"] + " by " + causes)
    return {str(ending): int(count) for ending, count in ended.value_counts().items()}


def _best_run(runs: pd.DataFrame) -> BestNearby | None:
    shares = runs["tail_loss"] / runs["baseline_loss"]
    if shares.isna().all():
        return None
    run = runs.iloc[shares.argmin()]
    accuracy = run["final_accuracy"]
    return BestNearby(
        settings={name: run[name] for name in TRIAL_FIELDS},
        trial_id=run["trial_id"],
        outcome=run["outcome"],
        cause=None if pd.isna(run["cause"]) else run["cause"],
        share=float(shares.min()),
        accuracy=None if pd.isna(accuracy) else float(accuracy),
    )


def _divergence(runs: pd.DataFrame) -> Divergence:
    """Where divergence begins; runs may differ in other settings, and the lowest rate counts."""
    blown = blew_up(runs)
    first = runs.loc[blown, "learning_rate"].min()
    below = runs[~(runs["learning_rate"] >= first)]
    at_first = blown[runs["learning_rate"] == first]
    return Divergence(
        highest=None if below.empty else float(below["learning_rate"].max()),
        runs=len(below),
        endings=_endings(below),
        first=None if pd.isna(first) else float(first),
        lost=int(at_first.sum()),
        tried=len(at_first),
    )
