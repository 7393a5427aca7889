"""The phasesweep command. Data goes to stdout, messages and progress to stderr.

Exit codes: 0 done, or as much as was asked for, 1 the work failed, 2 the request was wrong,
130 interrupted.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from math import inf
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from analysis.commands.advise import commands as advise_commands
from analysis.commands.animate import commands as animate_commands
from analysis.commands.compare import commands as compare_commands
from analysis.commands.draw import commands as theory_commands
from analysis.commands.explain import commands as explain_commands
from analysis.commands.mounted import commands as analysis_commands
from analysis.commands.name_lists import beginning, listing
from analysis.commands.query import commands as query_commands
from analysis.commands.report import commands as report_commands
from analysis.commands.watch import commands as watch_commands
from analysis.commands.zoom import commands as zoom_commands
from analysis.reading.stores import NotAStoreError
from core.settings import trial_id
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.budgets import Budget
from pipeline.claims import claim_sweeps, run_claims
from pipeline.clusters.connections import ClusterError
from pipeline.clusters.skew import Skew
from pipeline.commands.forecasts import forecast, trials_in_words
from pipeline.commands.progress import Course, progress
from pipeline.commands.ray_jobs import lasting_store, require_cluster_of_job
from pipeline.commands.run_options import BudgetSeconds, MaxTrials, stop_in_words
from pipeline.commands.store import AsJson
from pipeline.commands.store import commands as store_commands
from pipeline.commands.traced import audit_in_words, trained_in_words
from pipeline.executors import (
    Executor,
    Failure,
    executor_for,
    run_on_ray,
    run_serially,
)
from pipeline.interrupts import ignore_interrupts, interrupted_by_sigterm
from pipeline.notation.durations import rate
from pipeline.rounds import Rounds
from pipeline.standard_streams import reported_failures
from pipeline.storage.locks import LeaseLostError
from pipeline.storage.store import Store, StoreError
from pipeline.sweep_files.loading import Sweep, SweepFileError, load_sweep, shipped_sweeps
from pipeline.tasks import TaskSummary, task_summaries

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(store_commands)
app.add_typer(analysis_commands)
app.add_typer(animate_commands)
app.add_typer(theory_commands)
app.add_typer(query_commands)
app.add_typer(explain_commands)
app.add_typer(compare_commands)
app.add_typer(report_commands)
app.add_typer(watch_commands)
app.add_typer(advise_commands)
app.add_typer(zoom_commands)

# What every command trains, plans and reads.
TRAINER = FULLY_CONNECTED


def _complete_sweep(incomplete: str) -> list[str]:
    """The shipped sweeps whose names begin so, and this folder's sweep files."""
    files = sorted(str(path) for path in Path().glob("*.yaml"))
    return beginning(incomplete, [*shipped_sweeps(), *files])


SweepName = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP", help="YAML path or shipped name.", autocompletion=_complete_sweep
    ),
]
SWEEP_LIST = listing("Shipped sweeps", shipped_sweeps)
StorePath = Annotated[
    str | None,
    typer.Option("--store", help="A folder, s3://... or gs://... (default: stores/NAME)."),
]


class Executors(StrEnum):
    """Where trainings run; auto: here when the plan is small, else on Ray."""

    auto = "auto"
    serial = "serial"
    ray = "ray"


def _show_version(asked: bool) -> None:
    if asked:
        print(f"phasesweep {version('phasesweep')}")
        raise typer.Exit


