"""The phasesweep command. Data goes to stdout, messages and progress to stderr.

Exit codes: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from analysis.advise_commands import commands as advise_commands
from analysis.commands import commands as analysis_commands
from analysis.explain_commands import commands as explain_commands
from analysis.query_commands import commands as query_commands
from analysis.report_commands import commands as report_commands
from analysis.tables import NotAStoreError
from analysis.theory_commands import commands as theory_commands
from core.trials import trial_id
from pipeline import sweep as sweeps
from pipeline.best_runs import COLUMNS, best_as_json, best_in_words, find_best, varying_settings
from pipeline.claims import claim_sweeps, run_claims
from pipeline.executors import (
    ClusterError,
    Executor,
    Failure,
    executor_for,
    run_on_ray,
    run_serially,
)
from pipeline.interrupts import ignore_interrupts, interrupted_by_sigterm
from pipeline.locks import LeaseLostError
from pipeline.progress import progress
from pipeline.standard_streams import told_failures
from pipeline.store import Store, StoreError
from pipeline.store_commands import AsJson
from pipeline.store_commands import commands as store_commands
from pipeline.sweep_file import Sweep, SweepFileError, load_sweep
from pipeline.tasks import TaskSummary, task_summaries

app = typer.Typer(
    help="Measure where deep networks train, stall and diverge, and say why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(store_commands)
app.add_typer(analysis_commands)
app.add_typer(theory_commands)
app.add_typer(query_commands)
app.add_typer(explain_commands)
app.add_typer(report_commands)
app.add_typer(advise_commands)

SweepName = Annotated[str, typer.Argument(metavar="SWEEP", help="YAML path or shipped name.")]
StorePath = Annotated[
    str | None,
    typer.Option("--store", help="A folder, s3://... or gs://...  [default: stores/NAME]"),
]


class Executors(StrEnum):
    """Where trainings run; auto: here when the plan is small, else on Ray."""

    auto = "auto"
    serial = "serial"
    ray = "ray"


def main() -> None:
    """Run the command; a wrong request is told in a line and ends with exit code 2."""
    try:
        with told_failures():
            _run_command()
    finally:
        ignore_interrupts()


def _run_command() -> None:
    try:
        app()
    except (SweepFileError, StoreError, ClusterError, NotAStoreError) as error:
        _say(f"error: {error}")
        sys.exit(2)


@app.command()
def run(
    sweep: SweepName,
    store: StorePath = None,
    executor: Annotated[Executors, typer.Option(help="Where to train.")] = Executors.auto,
    address: Annotated[
        str | None, typer.Option(help="A running Ray cluster's address, or auto.")
    ] = None,
) -> None:
    """Train what is not yet in the store; running again resumes."""
    asked = load_sweep(sweep)
    target = Store(store or _default_store(asked))
    for summary in _summaries(asked):
        _say(f"task: {summary.told}")
    if address is not None and executor is Executors.serial:
        raise typer.BadParameter("--address joins a Ray cluster; leave out --executor serial")
    with _writing(target):
        finished = sweeps.finished_indices(asked.grid, target)
        plan = sweeps.plan(asked, finished)
        _say(
            f"{asked.name}: {plan.trials:,} trials, {plan.finished:,} already in {target.location}"
        )
        if not plan.remaining:
            return
        execute = _execute(executor, address, plan.seconds)
        began = monotonic()
        with progress(plan.trials, plan.finished) as watch:
            report = sweeps.run_sweep(asked, finished, target, execute, watch)
    duration = monotonic() - began
    trained = report.outcomes.total()
    _say(
        f"{trained:,} trainings in {duration:.1f} s, {trained / duration:,.0f} trainings/s, "
        f"in {target.location}"
    )
    _refuse_failures(report.failures)


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


def _refuse_failures(failures: Sequence[Failure]) -> None:
    for failure in failures:
        _say(f"error: trial {trial_id(failure.trial)} failed: {failure.reason}; run again to retry")
    if failures:
        raise typer.Exit(1)


@app.command()
def claims(
    store: Annotated[Path, typer.Option(help="A folder for the experiments' rows.")] = Path(
        "stores/claims"
    ),
    as_json: AsJson = False,
) -> None:
    """Settle the argument: run every claim's experiment and print its verdict."""
    target = Store(store)
    with _writing(target):
        failures = run_claims(claim_sweeps(), target, _say)
    _refuse_failures(failures)
    # Reads what was just written; other commands never need its imports.
    from analysis.claim_tables import as_document, as_text
    from analysis.claims import judge

    judgements = judge(store)
    print(as_document(judgements) if as_json else as_text(judgements))


@app.command()
def plan(
    sweep: SweepName,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Count and price what is not yet in the store; runs nothing."""
    asked = load_sweep(sweep)
    target = Store(store or _default_store(asked))
    summaries = _summaries(asked)
    planned = sweeps.plan(asked, sweeps.finished_indices(asked.grid, target))
    found = find_best(map(asked.grid.rows_of, target.batches("runs", COLUMNS)))
    varying = varying_settings([asked.grid])
    if as_json:
        document = {
            "sweep": asked.name,
            "store": target.location,
            "tasks": [asdict(summary) for summary in summaries],
            **asdict(planned),
            "remaining": planned.remaining,
            "trained": found.trained,
            "best": best_as_json(found, varying),
        }
        print(json.dumps(document, indent=2))
        return
    cpus = _cpus()
    for summary in summaries:
        print(f"task: {summary.told}")
    print(f"{asked.name}: {planned.trials:,} trials, {planned.finished:,} in {target.location}")
    print(f"to train   {planned.remaining:,} in about {planned.batches:,} batches")
    print(f"estimated  {planned.flops:.2g} FLOPs, {planned.bytes / 1e6:,.1f} MB of Parquet")
    if planned.sampled_shapes is not None:
        shapes = f"{planned.sampled_shapes:,} of {asked.grid.shapes:,} shapes"
        print(f"           from a sample of {shapes}: batches, FLOPs and time are not exact")
    print(f"           {_duration(planned.seconds / cpus)} on {cpus} CPUs")
    for line in best_in_words(found, varying, target.location, planned.remaining):
        print(line)


def _summaries(sweep: Sweep) -> list[TaskSummary]:
    """What the sweep trains on; says first what of its files was read otherwise than written."""
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


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
