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
from pipeline.commands.traced import audit_in_words, trained_in_words
from pipeline.grids.grid import Grid, grid_of
from pipeline.plans import finished_indices
from pipeline.rounds import Rounds
from pipeline.storage.store import Store
from pipeline.storage.thresholds import differing, judged_by
from pipeline.tracing.traces import trace_of

UNKNOWN_KIND = "unknown"  # an older version wrote the row
VERSIONS = ("schema_version", "versions", "machine")  # entries of the manifest


@dataclass(frozen=True)
class Status:
    """The contents of a store.

    Attributes:
        store: Its path or URL, as given.
        outcomes: How many runs have each: the trainer's in their order, then any other.
        found: The best run, and how many runs there are.
        varying: The settings that the best run is described by.
        trainers: How many runs are of each version of the trainer.
        kinds: How many runs are of each kind of machine: processor and BLAS.
        judged_by: How many runs each set of thresholds judged, with its numbers by name.
        versions: Of everything that shaped the numbers of the last run; likewise its machine and
            the store's schema.
        sweeps: Of each its `name`, `last_run`, and numbers of `trials`, `finished` and `missing`
            ones. Of a traced one, `missing` are those that its next round asks for, `trials` all
            that were asked for, `most` is how many there may be, `cells` how many a dense one
            has, and `trained` how many of these have a row; `trace` and `audits` are as in the
            manifest.
        failures: As the manifest has them.
    """

    store: str
    outcomes: Mapping[str, int]
    found: Found | None
    varying: Sequence[str]
    trainers: Mapping[str, int]
    kinds: Mapping[str, int]
    judged_by: Sequence[tuple[int, Mapping[str, float]]]
    versions: Mapping[str, Any]
    sweeps: Sequence[Mapping[str, Any]]
    failures: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, object]:
        """The status as a JSON document."""
        return {
            "store": self.store,
            "outcomes": {name: count for name, count in self.outcomes.items() if count},
            "best": best_as_json(self.found, self.varying),
            "trainers": self.trainers,
            "kinds": self.kinds,
            "judged_by": [{"runs": runs, "thresholds": each} for runs, each in self.judged_by],
            **self.versions,
            "sweeps": self.sweeps,
            "failures": self.failures,
        }

    def in_words(self) -> Iterator[str]:
        """The status as lines of text."""
        yield f"{self.store}: {sum(self.outcomes.values()):,} trainings"
        for outcome, count in self.outcomes.items():
            yield f"  {outcome!s:<12}{count:>10,}"
        missing = [sweep["missing"] for sweep in self.sweeps]
        yield from best_in_words(self.found, self.varying, self.store, sum(missing))
        yield from _versions_in_words(self.trainers)
        yield from _kinds_in_words(self.kinds)
        yield from _rules_in_words(self.judged_by)
        for sweep in self.sweeps:
            yield _sweep_in_words(sweep)
            if "trace" in sweep and not sweep["missing"]:
                yield audit_in_words(sweep["audits"], sweep["cells"] - sweep["trained"])
        for failure in self.failures:
            yield f"failed {failure['trial_id']} at {failure['failed_at']}: {failure['reason']}"


def status_of(store: Store, name: str) -> Status:
    """Count the contents of a store.

    Args:
        store: It is only read.
        name: How to name it.
    """
    trainer, manifest = store.trainer, store.manifest
    outcomes, trainers, kinds, digests = _counts(store)
    grids = [grid_of(entry, trainer.trial) for entry in manifest["sweeps"]]
    sweeps = [_progress(*each, store) for each in zip(manifest["sweeps"], grids, strict=True)]
    return Status(
        store=name,
        outcomes={**dict.fromkeys(trainer.outcomes, 0), **outcomes},
        found=find_best(store.batches("runs", best_columns(trainer)), trainer),
        varying=varying_settings(grids, trainer),
        trainers=trainers,
        kinds=kinds,
        judged_by=list(zip(digests.values(), judged_by(manifest, digests), strict=True)),
        versions={name: manifest.get(name) for name in VERSIONS},
        sweeps=sweeps,
        failures=manifest.get("failures", []),
    )


def _counts(
    store: Store,
) -> tuple[Counter[str], Counter[str], Counter[str], Counter[str | None]]:
    """How many runs have each outcome, trainer, kind of machine and digest of thresholds."""
    outcomes: Counter[str] = Counter()
    trainers: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    thresholds: Counter[str | None] = Counter()
    for rows in store.batches("runs", ["outcome", "trainer", "processor", "blas", "thresholds"]):
        outcomes.update(rows["outcome"].to_pylist())
        trainers.update(trainer or FIRST_TRAINER for trainer in rows["trainer"].to_pylist())
        machines = zip(rows["processor"].to_pylist(), rows["blas"].to_pylist(), strict=True)
        kinds.update(f"{cpu} with {blas}" if cpu else UNKNOWN_KIND for cpu, blas in machines)
        thresholds.update(rows["thresholds"].to_pylist())
    return outcomes, trainers, kinds, thresholds


def _progress(entry: Mapping[str, Any], grid: Grid, store: Store) -> dict[str, Any]:
    found = {"name": entry["name"], "last_run": entry.get("last_run")}
    trace = trace_of(entry)
    if trace is None:
        finished = len(finished_indices(grid, store))
        return found | _numbers(grid.size, finished)
    rounds = Rounds(grid, trace, store.trainer, store)
    counts = rounds.counts
    return {
        **found,
        **_numbers(counts.least, counts.least - len(rounds.next)),
        "most": counts.most,
        "cells": grid.size,
        "trained": counts.trained,
        "trace": entry["trace"],
        "audits": rounds.audits,
    }


def _numbers(trials: int, finished: int) -> dict[str, int]:
    return {"trials": trials, "finished": finished, "missing": trials - finished}


def _sweep_in_words(sweep: Mapping[str, Any]) -> str:
    trials, left = f"{sweep['trials']:,} trials", f"{sweep['missing']:,} missing"
    if "trace" in sweep:
        trials = trained_in_words(sweep["finished"], sweep["cells"])
        if sweep["missing"]:
            left += " in this round"
    return f"sweep {sweep['name']}: {trials}, {left}, last run {sweep['last_run']}"


def _versions_in_words(counts: Mapping[str, int]) -> Iterator[str]:
    if len(counts) > 1:
        each = ", ".join(f"{count:,} by version {name}" for name, count in sorted(counts.items()))
        yield f"trained by several versions of the trainer, which differ in last bits: {each}"


def _kinds_in_words(counts: Mapping[str, int]) -> Iterator[str]:
    if len({*counts} - {UNKNOWN_KIND}) > 1:
        each = ", ".join(f"{count:,} on {name}" for name, count in sorted(counts.items()))
        yield f"trained on several kinds of machine, which differ in last bits: {each}"


def _rules_in_words(rules: Collection[tuple[int, Mapping[str, float]]]) -> Iterator[str]:
    """One line per threshold that differs: its numbers, and how many runs each judged."""
    for name, numbers in differing([each for _, each in rules]).items():
        each = [
            f"{'unknown' if number is None else f'{number:g}'} for {count:,} runs"
            for number, (count, _) in zip(numbers, rules, strict=True)
        ]
        yield f"judged by several thresholds: {name} {', '.join(each)}"
