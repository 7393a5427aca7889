"""Trainings for tests, as core's trainer returns them, and its columns as rows."""

from types import SimpleNamespace

import numpy as np

from core.settings import Trials
from core.training import train


def tables(trials, task):
    """The columns of trainings, by table."""
    return train(Trials.of(list(trials)), task)


def trainings(trials, task):
    """Of each trial: `trial`, its row of `runs` as `result`, and its columns of other tables."""
    trials = list(trials)
    found = tables(trials, task)
    further = [name for name in found if name != "runs"]
    return [
        SimpleNamespace(
            trial=trial, result=row, **{name: of_trial(found[name], place) for name in further}
        )
        for place, (trial, row) in enumerate(zip(trials, rows(found["runs"]), strict=True))
    ]


def results(trials, task):
    """A row of `runs` for each trial, its columns as attributes; None where there is no number."""
    return rows(tables(trials, task)["runs"])


def rows(columns):
    """Columns as rows."""
    names, values = list(columns), zip(*(c.tolist() for c in columns.values()), strict=True)
    return [SimpleNamespace(**dict(zip(names, map(_known, row), strict=True))) for row in values]


def of_trial(table, place):
    """The columns of a further table's rows that belong to the trial at a place."""
    own = table["place"] == place
    return {name: column[own] for name, column in table.items() if name != "place"}


def _known(value):
    return None if isinstance(value, float) and not np.isfinite(value) else value
