"""Advice as data: what `advise` says, for a program to read."""

from dataclasses import asdict
from typing import Any

import yaml

from analysis.advising.advice import RateAdvice
from analysis.advising.init_advice import InitAdvice


def advice_document(init: InitAdvice, rate: RateAdvice | None, sweep: str | None) -> dict[str, Any]:
    """What to start from, and what would decide it.

    Args:
        init: From theory.
        rate: From a store; None without one.
        sweep: The text of the sweep file that would decide; None where no more runs are needed.

    Returns:
        `init`, `rate` and `sweep`, by the attributes and fields of each; beside those of the
        rate `is_near`, and `learning_rate`, the one to start from (None where none can be named).
    """
    return {
        "init": asdict(init),
        "rate": rate and {"learning_rate": _named(rate), "is_near": rate.is_near, **asdict(rate)},
        "sweep": sweep and yaml.safe_load(sweep),
    }


def _named(advice: RateAdvice) -> float | None:
    if advice.rate is None or not advice.is_near:
        return None
    return advice.rate.learning_rate * advice.factor
