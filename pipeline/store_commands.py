"""The commands that look after a store: status, verify, compact."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any

import typer

from core.gradient_descent import FIRST_TRAINER
from core.outcomes import OUTCOMES
from pipeline.best_runs import COLUMNS, best_as_json, best_in_words, find_best, varying_settings
from pipeline.compaction import CompactionError
from pipeline.compaction import compact as compact_store
from pipeline.grid import Grid
from pipeline.locks import LeaseLostError
from pipeline.store import Store, StoreError
from pipeline.sweep import finished_indices
from pipeline.verification import Problem, set_aside
from pipeline.verification import verify as verify_store

commands = typer.Typer()

StoreArgument = Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def existing(location: str) -> Store:
    """The store at a path or URL.

    Raises:
        StoreError: There is none.
    """
    store = Store(location)
    if not store.exists:
        raise StoreError(
            f"{location} is no phasesweep store: it has no manifest.json; "
            "give what `phasesweep run SWEEP --store STORE` wrote"
        )
    return store


@commands.command()
def status(store: StoreArgument, as_json: AsJson = False) -> None:
    """Count the outcomes in a store, what its sweeps still miss, and what failed."""
    target = existing(store)
    outcomes: Counter[str] = Counter()
    trainers: Counter[str] = Counter()
    for rows in target.batches("runs", ["outcome", "trainer"]):
        outcomes.update(rows["outcome"].to_pylist())
        trainers.update(trainer or FIRST_TRAINER for trainer in rows["trainer"].to_pylist())
    sweeps = [_progress(entry, target) for entry in target.manifest["sweeps"]]
    found = find_best(target.batches("runs", COLUMNS))
    varying = varying_settings(Grid(entry["axes"]) for entry in target.manifest["sweeps"])
    failures = target.manifest.get("failures", [])
    if as_json:
        document = {
            "store": store,
            "outcomes": outcomes,
            "best": best_as_json(found, varying),
            "trainers": trainers,
            "sweeps": sweeps,
            "failures": failures,
        }
        print(json.dumps(document, indent=2))
        return
    print(f"{store}: {outcomes.total():,} trainings")
    for outcome in OUTCOMES:
        print(f"  {outcome:<12}{outcomes[outcome]:>10,}")
    unfinished = sum(sweep["trials"] - sweep["finished"] for sweep in sweeps)
    for line in best_in_words(found, varying, store, unfinished):
        print(line)
    if len(trainers) > 1:
        counts = ", ".join(
            f"{count:,} by version {name}" for name, count in sorted(trainers.items())
        )
        print(f"trained by several versions of the trainer, which differ in last bits: {counts}")
    for sweep in sweeps:
        missing = sweep["trials"] - sweep["finished"]
        told = f"{sweep['trials']:,} trials, {missing:,} missing"
        print(f"sweep {sweep['name']}: {told}, last run {sweep['last_run']}")
    for failure in failures:
        print(f"failed {failure['trial_id']} at {failure['failed_at']}: {failure['reason']}")


def _progress(entry: dict[str, Any], store: Store) -> dict[str, Any]:
    grid = Grid(entry["axes"])
    finished = len(finished_indices(grid, store))
    return {
        "name": entry["name"],
        "last_run": entry.get("last_run"),
        "trials": grid.size,
        "finished": finished,
    }


@commands.command()
def verify(
    store: StoreArgument,
    repair: Annotated[
        bool, typer.Option("--repair", help="Set damaged parts aside, to be trained again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every file and row against the schema and the manifest; name what is damaged."""
    target = existing(store)
    moved: list[str] = []
    with _ending_in_a_line(), target.writing(mend=False) if repair else nullcontext():
        problems = list(verify_store(target))
        if repair:
            moved = set_aside(target, problems)
    if as_json:
        found = [{"file": p.file, "problem": p.problem} for p in problems]
        print(json.dumps({"store": store, "problems": found, "set_aside": moved}, indent=2))
    else:
        _print_problems(store, problems, moved)
    if [problem for problem in problems if problem.part is None or not repair]:
        raise typer.Exit(1)


def _print_problems(store: str, problems: list[Problem], moved: list[str]) -> None:
    for problem in problems:
        print(f"{problem.file} {problem.problem}")
    for file in moved:
        print(f"{file} was moved to damaged/; running its sweep again trains what it held")
    if not problems:
        print(f"{store} is sound")


@contextmanager
def _ending_in_a_line() -> Iterator[None]:
    """Tell what stopped the work in a line on stderr, and end with exit code 1."""
    try:
        yield
    except (CompactionError, LeaseLostError, OSError) as error:
        remedy = "the rows are as they were: `phasesweep verify` tells damage, else run again"
        print(f"error: {error}; {remedy}", file=sys.stderr)
        raise typer.Exit(1) from error


@commands.command()
def compact(store: StoreArgument) -> None:
    """Merge small files into few large, sorted ones; the rows stay as they are."""
    target = existing(store)
    with _ending_in_a_line(), target.writing():
        counts = compact_store(target)
    for table, (before, after) in counts.items():
        print(f"{table:<8}{before:>6,} files -> {after:,}")
    print(f"compacted {store}", file=sys.stderr)
