"""The commands that ask a store: in SQL, and for the meaning of its columns."""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated

import pyarrow as pa
import pyarrow.csv
import typer

from analysis.commands.draw import Formats, StoreArgument, refusing
from analysis.reading.dictionary import dictionary_page
from analysis.reading.printing import aligned, json_lines
from analysis.reading.queries import answer
from analysis.reading.stores import TABLES, MissingTableError, read_schema

commands = typer.Typer()

MOST_ROWS = 1000  # of a table on a terminal
NAMED = re.compile(r"([A-Za-z_]\w*)=(.+)", re.ASCII)
COMPARED = re.compile(r"=\s*-?\d*\.\d")  # with a number that has digits behind its point
CSV = pyarrow.csv.WriteOptions(quoting_style="needed")


@commands.command()
def query(
    stores: Annotated[
        list[str],
        typer.Argument(
            metavar="STORE",
            default_factory=list,
            show_default=False,
            help="A store's folder or URL; of several each has a name, as in a=STORE b=STORE.",
        ),
    ],
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL",
            help="DuckDB's, over runs, layers, curves, manifest (a.runs, b.runs of several), of a "
            "traced map cells; or `describe runs`. near(init_scale, 1.32) finds a rounded number.",
        ),
    ],
    form: Annotated[Formats, typer.Option("--format", help="How to print it.")] = Formats.table,
) -> None:
    """Ask a store, or several, in SQL; they are only read."""
    printing = {Formats.table: _print_table, Formats.csv: _print_csv, Formats.json: _print_json}
    with refusing():
        if not stores:
            raise ValueError(f'give a store and a query, as in `query {sql} "describe runs"`')
        count = printing[form](answer(_named(stores), sql))
    if not count:
        hint = "; numbers are shown rounded: near(init_scale, 1.32) finds one"
        print(f"0 rows{hint if COMPARED.search(sql) else ''}", file=sys.stderr)


def _named(stores: Sequence[str]) -> str | Mapping[str, str]:
    """The one store, or several by the names that are given or that their folders have."""
    given = [NAMED.fullmatch(store) for store in stores]
    if len(stores) == 1 and not given[0]:
        return stores[0]
    named: dict[str, str] = {}
    for store, match in zip(stores, given, strict=True):
        name, place = match.groups() if match else (_folder_name(store), store)
        if name in named:
            raise ValueError(
                f"{named[name]} and {place} are both called {name}; name them, as in "
                f"a={named[name]} b={place}"
            )
        named[name] = place
    return named


def _folder_name(store: str) -> str:
    return re.sub(r"\W", "_", PurePosixPath(store).name, flags=re.ASCII)


@commands.command()
def dictionary(store: StoreArgument) -> None:
    """Print what every column of a store means, as Markdown."""
    with refusing():
        schemas = dict(_schemas(store))
    print(dictionary_page(schemas), end="")


def _schemas(store: StoreArgument) -> Iterator[tuple[str, pa.Schema]]:
    for table in TABLES:
        try:
            yield table, read_schema(store, table)
        except MissingTableError:
            if table == "runs":
                raise


def _print_table(batches: Iterable[pa.RecordBatch]) -> int:
    kept, count = [], 0
    for batch in batches:
        kept.append(batch.slice(0, max(0, MOST_ROWS - count)))
        count += len(batch)
    print(aligned(pa.Table.from_batches(kept), shutil.get_terminal_size().columns))
    if count > MOST_ROWS:
        print(
            f"{count:,} rows, of which the first {MOST_ROWS:,} are shown; "
            "--format csv prints all, LIMIT selects fewer",
            file=sys.stderr,
        )
    return count


def _print_csv(batches: Iterable[pa.RecordBatch]) -> int:
    iterator = iter(batches)
    first = next(iterator)
    count = 0
    with pyarrow.csv.CSVWriter(sys.stdout.buffer, first.schema, write_options=CSV) as writer:
        for batch in (first, *iterator):
            writer.write_batch(batch)
            count += len(batch)
    return count


def _print_json(batches: Iterable[pa.RecordBatch]) -> int:
    separator, count = "[\n", 0
    for batch in batches:
        for line in json_lines(batch):
            print(separator, line, sep="", end="")
            separator = ",\n"
        count += len(batch)
    print("\n]" if separator == ",\n" else "[]")
    return count
