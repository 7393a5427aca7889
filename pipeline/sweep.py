"""A sweep from plan to store: skip finished trials, train the others, commit on the way."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Literal

from core.settings import defaults, trial_id, values_of
from core.trainers import Trainer
from pipeline.batches import Batch, InFlight, batch_seconds, batches
from pipeline.budgets import Budget, Supply, Watch
from pipeline.clusters.skew import Skew
from pipeline.executors import Executor, Failure
from pipeline.interrupts import deferred_interrupts
from pipeline.plans import Standing
from pipeline.provenance import provenance
from pipeline.rounds import Rounds
from pipeline.storage.schemas import Rows, rows_of
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep
from pipeline.tasks import TaskKey, task_key, tasks

COMMIT_SECONDS = 5.0
# Of all tables: about a hundred megabytes.
COMMIT_ROWS = 750_000
MOST_FAILURES = 100
ALL = Budget()


@dataclass
class Report:
    """The result of a run.

    Attributes:
        outcomes: How many trainings ended in each outcome.
        failures: The trials that could not be trained.
        stopped: Which part of the budget was used up before the sweep was; None if none was.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    stopped: Literal["time", "trials"] | None = None


class TooManyFailuresError(RuntimeError):
    """So many trials failed that the fault cannot lie in a single trial."""


@dataclass(frozen=True)
class TrainBatch:
    """The work of a batch's task: train it on its data and return its rows.

    Attributes:
        trainer: What trains it.
        tasks: By their settings: what the sweep's trials are trained on.
    """

    trainer: Trainer
    tasks: Mapping[TaskKey, Any]

    def __call__(self, batch: Batch) -> Rows:
        """Train the batch; a divergence is a row, an exception is a bug."""
        trials = batch.trials
        trained = self.trainer.train(trials, self.tasks[task_key(trials.shared)])
        return rows_of(self.trainer, trials, trained, batch.batch_id, batch.asked)


def run_sweep(
    sweep: Sweep,
    standing: Standing,
    store: Store,
    execute: Executor,
    watch: Watch,
    budget: Budget = ALL,
) -> Report:
    """Train the trials that have no row yet, and commit every few seconds.

    The caller holds the store's write lock. However this ends, what was trained before
    is committed. A trial that fails is recorded in the manifest, and tried again by the
    next run.

    Args:
        sweep: What to train.
        standing: From `standing`, read under the same lock.
        store: Where the rows go.
        execute: `run_serially`, or `run_on_ray` with its address.
        watch: Called with the trials of every batch that has ended.
        budget: Where to stop.

    Raises:
        TooManyFailuresError: MOST_FAILURES trials failed: the fault is not in a trial.
    """
    trainer = sweep.trainer
    if trainer.prepare is not None:
        trainer.prepare(sweep.grid.values, _say)
    describe(sweep, standing, store)
    report = Report()
    with _Writer(store) as writer:
        todo = _todo(sweep, standing, store, writer, report, lambda: supply.in_flight)
        supply = Supply(todo, partial(batch_seconds, trainer=trainer, datasets=sweep.infos), budget)
        for found in execute(TrainBatch(trainer, tasks(sweep)), supply):
            if found is None:
                writer.commit_if_due()
                continue
            if isinstance(found, Failure):
                report.failures.append(found)
                _record(found, store)
                _refuse_too_many(report.failures)
                watch(supply.ended({}, failed=1))
                continue
            writer.add(found)
            outcomes = Counter(found.runs["outcome"].to_pylist())
            report.outcomes.update(outcomes)
            watch(supply.ended(outcomes))
    report.stopped = supply.stopped
    return report


