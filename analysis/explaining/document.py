"""One run's explanation as data: what `explain` says, for a program to read."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.explaining.causes import Run, why
from analysis.explaining.explanation import (
    LISTED,
    NEIGHBOR_COLUMNS,
    events,
    find_run,
    layers_of,
    signal_theory,
)
from analysis.explaining.neighbors import nearest_trained
from analysis.explaining.pytorch_lines import pytorch_lines
from analysis.explaining.remedies import remedies
from analysis.explaining.suggestions import Remedy
from analysis.reading.stores import read_runs


def explanation_document(store: str | Path, prefix: str) -> dict[str, Any]:
    """Explain the run whose trial id begins with a prefix; raises what find_run raises.

    Returns:
        `trial_id`, `outcome` and `cause`; its `settings`, and as `results` all other columns of
        `runs`, None where a number does not exist; `events` and `why` in words; `theory`, the
        infinite-width numbers of analysis.theory (None where there are none); `layers`, the
        run's rows of that table; `trained_nearby` and `remedies`, best first, each with its
        `changes`: by setting, the old value `from` and the new value `to`.
    """
    run = find_run(store, prefix)
    runs, layers = read_runs(store, NEIGHBOR_COLUMNS), layers_of(store, run)
    theory = signal_theory(run, layers)
    named = ("trial_id", "outcome", "cause")
    return {
        "store": str(store),
        **{name: run[name] for name in named},
        "settings": {name: run[name] for name in LISTED},
        "events": list(events(run)),
        "why": why(run),
        "theory": theory and asdict(theory),
        "trained_nearby": [_neighbor(run, row) for _, row in nearest_trained(run, runs).iterrows()],
        "remedies": [_remedy(run, remedy) for remedy in remedies(run, runs)],
        "results": {n: value for n, value in run.items() if n not in (*LISTED, *named)},
        "layers": layers.drop(columns="trial_id", errors="ignore").to_dict("records"),
    }


def _neighbor(run: Run, row: pd.Series) -> dict[str, Any]:
    changes = _changes(run, {name: row[name] for name in row["changed"]})
    return {"trial_id": row["trial_id"], "final_loss": row["final_loss"], "changes": changes}


def _remedy(run: Run, remedy: Remedy) -> dict[str, Any]:
    return {
        "changes": _changes(run, remedy.changes),
        "reason": remedy.reason,
        "trial_id": remedy.trial_id,
        "pytorch": list(pytorch_lines({**run, **remedy.changes}, remedy.changes)),
    }


def _changes(run: Run, changed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"from": run[name], "to": value} for name, value in changed.items()}
