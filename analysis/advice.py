"""Which learning rate to start from for a deep network, from the runs of a store."""

from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.boundaries import critical_learning_rate_bracket
from analysis.judgments import read_judged
from analysis.tables import axes
from core.trials import TRIAL_FIELDS

NEAR = 0.15  # of a number: a grid's next value is seldom nearer
POOLED = {"learning_rate", "seed", "measure"}  # what a safe learning rate is taken over


@dataclass(frozen=True)
class RateAdvice:
    """What the runs nearest to a network say of its learning rate.

    Attributes:
        region: The settings of those runs that were asked for.
        safe: The largest learning rate up to which nothing diverged; None if all did.
        diverged: The smallest that diverged; None if none did.
        trained: The smallest and largest that trained; None if none did.
        predicted: The smallest 2 / lambda_max at step 0; None where not measured.
        runs, seeds: How many they are.
    """

    region: dict[str, Any]
    safe: float | None
    diverged: float | None
    trained: tuple[float, float] | None
    predicted: float | None
    runs: int
    seeds: int


def rate_advice(
    store: str | Path, wanted: dict[str, Any], trained_level: float | None = None
) -> RateAdvice:
    """What the store's nearest runs say of the learning rate.

    Names must be those asked for; of numbers the nearest is taken, one after another. Where
    other settings vary, the most cautious counts.

    Args:
        store: The store's folder.
        wanted: `activation`, `depth` and `init_scale`; `width` and `dataset` if they matter.
        trained_level: As of analysis.judgments.read_judged.

    Raises:
        ValueError: The store has no run with a name asked for; the message lists its own.
    """
    columns = ["trial_id", *TRIAL_FIELDS, "outcome", "critical_learning_rate"]
    runs = read_judged(store, trained_level, columns)
    region: dict[str, Any] = {}
    for name, value in wanted.items():
        region[name] = _nearest(runs[name], value)
        runs = runs[runs[name] == region[name]]
    others = [name for name in axes(runs) if name not in POOLED]
    brackets = critical_learning_rate_bracket(runs.drop(columns="measure"), ["activation", *others])
    trained = runs.loc[runs["outcome"] == "trained", "learning_rate"]
    return RateAdvice(
        region=region,
        safe=_none_if_nan(brackets["stable_learning_rate"].min(skipna=False)),
        diverged=_none_if_nan(brackets["diverged_learning_rate"].min()),
        trained=(trained.min(), trained.max()) if len(trained) else None,
        predicted=_none_if_nan(runs["critical_learning_rate"].min()),
        runs=len(runs),
        seeds=runs["seed"].nunique(),
    )


def _nearest(values: pd.Series, wanted: Any) -> Any:
    distinct = sorted(values.unique().tolist())
    if isinstance(wanted, str):
        if wanted not in distinct:
            raise ValueError(
                f"the store has no {values.name} {wanted!r}; it has {', '.join(distinct)}"
            )
        return wanted
    positive = [value for value in distinct if value > 0] or distinct
    return min(positive, key=lambda value: abs(np.log(value / wanted)) if value > 0 else np.inf)


def _none_if_nan(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def distances(advice: RateAdvice, wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Where the store's region is not the one asked for: asked and found, by setting."""
    return {
        name: (value, advice.region[name])
        for name, value in wanted.items()
        if not (value == advice.region[name] or _close(value, advice.region[name]))
    }


def _close(one: Any, other: Any) -> bool:
    return not isinstance(one, str) and isclose(one, other, rel_tol=NEAR)