def _todo(
    sweep: Sweep,
    standing: Standing,
    store: Store,
    writer: "_Writer",
    report: Report,
    in_flight: InFlight,
) -> Iterator[Batch | None]:
    """The batches of a sweep; None where those before must have ended."""
    if not isinstance(standing, Rounds):
        yield from batches(sweep.grid, sweep.trainer, sweep.infos, standing, in_flight)
        return
    while len(standing.next):
        before = len(report.failures)
        yield from standing.batches(sweep.infos, in_flight)
        yield None
        writer.commit()
        standing.end([failure.trial for failure in report.failures[before:]])
        store.describe(sweeps=_entries(sweep, standing, store))


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def describe(sweep: Sweep, standing: Standing, store: Store) -> None:
    """Record in the manifest what is run, with which versions, on which machine."""
    failures = [f for f in store.manifest.get("failures", []) if f["settings"] not in sweep.grid]
    sweeps = _entries(sweep, standing, store)
    store.describe(sweeps=sweeps, failures=failures, **provenance(sweep.trainer))


def _entries(sweep: Sweep, standing: Standing, store: Store) -> list[Mapping[str, Any]]:
    """The manifest's sweeps, with this one last; of a traced one also what its audits found."""
    cells = _cells(sweep)
    others = [entry for entry in store.manifest["sweeps"] if _cells_of(entry, sweep) != cells]
    entry = {"name": sweep.name, **cells, "last_run": _now()}
    if isinstance(standing, Rounds):
        entry |= {"audits": standing.audits}
    return [*others, entry]


def _cells(sweep: Sweep) -> dict[str, Any]:
    """Which cells a sweep has, and which of them it trains, as the manifest records it."""
    grid, trace = sweep.grid, sweep.trace
    cells = {
        "axes": {name: list(values) for name, values in grid.axes.items()},
        "zip": [list(names) for names in grid.together],
        "where": grid.where,
    }
    return cells if trace is None else cells | {"trace": {"axes": list(trace.axes), "of": trace.of}}


def _cells_of(entry: Mapping[str, Any], sweep: Sweep) -> dict[str, Any]:
    """The same from an entry, even one from before an axis, `zip` or `where` was known."""
    later = {name: [value] for name, value in defaults(sweep.trainer.settings).items()}
    axes = {**later, **entry["axes"]}
    cells = {"axes": axes, "zip": entry.get("zip", []), "where": entry.get("where")}
    return cells | {name: entry[name] for name in ("trace",) if entry.get(name)}


def _record(failure: Failure, store: Store) -> None:
    """Add a failure to the manifest, where `status` finds it."""
    entry = {
        "trial_id": trial_id(failure.trial),
        "settings": values_of(failure.trial),
        "reason": failure.reason,
        "failed_at": _now(),
    }
    store.describe(failures=[*store.manifest["failures"], entry])


def record_skew(found: Sequence[Skew], store: Store) -> None:
    """Record in the manifest which versions differed between driver and workers."""
    entries = [{"accepted_at": _now(), **asdict(skew), "nodes": list(skew.nodes)} for skew in found]
    store.describe(skew=[*store.manifest.get("skew", []), *entries])


def _refuse_too_many(failures: list[Failure]) -> None:
    if len(failures) >= MOST_FAILURES:
        raise TooManyFailuresError(
            f"{len(failures)} trials failed, the last one with {failures[-1].reason}; "
            "the rest was not tried"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Writer:
    """Rows kept until they are enough for a commit: a few large files, not one per batch."""

    def __init__(self, store: Store):
        self._store = store
        self._waiting: list[Rows] = []
        self._count = 0
        self._last_commit = monotonic()

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.commit()

    def add(self, rows: Rows) -> None:
        self._waiting.append(rows)
        self._count += sum(len(table) for table in rows.tables.values())
        if self._count >= COMMIT_ROWS:
            self.commit()
        self.commit_if_due()

    def commit_if_due(self) -> None:
        """Write what is waiting if the last commit is some seconds ago."""
        if monotonic() - self._last_commit >= COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Write what is waiting."""
        if not self._waiting:
            return
        with deferred_interrupts():
            # A commit that failed is not tried again: its rows are trained by the next run.
            rows, self._waiting, self._count = self._waiting, [], 0
            self._store.commit(rows)
            self._last_commit = monotonic()
