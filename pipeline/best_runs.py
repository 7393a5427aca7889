"""The best run found: the smallest loss at the end, as a share of the best constant's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.outcomes import ENDED
from core.settings import Value, trial_from, values_of
from core.trainers import Trainer
from pipeline.grids.grid import Grid

# The results that the best run is found by, and the setting that says what trained means.
RESULTS = ("outcome", "tail_loss", "baseline_loss")
LEVEL = "trained_level"

# Levels to suggest where nothing trained: the first one that the best run would have reached.
LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class BestRun:
    """The run whose final loss is the smallest share of the best constant's loss.

    Attributes:
        trial_id: Its id; of runs with the same share the smallest.
        share: Mean of its last losses over the best constant predictor's loss.
        trained_level: The share at or below which it counts as trained.
        settings: All of its settings by name.
    """

    trial_id: str
    share: float
    trained_level: float
    settings: Mapping[str, Value]


@dataclass(frozen=True)
class Found:
    """The best of a store's runs, and how many runs there are.

    Attributes:
        runs: How many there are.
        trained: How many of them trained.
        best: The best of them; None where none has such a share.
    """

    runs: int
    trained: int
    best: BestRun | None


def best_columns(trainer: Trainer) -> list[str]:
    """The columns of `runs` needed to find the best run; none if the trainer has no such loss."""
    results = {column.name for column in trainer.results}
    if LEVEL not in trainer.settings or not results.issuperset(RESULTS):
        return []
    return ["trial_id", *trainer.settings, *RESULTS]


def find_best(batches: Iterable[pa.RecordBatch], trainer: Trainer) -> Found | None:
    """Read the runs batch by batch and keep the best.

    Runs that overflowed or diverged are left out, and so are runs where the best constant's loss
    is 0, since no loss is a share of 0.

    Args:
        batches: Of the table `runs`, with `best_columns`.
        trainer: What trained them.

    Returns:
        None for a trainer without such a loss: its runs cannot be compared.
    """
    if not best_columns(trainer):
        return None
    runs, trained, best = 0, 0, None
    for rows in batches:
        runs += len(rows)
        trained += pc.sum(pc.equal(rows["outcome"], "trained")).as_py() or 0
        found = (best, _best_of(rows, trainer))
        best = min((each for each in found if each is not None), key=_rank, default=None)
    return Found(runs, trained, best)


def _rank(run: BestRun) -> tuple[float, str]:
    return run.share, run.trial_id


def _best_of(rows: pa.RecordBatch, trainer: Trainer) -> BestRun | None:
    rows = rows.filter(pc.is_in(rows["outcome"], value_set=pa.array(ENDED)))
    # Where the best constant's loss is 0, shares are infinite or NaN.
    shares = pc.divide(rows["tail_loss"], rows["baseline_loss"]).to_numpy(zero_copy_only=False)
    if not np.isfinite(shares).any():
        return None
    smallest = np.flatnonzero(shares == np.nanmin(shares))
    row = min(rows.take(pa.array(smallest)).to_pylist(), key=lambda row: str(row["trial_id"]))
    settings = values_of(trial_from(trainer.trial, row))
    share = row["tail_loss"] / row["baseline_loss"]
    return BestRun(row["trial_id"], share, float(settings[LEVEL]), settings)


def varying_settings(grids: Iterable[Grid], trainer: Trainer) -> list[str]:
    """The trainer's settings that take more than one value on the grids together."""
    values: dict[str, set[Value]] = {name: set() for name in trainer.settings}
    for grid in grids:
        for name, axis in grid.values.items():
            values[name].update(axis)
    return [name for name, taken in values.items() if len(taken) > 1]


def best_as_json(found: Found | None, varying: Sequence[str]) -> dict[str, object] | None:
    """The best run as a document; None where there is none."""
    if found is None or found.best is None:
        return None
    best = found.best
    return {
        "trial_id": best.trial_id,
        "share": best.share,
        "trained_level": best.trained_level,
        "settings": {name: best.settings[name] for name in varying},
    }


def best_in_words(
    found: Found | None, varying: Sequence[str], store: str, missing: int
) -> Iterator[str]:
    """The best run in one line; if all trials are done and none trained, another with a remedy.

    Args:
        found: What find_best found; without any run, nothing is yielded.
        varying: The settings to name.
        store: The path of the store.
        missing: How many trials are still to be trained.
    """
    if found is None or not found.runs:
        return
    best = found.best
    if best is None:
        yield "best: none; no run ended with a loss that is a share of the best constant's"
        return
    words = ", ".join(f"{name} {_in_words(best.settings[name])}" for name in varying)
    where = f"trial {best.trial_id}" + (f" ({words})" if words else "")
    yield (
        f"best: {best.share:.4g} of the best constant's loss, {where}; "
        f"trained means <= {best.trained_level:g}"
    )
    if not found.trained and not missing:
        yield _remedy(best, store)


def _remedy(best: BestRun, store: str) -> str:
    for level in LEVELS:
        if best.share <= level and best.trained_level < level:
            return (
                f"nothing trained: that run would have at {level:g}; set "
                f"`trained_level: {level:g}` in the sweep file, or look with "
                f"`phasesweep map {store} --trained-level {level:g}`"
            )
    return (
        "nothing trained, and the best run is hardly better than the best constant: a higher "
        "trained_level would mean nothing; try other learning rates and init scales, or more steps"
    )


def _in_words(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