@app.callback()
def phasesweep(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Measure where deep networks train, stall and diverge, and say why."""


def main() -> None:
    """Run the command; a wrong request ends with one line and exit code 2."""
    try:
        with reported_failures():
            _run_command()
    finally:
        ignore_interrupts()


def _run_command() -> None:
    try:
        app()
    except (SweepFileError, StoreError, ClusterError, NotAStoreError) as error:
        _say(f"error: {error}")
        sys.exit(2)


@app.command(cls=SWEEP_LIST)
def run(
    sweep: SweepName,
    store: StorePath = None,
    executor: Annotated[Executors, typer.Option(help="Where to train.")] = Executors.auto,
    address: Annotated[
        str | None, typer.Option(help="A running Ray cluster's address, or auto.")
    ] = None,
    accept_skew: Annotated[
        bool,
        typer.Option("--accept-skew", help="Train though nodes have other versions; recorded."),
    ] = False,
    budget: BudgetSeconds = None,
    max_trials: MaxTrials = None,
) -> None:
    """Train what is not yet in the store; running again resumes.

    With --budget or --max-trials it stops there, and the same command goes on.
    """
    began = monotonic()
    limit = Budget(
        inf if budget is None else began + budget, inf if max_trials is None else max_trials
    )
    asked = load_sweep(sweep, TRAINER)
    target = lasting_store(store or _default_store(asked), asked.trainer)
    for summary in _summaries(asked):
        _say(f"task: {summary.in_words}")
    if address is not None and executor is Executors.serial:
        raise typer.BadParameter("--address joins a Ray cluster; leave out --executor serial")
    if accept_skew and address is None:
        raise typer.BadParameter("--accept-skew is about a cluster's nodes; give its --address")
    require_cluster_of_job(address, on_ray=executor is not Executors.serial)
    with _writing(target):
        standing = plans.standing(asked, target)
        plan = plans.plan(asked, standing)
        _say(f"{asked.name}: {trials_in_words(plan)}, {plan.finished:,} already in {target.place}")
        if not plan.remaining:
            if isinstance(standing, Rounds):  # which a dense run may have left without an entry
                sweeps.describe(asked, standing, target)
            _say("nothing is left to train")
            _say_audit(standing, asked)
            return
        course = _course(asked, plan, limit)
        seconds = course.seconds if budget is None else min(course.seconds, budget)
        execute = _execute(executor, address, seconds)
        if accept_skew:
            execute = partial(
                run_on_ray, address=address, accept_skew=partial(_accept_skew, target)
            )
        report = _train(asked, standing, target, execute, course, limit)
    _say_audit(standing, asked)
    stop = stop_in_words(report, plan, max_trials, budget, monotonic() - began)
    if stop is not None:
        _say(stop)
    _refuse_failures(report.failures)


def _train(
    sweep: Sweep,
    standing: plans.Standing,
    target: Store,
    execute: Executor,
    course: Course,
    limit: Budget,
) -> sweeps.Report:
    """Run the sweep, showing its progress, and say how fast it was."""
    started = monotonic()
    with progress(course) as watch:
        report = sweeps.run_sweep(sweep, standing, target, execute, watch, limit)
    trained, duration = report.outcomes.total(), monotonic() - started
    if trained:
        _say(
            f"{trained:,} trainings in {duration:.1f} s, {rate(trained, duration)} trainings/s, "
            f"in {target.location}"
        )
    return report


def _say_audit(standing: plans.Standing, sweep: Sweep) -> None:
    if isinstance(standing, Rounds) and not len(standing.next):
        counts = standing.counts
        _say(trained_in_words(counts.least, sweep.grid.size))
        _say(audit_in_words(standing.audits, sweep.grid.size - counts.trained))


def _course(sweep: Sweep, plan: plans.Plan, limit: Budget) -> Course:
    """The plan for this run, as far as the time allows."""
    trials = int(min(plan.remaining, limit.trials))
    return Course(
        trials=plan.finished + trials,
        finished=plan.finished,
        seconds=min(plan.seconds * trials / plan.remaining, plan.likely_seconds),
        outcomes=sweep.trainer.outcomes,
        until=limit.until,
        is_known=plan.least is None,
    )


@contextmanager
def _writing(target: Store) -> Iterator[None]:
    """Hold the store while training; an interrupt or a lost store ends the command in a line."""
    with target.writing(), interrupted_by_sigterm():
        for note in target.mended:
            _say(f"{note}: its trials are trained again")
        try:
            yield
        except KeyboardInterrupt:
            _say(f"interrupted; what is finished is in {target.location}: run again to resume")
            raise typer.Exit(130) from None
        except (OSError, LeaseLostError, sweeps.TooManyFailuresError) as error:
            _say(f"error: {error}; what is finished is in {target.location}: run again to resume")
            raise typer.Exit(1) from error


def _execute(executor: Executors, address: str | None, seconds: float) -> Executor:
    if executor is Executors.serial:
        return run_serially
    if executor is Executors.auto and address is None:
        return executor_for(seconds)
    return partial(run_on_ray, address=address)


def _accept_skew(target: Store, found: Sequence[Skew]) -> None:
    for skew in found:
        _say(f"accepted, and recorded in the store: {skew.in_words}")
    sweeps.record_skew(found, target)


def _refuse_failures(failures: Sequence[Failure]) -> None:
    for failure in failures:
        _say(f"error: trial {trial_id(failure.trial)} failed: {failure.reason}; run again to retry")
    if failures:
        raise typer.Exit(1)


@app.command()
def claims(
    store: Annotated[
        str, typer.Option(help="A folder or URL for the experiments' rows.")
    ] = "stores/claims",
    as_json: AsJson = False,
) -> None:
    """Settle the argument: run every claim's experiment and print its verdict."""
    target = lasting_store(store, TRAINER)
    require_cluster_of_job(None, on_ray=False)
    with _writing(target):
        failures = run_claims(claim_sweeps(), target, _say)
    _refuse_failures(failures)
    # Reads what was just written; other commands never need its imports.
    from analysis.claims.argument import judge
    from analysis.claims.judgements import as_document, as_text

    judgements = judge(target.location)
    print(as_document(judgements) if as_json else as_text(judgements))


@app.command(cls=SWEEP_LIST)
def plan(
    sweep: SweepName,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Count and price what is not yet in the store; runs nothing."""
    asked = load_sweep(sweep, TRAINER)
    target = lasting_store(store or _default_store(asked), asked.trainer)
    found = forecast(asked, target, _summaries(asked))
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    for line in found.in_words(_cpus()):
        print(line)


def _summaries(sweep: Sweep) -> list[TaskSummary]:
    """Describe the data of the sweep, after the notes on how its files were read."""
    for file in sweep.data_files.values():
        for note in file.notes:
            _say(f"{file.file}: {note}")
    return task_summaries(sweep)


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):  # unknown to macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default_store(sweep: Sweep) -> str:
    return f"stores/{sweep.name}"


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
