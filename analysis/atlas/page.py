"""The atlas: a store as one self-contained HTML page that opens from a file, offline.

The page may load nothing: its policy allows its own two scripts, by their hashes, and
pictures within it. Words from a store are escaped here, and set as text by the scripts.
"""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from analysis.atlas.argument import argument
from analysis.atlas.data import atlas_data
from analysis.atlas.overview import dictionary, overview, summary
from analysis.atlas.packing import compressed, pack
from analysis.atlas.pictures import framed
from analysis.atlas.place import quoted_place
from analysis.figures.gallery import drawn, title
from analysis.reading.stores import read_manifest
from analysis.tables.views import EVERYTHING, View

SCRIPTS = (
    "elements.js",
    "data.js",
    "cells.js",
    "layout.js",
    "shades.js",
    "theory.js",
    "panels.js",
    "map.js",
    "legend.js",
    "tip.js",
    "run.js",
    "view.js",
    "table.js",
    "parallel.js",
    "page.js",
)


def atlas(
    store: str | Path,
    trained_level: float | None = None,
    view: View = EVERYTHING,
    figures: str | None = None,
) -> str:
    """The atlas of a store, as HTML.

    Args:
        store: Its folder or URL.
        trained_level: As of analysis.tables.judgments.read_judged.
        view: Which runs it shows, and what lies where when it opens.
        figures: HTML to show in place of the figures; None draws them, which takes longest.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        ValueError: They cannot be judged at that level, none meets the view, or a setting
            takes too many values for a page.
    """
    manifest = read_manifest(store)
    header, columns = atlas_data(store, trained_level, view)
    header["store"] = quoted_place(store)
    script = "".join(web_file(name) for name in SCRIPTS)
    plotly = get_plotlyjs()
    return Template(web_file("page.html")).substitute(
        name=escape(Path(store).name),
        script_hashes=f"{_hash(script)} {_hash(plotly)}",
        style=web_file("atlas.css"),
        summary=summary(header, columns),
        overview=overview(header, columns, manifest),
        argument=argument(store, manifest),
        figures="\n".join(_figures(store, trained_level, view)) if figures is None else figures,
        dictionary=dictionary(store),
        numbers=pack(header, columns),
        plotly=compressed(plotly.encode()),
        script=script,
    )


def web_file(name: str) -> str:
    """The text of one of the files in web/."""
    return (resources.files("analysis.atlas") / "web" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _figures(store: str | Path, trained_level: float | None, view: View) -> Iterator[str]:
    """Every figure that the store has the numbers for, and why the others are missing."""
    missing = []
    judged = "" if trained_level is None else f" --trained-level {trained_level:g}"
    for name, figure in drawn(store, trained_level, view):
        words = escape(title(name))
        if isinstance(figure, str):
            missing.append(f"<li>{words}: {escape(figure)}</li>")
            continue
        asked = escape(f"{name} {quoted_place(store)}{view.options()}{judged}")
        yield framed(figure, words, f"{words}: <code>phasesweep figure {asked}</code>")
    if missing:
        yield (
            "<details><summary>Figures that this store has no numbers for</summary>"
            f"<ul>{''.join(missing)}</ul></details>"
        )
