"""What a map shows of a store: its runs, and for a traced map the cells between them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.reading.cells import INFERRED, filled
from analysis.reading.labels import LABELS, column_of
from analysis.reading.stores import read_schema
from analysis.reading.traces import Trace, read_traces
from analysis.tables.judgments import read_judged
from analysis.tables.views import EVERYTHING, View
from core.trials import TRIAL_FIELDS

# What maps draw, label and say in their titles.
COLUMNS = (
    *TRIAL_FIELDS,
    *dict.fromkeys(column_of(label) for label in LABELS),
    "cause",
    "initial_loss",
    "tail_loss",
    "steps_run",
)


def read_map(
    store: str | Path, trained_level: float | None = None, view: View = EVERYTHING
) -> pd.DataFrame:
    """The store's runs, judged as of read_judged; with traced sweeps also every other cell.

    Args:
        store: Its folder or URL.
        trained_level: As of read_judged.
        view: What the cells are for; a cell meets a condition on a result if its run does.

    Returns:
        All columns of the runs where no sweep was traced; else COLUMNS, those of the view's
        conditions, `inferred` and `distance`, as of analysis.reading.cells.filled.
    """
    traces = read_traces(store)
    if not traces:
        return read_judged(store, trained_level)
    asked = set(view.conditioned) & set(read_schema(store).names)
    return filled(read_judged(store, trained_level, [*COLUMNS, *(asked - {*COLUMNS})]), traces)


def trace_note(cells: pd.DataFrame, traces: Sequence[Trace]) -> str | None:
    """What a title says of traced maps: the share trained, and how many labels may be wrong.

    Args:
        cells: Those drawn.
        traces: The traced sweeps of their store.
    """
    if INFERRED not in cells or not cells[INFERRED].any():
        return None
    share = 1 - cells[INFERRED].mean()
    labels = ", ".join(dict.fromkeys(trace.of for trace in traces))
    audits = [a for trace in traces for a in trace.audits if _drawn(a.panel, cells)]
    trust = "not audited yet"
    if audits:
        bound = max(audit.bound for audit in audits)
        trust = f"at most {bound:.2%} of these are wrong about {labels} (95% confidence)"
    if not all(audit.complete for audit in audits):
        trust += "; the sweep has not ended yet"
    return (
        f"{share:.1%} of the cells were trained, near the boundary of {labels}; the others are "
        f"taken from the nearest run: {trust}"
    )


def trained_only_note(cells: pd.DataFrame) -> str | None:
    """What a table says that has only the runs of a traced map; None if each cell was trained."""
    if INFERRED not in cells or not cells[INFERRED].any():
        return None
    return (
        f"a sweep here was traced: this table is of the {1 - cells[INFERRED].mean():.1%} of the "
        "cells that were trained, and so are its shares"
    )


def _drawn(panel: Mapping[str, Any], cells: pd.DataFrame) -> bool:
    """Whether some cells of a panel are drawn."""
    here = pd.Series(True, cells.index)
    for name, value in panel.items():
        here &= cells[name] == value
    return bool(here.any())
