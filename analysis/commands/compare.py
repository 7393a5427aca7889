"""The command that holds two stores beside each other."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.commands.draw import AsJson, TrainedLevel, refusing
from analysis.reading.printing import json_document

if TYPE_CHECKING:
    import pandas as pd

    from analysis.tables.two_stores import Comparison

commands = typer.Typer()

LINE = 80  # characters
MOST_ROWS = 8  # of a table; --json has all
INDENT = "  "


@commands.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A store's folder or URL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another's.")],
    trained_level: TrainedLevel = None,
    as_json: AsJson = False,
) -> None:
    """Compare two stores: their settings, their outcomes, and where the boundary moved.

    `phasesweep report A B` makes a page of it.
    """
    from analysis.tables.two_stores import compared

    with refusing():
        found = compared(a, b, trained_level)
    if as_json:
        print(json_document(found.as_json()))
        return
    print("\n".join(in_lines(found)))


def in_lines(found: "Comparison") -> Iterator[str]:
    """The comparison in lines of text."""
    from analysis.explaining.two_stores import store_words

    for name, store, words in zip("AB", found.stores, store_words(found), strict=True):
        yield f"{name}  {store}: {words}"
    yield from _heading("Settings that differ")
    yield from _settings_lines(found.settings)
    if found.cells.empty:
        yield from _heading("Outcomes")
        yield f"{INDENT}no cell is in both: a setting above has no value that both have"
        return
    yield from _outcome_lines(found)
    yield from _boundary_lines(found.boundary)


def _settings_lines(settings: "pd.DataFrame") -> Iterator[str]:
    from analysis.explaining.two_stores import common_words, values_words

    if settings.empty:
        yield f"{INDENT}none"
    for setting, a, b in settings.itertuples(index=False):
        parts = [f"{setting}: A {values_words(a)}", f"B {values_words(b)}", common_words(a, b)]
        yield from _wrapped("; ".join(part for part in parts if part))


def _outcome_lines(found: "Comparison") -> Iterator[str]:
    from analysis.explaining.two_stores import most_different, outcome_pairs, outcome_words

    yield from _heading(f"Outcomes in the {len(found.cells):,} cells that both have")
    yield f"{INDENT}{outcome_words(found)}"
    yield from _table(outcome_pairs(found))
    where = most_different(found)
    if len(where):
        yield from _heading("Where they differ most")
        yield from _table(where)


def _boundary_lines(boundary: "pd.DataFrame | None") -> Iterator[str]:
    from analysis.explaining.two_stores import boundary_words, largest_moves

    yield from _heading("The largest learning rate that trained, of those in both; blank: none")
    if boundary is None:
        yield f"{INDENT}no two learning rates are in both"
        return
    for words in boundary_words(boundary):
        yield from _wrapped(words)
    yield from _table(largest_moves(boundary))


def _heading(words: str) -> Iterator[str]:
    yield ""
    yield words


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(
        words,
        LINE,
        initial_indent=INDENT,
        subsequent_indent=2 * INDENT,
        break_on_hyphens=False,
    )


def _table(rows: "pd.DataFrame") -> Iterator[str]:
    """The first rows, aligned; nothing where there are none."""
    import pyarrow as pa

    from analysis.reading.printing import aligned

    if rows.empty:
        return
    shown = pa.Table.from_pandas(rows.head(MOST_ROWS), preserve_index=False)
    yield from (f"{INDENT}{line}" for line in aligned(shown, LINE - len(INDENT)).splitlines())
    if len(rows) > MOST_ROWS:
        yield f"{INDENT}... and {len(rows) - MOST_ROWS:,} more: --json has all"
