"""The atlas' tables: outcomes and cost, settings, provenance, the data dictionary."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from analysis.atlas.data import Columns
from analysis.reading.dictionary import TITLES
from analysis.reading.stores import TABLES, MissingTableError, data_dictionary, read_schema

BAR_REM = 12
MOST_VALUES = 8


def overview(header: dict[str, Any], columns: Columns, manifest: dict[str, Any]) -> str:
    """Counts, cost, what was varied, and where the numbers come from.

    Args:
        header, columns: As analysis.atlas.data returns them.
        manifest: The store's.
    """
    return "\n".join(
        [
            "<h3>How the trainings ended</h3>",
            _outcomes(header, columns),
            "<h3>What was varied</h3>",
            _settings(header),
            "<h3>Where the numbers come from</h3>",
            _provenance(manifest),
        ]
    )


def summary(header: dict[str, Any], columns: Columns) -> str:
    """How many trainings there are, what share trained, and what they cost; as overview."""
    trained = [region["outcome"] == "trained" for region in header["regions"]]
    share = np.isin(columns["region"], np.flatnonzero(trained)).mean()
    sentence = f"{len(header['ids']):,} trainings, of which {share:.0%} trained"
    sentence += f" (their loss fell below {header['trained']} of the best constant's)"
    if "measure wall_seconds" in columns:
        seconds = float(np.nansum(10.0 ** columns["measure wall_seconds"].astype(np.float64)))
        sentence += f"; they took {_duration(seconds)} of one core's time"
    return f"<p>{sentence}.{_traced(header)}{_shown(header)}</p>"


def _traced(header: dict[str, Any]) -> str:
    """What was trained of a traced map."""
    return f" Traced: {escape(header['traced'])}." if header["traced"] else ""


def _shown(header: dict[str, Any]) -> str:
    """Which part of the store is on the page, if it is a part."""
    if not header["where"]:
        return ""
    return escape(f" Of the store's runs only those with {', '.join(header['where'])} are here.")


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def _outcomes(header: dict[str, Any], columns: Columns) -> str:
    """How many runs ended so, and their share; of a traced map the share of all its cells."""
    runs, inferred = columns["region"], columns["region"][columns["cell run"]]
    counts, others = (
        np.bincount(each, minlength=len(header["regions"])) for each in (runs, inferred)
    )
    shares = (counts + others) / (len(runs) + len(inferred))
    rows = []
    for region, count, share in zip(header["regions"], counts, shares, strict=True):
        if not count:
            continue
        style = f"width:{BAR_REM * share:.2f}rem;background:{region['color']}"
        bar = f'<span class="bar" style="{style}"></span>'
        rows.append(
            f'<tr><td>{escape(region["label"])}</td><td class="number">{count:,}</td>'
            f'<td class="number">{share:.1%}</td><td>{bar}</td></tr>'
        )
    share_of = "share of cells" if len(inferred) else "share"
    return html_table(("outcome", "runs", share_of, ""), rows)


def _settings(header: dict[str, Any]) -> str:
    varied = [
        (setting["name"], f"{len(setting['values'])} values: {_listed(setting['values'])}")
        for setting in header["settings"]
    ]
    fixed = [(name, _as_text(value)) for name, value in header["fixed"].items()]
    rows = [
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(values)}</td></tr>"
        for name, values in varied + fixed
    ]
    return html_table(("setting", "values"), rows)


def _listed(values: Sequence[Any]) -> str:
    if len(values) <= MOST_VALUES:
        return ", ".join(map(_as_text, values))
    return f"{', '.join(map(_as_text, values[:3]))} ... {_as_text(values[-1])}"


def _as_text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _provenance(manifest: dict[str, Any]) -> str:
    sweeps = "".join(
        f"<tr><td>{escape(str(sweep.get('name')))}</td>"
        f"<td>{escape(str(sweep.get('last_run')))}</td></tr>"
        for sweep in manifest.get("sweeps", ())
    )
    about = {name: value for name, value in manifest.items() if name != "sweeps"}
    return (
        html_table(("sweep", "last run"), [sweeps])
        + "<details><summary>Versions, machine and the outcomes' thresholds</summary>"
        + f"<pre>{escape(json.dumps(about, indent=2))}</pre></details>"
    )


def dictionary(store: str | Path) -> str:
    """What the columns of each table mean."""
    return "\n".join(_described(store))


def _described(store: str | Path) -> Iterable[str]:
    for table in TABLES:
        try:
            rows = data_dictionary(read_schema(store, table)).to_numpy()
        except MissingTableError:
            continue
        lines = [
            f"<tr><td><code>{escape(column)}</code></td><td>{escape(kind)}</td>"
            f"<td>{escape(unit)}</td><td>{escape(meaning)}</td></tr>"
            for column, kind, unit, meaning in rows
        ]
        yield (
            f"<details><summary>{table}: {escape(TITLES[table])}</summary>"
            f"{html_table(('column', 'type', 'unit', 'meaning'), lines)}</details>"
        )


def html_table(head: Sequence[str], rows: Sequence[str]) -> str:
    """A table as HTML; the head and each row, `<tr>` included, are HTML."""
    cells = "".join(f"<th scope='col'>{name}</th>" for name in head)
    return (
        "<div class='scroll' tabindex='0' role='region' aria-label='Table'>"
        f"<table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
