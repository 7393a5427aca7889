"""The commands that look after a store: status, verify, compact."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from core.training import FULLY_CONNECTED
from pipeline.commands.store_status import status_of
from pipeline.storage.compaction import CompactionError, compact_into
from pipeline.storage.compaction import compact as compact_store
from pipeline.storage.locks import LeaseLostError
from pipeline.storage.store import Store, StoreError
from pipeline.storage.verification import Fault, set_aside
from pipeline.storage.verification import verify as verify_store

commands = typer.Typer()

StoreArgument = Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def existing(location: str) -> Store:
    """The store at a path or URL.

    Raises:
        StoreError: There is none.
    """
    store = Store(location, FULLY_CONNECTED)
    if not store.exists:
        raise StoreError(
            f"{location} is no phasesweep store: it has no manifest.json; "
            "give what `phasesweep run SWEEP --store STORE` wrote"
        )
    return store


@commands.command()
def status(store: StoreArgument, as_json: AsJson = False) -> None:
    """Count the outcomes in a store, what its sweeps still miss, and what failed."""
    found = status_of(existing(store), store)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    for line in found.in_words():
        print(line)


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


def _print_problems(store: str, problems: list[Fault], moved: list[str]) -> None:
    for problem in problems:
        print(f"{problem.file} {problem.problem}")
    for file in moved:
        print(f"{file} was moved to damaged/; running its sweep again trains what it held")
    if not problems:
        print(f"{store} is sound")


@contextmanager
def _ending_in_a_line() -> Iterator[None]:
    """Report what stopped the work in one line on stderr, and end with exit code 1."""
    try:
        yield
    except (CompactionError, LeaseLostError, OSError) as error:
        remedy = "the rows are as they were: `phasesweep verify` names damage, else run again"
        print(f"error: {error}; {remedy}", file=sys.stderr)
        raise typer.Exit(1) from error


@commands.command()
def compact(
    store: StoreArgument,
    to: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Make a new store of them there.")
    ] = None,
) -> None:
    """Merge small files into few large, sorted ones; the rows stay as they are.

    A store in a bucket stays as it is and needs --to, an empty folder or prefix.
    """
    source = existing(store)
    with _ending_in_a_line(), source.writing():
        if to is None:
            counts = compact_store(source)
        else:
            counts = compact_into(source, Store(to, FULLY_CONNECTED))
    for table, (before, after) in counts.items():
        print(f"{table:<8}{before:>6,} files -> {after:,}")
    into = "" if to is None else f" into {to}"
    print(f"compacted {store}{into}", file=sys.stderr)
