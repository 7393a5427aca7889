"""Names that a command line can list: in a command's help, and when Tab is pressed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand

MOST_TRIALS = 200  # that Tab offers
TRIALS = (
    "select trial_id, concat(activation, ' depth ', depth, ': ', outcome) from runs "
    "where starts_with(trial_id, ?) order by trial_id limit ?"
)


class NamesCommand(TyperCommand):
    """A command whose help ends with a list of names, looked up when the help is asked for."""

    title: str
    names: Callable[[], Iterable[str]]

    def listed(self) -> str:
        """The names in a sentence."""
        return f"{self.title}: {', '.join(type(self).names())}."

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, the names last."""
        self.epilog = self.listed()
        super().format_help(ctx, formatter)


def listing(title: str, names: Callable[[], Iterable[str]]) -> type[NamesCommand]:
    """A kind of command that lists these names under a title."""
    return type("Listing", (NamesCommand,), {"title": title, "names": staticmethod(names)})


def figure_names() -> list[str]:
    """The figures that `phasesweep figure` draws."""
    from analysis.figures.named import FIGURES  # charts take seconds to import

    return list(FIGURES)


def table_names() -> list[str]:
    """The tables that `phasesweep table` prints."""
    from analysis.figures.named import TABLES

    return list(TABLES)


def complete_figure(incomplete: str) -> list[str]:
    """The figures whose names begin so."""
    return beginning(incomplete, figure_names())


def complete_table(incomplete: str) -> list[str]:
    """The tables whose names begin so."""
    return beginning(incomplete, table_names())


def beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    """Those of the names that begin so."""
    return [name for name in names if name.startswith(incomplete)]


def complete_trial(ctx: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """The trial ids that begin so, in the store that the line names; each with its outcome."""
    from analysis.reading.views import connect

    try:
        with connect(ctx.params["store"], TRIALS) as connection:
            yield from connection.execute(TRIALS, [incomplete, MOST_TRIALS]).fetchall()
    except (KeyError, ValueError):  # no store there: nothing to offer
        return
