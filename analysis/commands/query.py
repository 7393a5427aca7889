"""The commands that ask a store: in SQL, and for the meaning of its columns."""

import shutil
import sys
from collections.abc import Iterable, Iterator
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
CSV = pyarrow.csv.WriteOptions(quoting_style="needed")


@commands.command()
def query(
    store: StoreArgument,
    sql: Annotated[
        str, typer.Argument(help="DuckDB SQL over runs, layers, curves; or `describe runs`.")
    ],
    form: Annotated[Formats, typer.Option("--format", help="How to print it.")] = Formats.table,
) -> None:
    """Ask a store in SQL; it is only read."""
    printing = {Formats.table: _print_table, Formats.csv: _print_csv, Formats.json: _print_json}
    with refusing():
        printing[form](answer(store, sql))


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


def _print_table(batches: Iterable[pa.RecordBatch]) -> None:
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


def _print_csv(batches: Iterable[pa.RecordBatch]) -> None:
    iterator = iter(batches)
    first = next(iterator)
    with pyarrow.csv.CSVWriter(sys.stdout.buffer, first.schema, write_options=CSV) as writer:
        for batch in (first, *iterator):
            writer.write_batch(batch)


def _print_json(batches: Iterable[pa.RecordBatch]) -> None:
    separator = "[\n"
    for batch in batches:
        for line in json_lines(batch):
            print(separator, line, sep="", end="")
            separator = ",\n"
    print("\n]" if separator == ",\n" else "[]")
