"""Two stores, compared: all that a page or the command line says of them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.reading.thresholds import read_judged_by
from analysis.reading.traces import read_traces
from analysis.tables.comparison import (
    COMPARED,
    RATE,
    changes_by_setting,
    common_cells,
    differing_settings,
    differing_thresholds,
    moved_boundary,
    moves,
    outcome_changes,
)
from analysis.tables.judgments import read_judged


@dataclass(frozen=True)
class Comparison:
    """Two stores, compared.

    Attributes:
        stores: A's path or URL and B's, as given.
        traced: Whether each has a traced sweep, which trained the cells near a boundary alone.
        trainings, trained: How many runs each has, and how many of them trained.
        settings: As differing_settings returns them, followed by the thresholds that differ.
        shared: The settings that have one value, the same in both, and that value.
        cells, changes, by_setting: As common_cells, outcome_changes and changes_by_setting return
            them.
        boundary: As moved_boundary returns it; None unless both have two learning rates in common.
    """

    stores: tuple[str, str]
    traced: tuple[bool, bool]
    trainings: tuple[int, int]
    trained: tuple[int, int]
    settings: pd.DataFrame
    shared: dict[str, Any]
    cells: pd.DataFrame
    changes: pd.DataFrame
    by_setting: pd.DataFrame
    boundary: pd.DataFrame | None

    @property
    def same(self) -> int:
        """How many cells have the same outcome in both."""
        return len(self.cells) - int(self.changes["cells"].sum())

    def as_json(self) -> dict[str, Any]:
        """The comparison as a JSON document, with every row of its tables."""
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


def compared(a: str, b: str, trained_level: float | None = None) -> Comparison:
    """Compare two stores.

    Args:
        a, b: Their folders or URLs.
        trained_level: As of analysis.tables.judgments.read_judged.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: The runs cannot be judged at that level.
    """
    columns = [*COMPARED, "outcome", "thresholds"]
    runs_a, runs_b = (read_judged(store, trained_level, columns) for store in (a, b))
    settings = [
        differing_settings(runs_a, runs_b),
        differing_thresholds(runs_a, runs_b, read_judged_by(a), read_judged_by(b)),
    ]
    cells = common_cells(runs_a, runs_b)
    has_rates = RATE in cells and cells[RATE].nunique() > 1
    return Comparison(
        stores=(a, b),
        traced=(bool(read_traces(a)), bool(read_traces(b))),
        trainings=(len(runs_a), len(runs_b)),
        trained=(_trained(runs_a), _trained(runs_b)),
        settings=pd.concat(settings, ignore_index=True),
        shared=_shared(runs_a, runs_b),
        cells=cells,
        changes=outcome_changes(cells),
        by_setting=changes_by_setting(cells),
        boundary=moved_boundary(cells) if has_rates else None,
    )


def _trained(runs: pd.DataFrame) -> int:
    return int((runs["outcome"] == "trained").sum())


def _shared(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    """The settings with one value in both."""
    names = [name for name in COMPARED if name in a and name in b]
    one = [n for n in names if a[n].nunique() == 1 and a[n].unique()[0] in b[n].to_numpy()]
    return {name: a[name].iloc[0] for name in one if b[name].nunique() == 1}
