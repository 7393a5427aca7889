"""Two stores beside each other as one HTML page: settings, outcomes, the moved boundary."""

from collections.abc import Iterator, Sequence
from html import escape
from math import isnan
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from analysis.atlas.changed_cells import changed_outcomes_map, moved_boundary_scatter
from analysis.atlas.overview import html_table
from analysis.atlas.page import web_file
from analysis.atlas.pictures import framed
from analysis.atlas.place import quoted_place
from analysis.explaining.two_stores import (
    boundary_words,
    common_words,
    largest_moves,
    most_different,
    outcome_pairs,
    outcome_words,
    store_words,
    values_words,
)
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.two_stores import Comparison, compared
from analysis.tables.views import EVERYTHING, View

SHOWN = 8  # rows of a table; the others are folded away


def two_stores(a: str, b: str, trained_level: float | None = None, view: View = EVERYTHING) -> str:
    """The comparison of two stores, as a page that loads nothing.

    Args:
        a, b: Their folders or URLs.
        trained_level: As of analysis.tables.judgments.read_judged.
        view: What lies where on the map, and which of the common cells it shows.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: The runs cannot be judged at that level, or no common cell meets
            the view.
    """
    found = compared(a, b, trained_level)
    words = store_words(found)
    return Template(web_file("two_stores.html")).substitute(
        style=web_file("atlas.css"),
        a=escape(Path(a).name),
        b=escape(Path(b).name),
        place_a=escape(quoted_place(a)),
        place_b=escape(quoted_place(b)),
        words_a=words[0],
        words_b=words[1],
        settings=_settings(found.settings),
        outcomes="\n".join(_outcomes(found, view)),
    )


def _settings(settings: pd.DataFrame) -> str:
    if settings.empty:
        return "<p>None.</p>"
    rows = [
        (setting, values_words(a), values_words(b), common_words(a, b))
        for setting, a, b in settings.itertuples(index=False)
    ]
    return _table(("setting", "A", "B", ""), rows)


def _outcomes(found: Comparison, view: View) -> Iterator[str]:
    """The sections on the cells that both stores have."""
    if found.cells.empty:
        yield (
            "<section><h2>Outcomes</h2><p>No cell is in both: a setting above has no value that "
            "both have.</p></section>"
        )
        return
    drawn = changed_outcomes_map(found, view)
    yield (
        f"<section><h2>Outcomes in the {len(found.cells):,} cells that both have</h2>"
        f"<p>{outcome_words(found)}. A cell is a combination of settings; where it has several "
        "seeds, their most frequent outcome counts.</p>"
        f"{framed(drawn, 'Where two stores train', 'Where the networks of A and B train')}"
        f"{_rows(outcome_pairs(found))}"
    )
    where = most_different(found)
    yield f"<h3>Where they differ most</h3>{_rows(where)}</section>" if len(where) else "</section>"
    if found.boundary is not None:
        yield from _boundary(found, found.boundary)


def _boundary(found: Comparison, boundary: pd.DataFrame) -> Iterator[str]:
    said = "".join(f"<p>{words[0].upper()}{words[1:]}.</p>" for words in boundary_words(boundary))
    yield f"<section><h2>The largest learning rate that trained</h2>{said}"
    try:
        drawn = moved_boundary_scatter(found)
    except UnsuitableRunsError as error:
        yield f"<p>{escape(str(error).capitalize())}.</p>"
    else:
        caption = "A point on the line did not move; above it, B trained at larger learning rates"
        yield framed(drawn, "Largest learning rates that trained, B against A", caption)
    yield f"{_rows(largest_moves(boundary))}</section>"


def _rows(table: pd.DataFrame) -> str:
    """A table, of which the first rows are in sight."""
    if table.empty:
        return ""
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    names = [str(name) for name in table]
    shown = _table(names, rows[:SHOWN])
    if len(rows) <= SHOWN:
        return shown
    left = len(rows) - SHOWN
    rest = f"The other {left:,} rows" if left > 1 else "The other row"
    return f"{shown}<details><summary>{rest}</summary>{_table(names, rows[SHOWN:])}</details>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if isnan(value) else f"{value:.4g}"
    return str(value)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts."""
    cells = [[f"<td>{escape(cell)}</td>" for cell in row] for row in rows]
    head = [escape(name.replace("_", " ")) for name in names]
    return html_table(head, [f"<tr>{''.join(row)}</tr>" for row in cells])
