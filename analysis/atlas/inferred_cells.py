"""The cells of traced maps that were not trained: each stands on the page for the nearest run."""

from collections.abc import Sequence

import pandas as pd

from analysis.reading.cells import INFERRED, filled
from analysis.reading.traces import Trace
from analysis.tables.map_cells import trace_note
from analysis.tables.views import View
from core.trials import TRIAL_FIELDS


def inferred_cells(
    every: pd.DataFrame, shown: pd.Series, traces: Sequence[Trace], view: View
) -> tuple[pd.DataFrame, str | None]:
    """The cells that a view keeps and that were not trained, with the run that each is as.

    Args:
        every: The store's runs.
        shown: The trial ids of the page's runs, in its order.
        traces: The traced sweeps of the store.
        view: Its conditions on results hold for a cell if they hold for its run.

    Returns:
        A row for each cell: the settings, and `run`, the place of its run among those shown;
        a cell whose run is not shown is left out. And what a title says of them, as of
        trace_note.
    """
    needed = list(dict.fromkeys([*TRIAL_FIELDS, "trial_id", *view.conditioned]))
    if not traces:
        return every.loc[[], needed].assign(run=0), None
    cells = view.kept(filled(every[needed], traces))
    inferred = cells[cells[INFERRED]]
    places = pd.Index(shown).get_indexer(inferred["trial_id"])
    inferred = inferred.assign(run=places)
    return inferred[inferred["run"] >= 0], trace_note(cells, traces)
