"""The options by which a run stops before its sweep ends, and what it says when it does."""

from math import ceil
from typing import Annotated

import typer

from pipeline.notation.durations import exact_words, written_seconds
from pipeline.plans import Plan
from pipeline.sweep import Report


def _seconds(text: str) -> float:
    try:
        return written_seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _trials(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is no number of trials; give 1 or more")
    return int(text)


BudgetSeconds = Annotated[
    float | None,
    typer.Option(
        "--budget",
        parser=_seconds,
        metavar="TIME",
        help="Begin nothing new after this time: 90s, 20m, 1.5h, 1h30m.",
    ),
]
MaxTrials = Annotated[
    int | None,
    typer.Option(
        "--max-trials", parser=_trials, metavar="N", help="Train so many new trials at most."
    ),
]


def stop_in_words(
    report: Report, plan: Plan, trials: int | None, budget: float | None, took: float
) -> str | None:
    """How much was done and how to go on, in words; None if nothing stopped the run.

    Args:
        report: The result of the run.
        plan: What there was to do.
        trials: How many were asked for.
        budget: Seconds that were asked for.
        took: Seconds since the command began.
    """
    if report.stopped == "trials":
        asked = "1 trial" if trials == 1 else f"{trials:,} trials"
    elif report.stopped == "time" and budget is not None:
        asked = exact_words(budget)
    else:
        return None
    trained = report.outcomes.total()
    if not trained and not report.failures:
        return (
            f"stopped after {asked} as asked, before anything was trained: getting ready took "
            f"{took:.1f} s; give a longer one, as in --budget {max(10, ceil(3 * took))}s"
        )
    most = f"{'' if plan.least is None else 'at most '}{plan.trials:,}"
    return (
        f"stopped after {asked} as asked: {plan.finished + trained:,} of {most} trials have a row; "
        "the same command goes on"
    )
