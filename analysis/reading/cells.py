"""Every cell of a traced map: what was not trained is taken from the nearest run.

Nearest is counted in places along the traced axes, which is even on the map, whatever the axes'
units.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from analysis.reading.labels import column_of, labels_of
from analysis.reading.stores import axes, read_runs
from analysis.reading.traces import Trace, read_traces
from core.trials import SETTINGS

INFERRED, DISTANCE = "inferred", "distance"


def filled(runs: pd.DataFrame, traces: Sequence[Trace]) -> pd.DataFrame:
    """The runs, and for each other cell of a traced map the nearest run, at the cell's settings.

    Args:
        runs: The settings and any other columns.
        traces: The traced sweeps of their store; without any the runs are returned as they are.

    Returns:
        The runs' columns, and `inferred`, whether the cell was not trained, and `distance` to the
        nearest run, 0 for a run itself, in places along the traced axes.
    """
    if not traces:
        return runs
    trained = runs.assign(**{INFERRED: False, DISTANCE: 0.0})
    inferred = [cells for trace in traces for cells in _inferred(runs, trace)]
    every = pd.concat([trained, *inferred], ignore_index=True)
    if len(traces) == 1:
        return every
    # Where two traced maps overlap, a cell is that of the run, or of the nearer one.
    settings = list(dict.fromkeys(name for trace in traces for name in trace.values))
    known = [name for name in settings if name in runs]
    return every.sort_values(DISTANCE, kind="stable").drop_duplicates(known).sort_index()


def read_cells(store: str | Path) -> pd.DataFrame | None:
    """Every cell of a store's traced maps, with the label that was traced.

    Returns:
        A row for each cell: its `sweep`, the settings that vary there, `label`, `inferred` and
        `distance` as of filled, and the `trial_id` of the run that the label is from. None where
        no sweep was traced.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
    """
    tables = [_labeled(store, trace) for trace in read_traces(store)]
    return pd.concat(tables, ignore_index=True) if tables else None


def _labeled(store: str | Path, trace: Trace) -> pd.DataFrame:
    varying = [name for name, values in trace.values.items() if len(values) > 1]
    kept = [*trace.values, column_of(trace.of), "trial_id"]
    runs = read_runs(store, list(dict.fromkeys(kept)))
    cells = filled(runs[_of_sweep(runs, trace)], [trace])
    cells.insert(0, "sweep", trace.sweep)
    labels = labels_of(cells, trace.of)
    return cells[["sweep", *varying, INFERRED, DISTANCE, "trial_id"]].assign(
        label=labels.astype(str).where(labels.notna(), None)
    )


def _inferred(runs: pd.DataFrame, trace: Trace) -> Iterator[pd.DataFrame]:
    """The cells of each panel of a traced map that were not trained."""
    own = runs[_of_sweep(runs, trace)]
    if own.empty:  # nothing is committed yet
        return
    panels = [name for name in axes(own) if name not in trace.axes]
    for _, here in own.groupby(panels, sort=False) if panels else [((), own)]:
        yield _of_panel(here, trace)


def _of_sweep(runs: pd.DataFrame, trace: Trace) -> pd.Series:
    """Which runs have the settings of a cell of the sweep's map.

    Runs that were judged again have another trained level than in the sweep, all of them.
    """
    judged = [name for name in trace.values if SETTINGS[name].decides == "verdict"]
    own = _have(runs, {n: values for n, values in trace.values.items() if n not in judged})
    exactly = own & _have(runs, {name: trace.values[name] for name in judged})
    return exactly if exactly.any() else own


def _have(runs: pd.DataFrame, wanted: Mapping[str, Sequence[Any]]) -> pd.Series:
    """Which runs have one of the values wanted of each setting."""
    own = pd.Series(True, runs.index)
    for name, values in wanted.items():
        own &= runs[name].isin(values)
    return own


def _of_panel(runs: pd.DataFrame, trace: Trace) -> pd.DataFrame:
    places = [pd.Index(trace.values[name]).get_indexer(runs[name]) for name in trace.axes]
    at = np.full([len(trace.values[name]) for name in trace.axes], -1)
    at[tuple(places)] = np.arange(len(runs))
    distances, nearest = _nearest(at < 0)
    missing = np.nonzero(at < 0)
    cells = runs.iloc[at[tuple(each[missing] for each in nearest)]]
    settings = {
        name: np.asarray(trace.values[name])[place]
        for name, place in zip(trace.axes, missing, strict=True)
    }
    return cells.assign(**settings, **{INFERRED: True, DISTANCE: distances[missing]})


def _nearest(missing: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """For each place the distance to the nearest one that is not missing, and its indices."""
    distances, indices = ndimage.distance_transform_edt(missing, return_indices=True)
    return distances, indices
