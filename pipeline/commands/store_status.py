"""What `status` says about a store: its outcomes, its best run, its sweeps and its failures."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.gradient_descent import FIRST_TRAINER
from pipeline.best_runs import (
    Found,
    best_as_json,
    best_columns,
    best_in_words,
    find_best,
    varying_settings,
)
from pipeline.grids.grid import Grid, grid_of
from pipeline.plans import finished_indices
from pipeline.storage.store import Store
from pipeline.storage.thresholds import differing, judged_by


@dataclass(frozen=True)
class Status:
    """The contents of a store.

    Attributes:
        store: Its path or URL, as given.
        outcomes: How many runs have each: the trainer's in their order, then any other.
        found: The best run, and how many runs there are.
        varying: The settings that the best run is described by.
        trainers: How many runs are of each version of the trainer.
        judged_by: How many runs each set of thresholds judged, with its numbers by name.
        sweeps: Of each its `name`, `last_run`, and numbers of `trials` and `finished`.
        failures: As the manifest has them.
    """

    store: str
    outcomes: Mapping[str, int]
    found: Found | None
    varying: Sequence[str]
    trainers: Mapping[str, int]
    judged_by: Sequence[tuple[int, Mapping[str, float]]]
    sweeps: Sequence[Mapping[str, Any]]
    failures: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, object]:
        """The status as a JSON document."""
        return {
            "store": self.store,
            "outcomes": {name: count for name, count in self.outcomes.items() if count},
            "best": best_as_json(self.found, self.varying),
            "trainers": self.trainers,
            "judged_by": [{"runs": runs, "thresholds": each} for runs, each in self.judged_by],
            "sweeps": self.sweeps,
            "failures": self.failures,
        }

    def in_words(self) -> Iterator[str]:
        """The status as lines of text."""
        yield f"{self.store}: {sum(self.outcomes.values()):,} trainings"
        for outcome, count in self.outcomes.items():
            yield f"  {outcome!s:<12}{count:>10,}"
        missing = [sweep["trials"] - sweep["finished"] for sweep in self.sweeps]
        yield from best_in_words(self.found, self.varying, self.store, sum(missing))
        yield from _versions_in_words(self.trainers)
        yield from _rules_in_words(self.judged_by)
        for sweep, left in zip(self.sweeps, missing, strict=True):
            trials = f"{sweep['trials']:,} trials, {left:,} missing"
            yield f"sweep {sweep['name']}: {trials}, last run {sweep['last_run']}"
        for failure in self.failures:
            yield f"failed {failure['trial_id']} at {failure['failed_at']}: {failure['reason']}"


def status_of(store: Store, name: str) -> Status:
    """Count the contents of a store.

    Args:
        store: It is only read.
        name: How to name it.
    """
    trainer, manifest = store.trainer, store.manifest
    outcomes, trainers, digests = _counts(store)
    grids = [grid_of(entry, trainer.trial) for entry in manifest["sweeps"]]
    sweeps = [_progress(*each, store) for each in zip(manifest["sweeps"], grids, strict=True)]
    return Status(
        store=name,
        outcomes={**dict.fromkeys(trainer.outcomes, 0), **outcomes},
        found=find_best(store.batches("runs", best_columns(trainer)), trainer),
        varying=varying_settings(grids, trainer),
        trainers=trainers,
        judged_by=list(zip(digests.values(), judged_by(manifest, digests), strict=True)),
        sweeps=sweeps,
        failures=manifest.get("failures", []),
    )


def _counts(store: Store) -> tuple[Counter[str], Counter[str], Counter[str | None]]:
    """How many runs have each outcome, version of the trainer and digest of thresholds."""
    outcomes: Counter[str] = Counter()
    trainers: Counter[str] = Counter()
    thresholds: Counter[str | None] = Counter()
    for rows in store.batches("runs", ["outcome", "trainer", "thresholds"]):
        outcomes.update(rows["outcome"].to_pylist())
        trainers.update(trainer or FIRST_TRAINER for trainer in rows["trainer"].to_pylist())
        thresholds.update(rows["thresholds"].to_pylist())
    return outcomes, trainers, thresholds


def _progress(entry: Mapping[str, Any], grid: Grid, store: Store) -> dict[str, Any]:
    return {
        "name": entry["name"],
        "last_run": entry.get("last_run"),
        "trials": grid.size,
        "finished": len(finished_indices(grid, store)),
    }


def _versions_in_words(counts: Mapping[str, int]) -> Iterator[str]:
    if len(counts) > 1:
        each = ", ".join(f"{count:,} by version {name}" for name, count in sorted(counts.items()))
        yield f"trained by several versions of the trainer, which differ in last bits: {each}"


def _rules_in_words(rules: Collection[tuple[int, Mapping[str, float]]]) -> Iterator[str]:
    """One line per threshold that differs: its numbers, and how many runs each judged."""
    for name, numbers in differing([each for _, each in rules]).items():
        each = [
            f"{'unknown' if number is None else f'{number:g}'} for {count:,} runs"
            for number, (count, _) in zip(numbers, rules, strict=True)
        ]
        yield f"judged by several thresholds: {name} {', '.join(each)}"
