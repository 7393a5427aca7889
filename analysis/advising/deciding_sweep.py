"""A sweep file with the few trainings that would settle which learning rate to use."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from analysis.advising.advice import BestNearby, RateAdvice
from analysis.advising.measured_starts import steps_needed
from analysis.advising.trained_rates import START
from core.datasets import DATASETS
from core.losses import LOSSES, REGRESSION_LOSS
from core.trials import SETTINGS

FILE_HASH = re.compile("-[0-9a-f]{12}$")  # of the content, behind a file's name
TRAININGS = 12
SEEDS = 4
ENOUGH_RUNS = 10  # at a rate: their share is known to a few tenths
BELOW, ABOVE = 0.03, 3.0  # x the rate that is expected: how far the rates reach
WIDEST = (1e-4, 10.0)  # where nothing is known of the rate
MORE_STEPS = 10
STILL_MOVING = ("slow", "oscillating")

# The defaults of a sweep file, for when no near run gives them.
USUAL = {
    "dataset": "digits",
    "examples": 128,
    **{name: s.encoded(s.written) for name, s in SETTINGS.items() if s.written is not None},
}


def deciding_sweep(wanted: Mapping[str, Any], advice: RateAdvice | None) -> str | None:
    """The text of the sweep file; None where enough runs support a rate already.

    Args:
        wanted: As rate_advice takes it.
        advice: What the store says; None without a store.

    Raises:
        ValueError: Neither the store nor phasesweep knows the data set that is asked for.
    """
    if advice is None:
        _require_known(wanted.get("dataset"), "")
        return as_yaml(over_rates(wanted, None, None))
    like = advice.best.settings if advice.best else None
    if not advice.is_near:
        missing, found = advice.apart.get("dataset", (None, ""))
        _require_known(missing, f", and the store has {found}")
        expected = advice.rate.learning_rate * advice.factor if advice.rate else None
        return as_yaml(over_rates(wanted, like, expected))
    if advice.rate is None:
        return as_yaml(longer(wanted, advice.best, _below_divergence(advice)))
    if advice.rate.runs >= ENOUGH_RUNS:
        return None
    own = {**(like or {}), **wanted, **advice.rate.start}
    return as_yaml(over_seeds(own, advice.rate.learning_rate * advice.factor, advice.next_seed))


def _require_known(dataset: str | None, else_known: str) -> None:
    if dataset is not None and dataset not in DATASETS:
        raise ValueError(
            f"--dataset: {dataset!r} is none of {', '.join(DATASETS)}{else_known}; "
            "give one of these"
        )


def over_rates(
    wanted: Mapping[str, Any], like: Mapping[str, Any] | None, expected: float | None
) -> dict[str, Any]:
    """A sweep of TRAININGS of one network, each at another learning rate around the expected one.

    They take at least the steps within which such a network was found to train.

    Args:
        wanted: The settings that are asked for.
        like: The settings of a run, for those that are not asked for; None without a run.
        expected: The learning rate to try around; None if nothing is known of it.
    """
    ends = WIDEST if expected is None else (BELOW * expected, ABOVE * expected)
    low, high = (float(f"{end:.2g}") for end in ends)
    rates = {"geomspace": [low, high, TRAININGS]}
    # The init scales in `wanted` come from theory, and theory's scales are for random draws.
    base = {**(like or USUAL), "initializer": USUAL["initializer"]}
    base["steps"] = max(base["steps"], steps_needed(wanted["activation"], wanted["depth"]))
    return _sweep({**base, **wanted, "learning_rate": rates, "seed": 0})


def _below_divergence(advice: RateAdvice) -> float | None:
    """The rate to try around where runs diverged at every rate: the bound, or a smaller rate."""
    found = advice.divergence
    if found.first is None or found.highest is not None:
        return None
    return advice.predicted or found.first / ABOVE


def over_seeds(like: Mapping[str, Any], rate: float, seeds: int) -> dict[str, Any]:
    """A sweep of TRAININGS at a rate, half of it and twice it, with seeds that are new.

    Args:
        like: A run's settings.
        rate: The learning rate.
        seeds: The first seed that is new.
    """
    # The rate itself is not rounded: its runs must count together with those that are there.
    rates = [float(f"{rate / 2:.3g}"), rate, float(f"{2 * rate:.3g}")]
    new = {"linspace": [seeds, seeds + SEEDS - 1, SEEDS]}
    return _sweep({**like, "learning_rate": rates, "seed": new})


def longer(
    wanted: Mapping[str, Any], best: BestNearby | None, expected: float | None
) -> dict[str, Any]:
    """A sweep of TRAININGS with more steps than any failed run took.

    If the best run's loss was still moving, they have its start, and rates around its rate.

    Args:
        wanted: The settings that are asked for.
        best: The best run; None where every loss overflowed.
        expected: The learning rate to try around; None if nothing is known of it.
    """
    if best is None:
        return over_rates(wanted, None, expected)
    like = best.settings
    more = {**wanted, "steps": MORE_STEPS * int(like["steps"])}
    if best.outcome not in STILL_MOVING or expected is not None:
        return over_rates(more, like, expected)
    start = {name: like[name] for name in START}
    return over_rates({**more, **start}, like, float(like["learning_rate"]))


def _sweep(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a sweep file: a run's settings, adapted to what the data set allows."""
    written = {
        name: _plain(settings[name])
        for name, setting in SETTINGS.items()
        if name in settings and settings[name] != setting.encoded_default
    }
    dataset = written.pop("dataset")
    if dataset not in DATASETS:
        task = {"file": FILE_HASH.sub("", dataset)}
    else:
        info, task = DATASETS[dataset], {"dataset": dataset}
        written["examples"] = min(written["examples"], info.examples or written["examples"])
        needs_classes = LOSSES[written["loss"]].of_classes
        written["loss"] = REGRESSION_LOSS if needs_classes and not info.classes else written["loss"]
    return {"name": "deciding", **task, **written, "measure": ["signal", "sharpness"]}


def _plain(value: Any) -> Any:
    """A NumPy number as a plain Python number, which YAML can write."""
    return value.item() if hasattr(value, "item") else value


def as_yaml(sweep: Mapping[str, Any]) -> str:
    """The sweep file's text."""
    return yaml.safe_dump(dict(sweep), sort_keys=False, default_flow_style=None, width=76)
