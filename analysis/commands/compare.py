"""The command that holds two stores beside each other."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.commands.draw import AsJson, TrainedLevel, refusing
from analysis.reading.printing import json_document

if TYPE_CHECKING:
    import pandas as pd

commands = typer.Typer()

LINE = 80  # characters
MOST_ROWS = 8  # of a table; --json has all
MOST_VALUES = 4
INDENT = "  "


@commands.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A store's folder or URL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another's.")],
    trained_level: TrainedLevel = None,
    as_json: AsJson = False,
) -> None:
    """Compare two stores: their settings, their outcomes, and where the boundary moved."""
    with refusing():
        found = compared(a, b, trained_level)
    if as_json:
        print(json_document(found.as_json()))
        return
    print("\n".join(found.in_words()))


@dataclass(frozen=True)
class Comparison:
    """Two stores, compared.

    Attributes:
        stores: A's path or URL and B's, as given.
        trainings, trained: How many runs each has, and how many of them trained.
        settings: As of differing_settings, the thresholds that differ at its end.
        cells, changes, by_setting: As of common_cells, outcome_changes, changes_by_setting.
        boundary: As of moved_boundary; None where no two learning rates are in both.
    """

    stores: tuple[str, str]
    trainings: tuple[int, int]
    trained: tuple[int, int]
    settings: "pd.DataFrame"
    cells: "pd.DataFrame"
    changes: "pd.DataFrame"
    by_setting: "pd.DataFrame"
    boundary: "pd.DataFrame | None"

    @property
    def same(self) -> int:
        """How many cells have the same outcome in both."""
        return len(self.cells) - int(self.changes["cells"].sum())

    def as_json(self) -> dict[str, Any]:
        """The comparison as a JSON document, with every row of its tables."""
        from analysis.tables.comparison import moves

        each = zip(self.stores, self.trainings, self.trained, strict=True)
        a, b = ({"store": s, "trainings": n, "trained": good} for s, n, good in each)
        return {
            "a": a,
            "b": b,
            "settings": self.settings.to_dict("records"),
            "cells": len(self.cells),
            "same_outcome": self.same,
            "outcomes": self.changes.to_dict("records"),
            "by_setting": self.by_setting.to_dict("records"),
            "boundary": None
            if self.boundary is None
            else {**moves(self.boundary), "largest_rates": self.boundary.to_dict("records")},
        }

    def in_words(self) -> Iterator[str]:
        """The comparison in lines of text."""
        for name, store, count, good in zip(
            "AB", self.stores, self.trainings, self.trained, strict=True
        ):
            yield f"{name}  {store}: {count:,} trainings, {good / count:.0%} trained"
        yield from _heading("Settings that differ")
        yield from self._settings_lines()
        if self.cells.empty:
            yield from _heading("Outcomes")
            yield f"{INDENT}no cell is in both: a setting above has no value that both have"
            return
        yield from self._outcome_lines()
        yield from self._boundary_lines()

    def _settings_lines(self) -> Iterator[str]:
        if self.settings.empty:
            yield f"{INDENT}none"
        for setting, a, b in self.settings.itertuples(index=False):
            yield from _wrapped(f"{setting}: A {_values(a)}; B {_values(b)}{_common(a, b)}")

    def _outcome_lines(self) -> Iterator[str]:
        cells = len(self.cells)
        yield from _heading(f"Outcomes in the {cells:,} cells that both have")
        yield f"{INDENT}{self.same:,} the same, {cells - self.same:,} not"
        changes = self.changes.rename(columns={"outcome_a": "A", "outcome_b": "B"})
        yield from _table(changes)
        where = self.by_setting[self.by_setting["differ"] > 0]
        if len(where):
            yield from _heading("Where they differ most")
            shares = where.assign(share=[f"{share:.0%}" for share in where["share"]])
            order = where["share"].sort_values(ascending=False, kind="stable").index
            shown = shares.loc[order].assign(value=[_value(v) for v in where.loc[order, "value"]])
            yield from _table(shown)

    def _boundary_lines(self) -> Iterator[str]:
        from analysis.tables.comparison import moves

        yield from _heading("The largest learning rate that trained, of those in both; blank: none")
        if self.boundary is None:
            yield f"{INDENT}no two learning rates are in both"
            return
        found = moves(self.boundary)
        words = (
            f"of {len(self.boundary):,} networks: {found['up']:,} larger in B, "
            f"{found['down']:,} smaller, {found['same']:,} the same; {found['only_a']:,} trained "
            f"in A alone, {found['only_b']:,} in B alone, {found['neither']:,} in neither"
        )
        yield from _wrapped(words)
        if found["median_factor"] is not None:
            yield f"{INDENT}median of B over A, where both trained: {found['median_factor']:.3g}"
        yield from _table(_largest_moves(self.boundary))


def compared(a: str, b: str, trained_level: float | None = None) -> Comparison:
    """Compare two stores.

    Args:
        a, b: Their folders or URLs.
        trained_level: As of analysis.tables.judgments.read_judged.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: The runs cannot be judged at that level.
    """
    import pandas as pd

    from analysis.reading.thresholds import read_judged_by
    from analysis.tables import comparison as tables
    from analysis.tables.judgments import read_judged

    columns = [*tables.COMPARED, "outcome", "thresholds"]
    runs_a, runs_b = (read_judged(store, trained_level, columns) for store in (a, b))
    settings = [
        tables.differing_settings(runs_a, runs_b),
        tables.differing_thresholds(runs_a, runs_b, read_judged_by(a), read_judged_by(b)),
    ]
    cells = tables.common_cells(runs_a, runs_b)
    has_rates = "learning_rate" in cells and cells["learning_rate"].nunique() > 1
    return Comparison(
        stores=(a, b),
        trainings=(len(runs_a), len(runs_b)),
        trained=(_trained(runs_a), _trained(runs_b)),
        settings=pd.concat(settings, ignore_index=True),
        cells=cells,
        changes=tables.outcome_changes(cells),
        by_setting=tables.changes_by_setting(cells),
        boundary=tables.moved_boundary(cells) if has_rates else None,
    )


def _trained(runs: "pd.DataFrame") -> int:
    return int((runs["outcome"] == "trained").sum())


def _largest_moves(boundary: "pd.DataFrame") -> "pd.DataFrame":
    """The rows that moved by the largest factors, and those that trained on one side alone."""
    moved = boundary[boundary["largest_a"].ne(boundary["largest_b"])]
    moved = moved[moved["largest_a"].notna() | moved["largest_b"].notna()]
    size = moved["factor"].where(moved["factor"] >= 1, 1 / moved["factor"])
    order = size.sort_values(ascending=False, na_position="last", kind="stable").index
    names = {"largest_a": "A", "largest_b": "B", "factor": "B / A", "highest": "tried up to"}
    return moved.loc[order].rename(columns=names)


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


def _values(values: Sequence[Any]) -> str:
    if len(values) <= MOST_VALUES:
        return ", ".join(map(_value, values))
    return f"{len(values)} values from {_value(values[0])} to {_value(values[-1])}"


def _common(a: Sequence[Any], b: Sequence[Any]) -> str:
    """How many values two lists have in common, if they have several."""
    common = len(set(a) & set(b))
    return f"; {common} in both" if max(len(a), len(b)) > 1 else ""


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
