"""A sweep from plan to store: skip what is finished, train the rest, commit as it comes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType

import numpy as np

from core.datasets import DATASETS, DatasetInfo, Task
from core.outcomes import THRESHOLDS
from core.training import train_trials
from core.trials import TRIAL_FIELDS, settings, trial_id
from pipeline.batches import (
    Batch,
    Indices,
    batches,
    flops,
    packing,
    seconds,
    start_seconds,
    unfinished_rows,
)
from pipeline.compilation import compile_trainer
from pipeline.executors import Executor, Failure
from pipeline.grid import Block, Grid, Value
from pipeline.interrupts import deferred_interrupts
from pipeline.provenance import provenance
from pipeline.schemas import Rows, rows_of
from pipeline.store import Store
from pipeline.sweep_file import Sweep
from pipeline.tasks import TaskKey, task_key, tasks

COMMIT_SECONDS = 5.0
COMMIT_ROWS = 50_000
BYTES_PER_TRIAL = 1000  # of Parquet, measured on the quickstart's store
MOST_FAILURES = 100
MOST_PRICED = 5_000  # shapes, in half a second

Watch = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True)
class Plan:
    """What a sweep asks for and what of it remains to do.

    Attributes:
        trials: Cells of the grid.
        finished: How many of them have a row in the store.
        batches: Tasks that the remaining trials make, about.
        flops, seconds, bytes: Estimates for the remaining trials: floating-point
            operations, seconds of one core, bytes of Parquet.
        sampled_shapes: How many shapes of networks and tasks the estimates come from; None
            where all were priced.
    """

    trials: int
    finished: int
    batches: int
    flops: int
    seconds: float
    bytes: int
    sampled_shapes: int | None

    @property
    def remaining(self) -> int:
        """Trials without a row."""
        return self.trials - self.finished


@dataclass(frozen=True)
class Report:
    """What a run came to.

    Attributes:
        outcomes: How many trainings ended in each outcome.
        failures: The trials that could not be trained.
    """

    outcomes: Counter[str]
    failures: list[Failure]


class TooManyFailuresError(RuntimeError):
    """So many trials failed that the fault is not in a trial."""


@dataclass(frozen=True)
class TrainBatch:
    """The work of a task: train a batch on its data and return its rows.

    Attributes:
        tasks: By their settings: what the sweep's networks are trained on.
    """

    tasks: Mapping[TaskKey, Task]

    def __call__(self, batch: Batch) -> Rows:
        """Train the batch; a divergence is a row, an exception is a bug."""
        trials = batch.trials
        task = self.tasks[task_key(trials[0])]
        return rows_of(list(train_trials(trials, task)), batch.batch_id)


def finished_indices(grid: Grid, store: Store) -> Indices:
    """Sorted grid indices of the trials that have a row: 8 bytes each, however large the grid."""
    found = [grid.indices_of(rows) for rows in store.batches("runs", TRIAL_FIELDS)]
    return np.sort(np.concatenate([np.empty(0, np.int64), *found]))


def plan(sweep: Sweep, finished: Indices) -> Plan:
    """Count what the sweep has left to do, exactly, and price it, without listing it.

    Of a grid of more than MOST_PRICED shapes a random sample is priced for all, the same
    sample each time.
    """
    grid, datasets = sweep.grid, dataset_infos(sweep)
    remaining, sampled = grid.size - len(finished), None
    numbers: Iterable[int] = range(grid.shapes)
    if grid.shapes > MOST_PRICED:
        sampled = MOST_PRICED
        numbers = np.random.default_rng(0).integers(grid.shapes, size=sampled).tolist()
    shares = [
        (b[0], b.size - _finished_in(b, finished), unfinished_rows(b, finished))
        for b in map(grid.block, numbers)
    ]
    if not any(share for _, share, _ in shares):  # all done, or all of the sample
        shares = [(trial, int(remaining > 0), int(remaining > 0)) for trial, _, _ in shares]
    rates = len(grid.axes["learning_rate"])
    task_count, operations, duration = 0, 0, 0.0
    for trial, share, rows in shares:
        data = datasets[trial.dataset]
        packed = packing(trial, data, rates)
        task_count += packed.count(rows)
        operations += share * flops(trial, data)
        duration += share * seconds(trial, data)
        duration += rows * packed.parts * start_seconds(trial, data)
    priced = sum(share for _, share, _ in shares) or 1
    return Plan(
        trials=grid.size,
        finished=len(finished),
        batches=task_count * remaining // priced,
        flops=operations * remaining // priced,
        seconds=duration * remaining / priced,
        bytes=BYTES_PER_TRIAL * remaining,
        sampled_shapes=sampled,
    )


def dataset_infos(sweep: Sweep) -> dict[str, DatasetInfo]:
    """Sizes of the bundled data sets and of the sweep's own files."""
    return {**DATASETS, **{name: file.dataset.info for name, file in sweep.data_files.items()}}


def _finished_in(block: Block, finished: Indices) -> int:
    first, last = np.searchsorted(finished, [block.start, block.start + block.size])
    return int(last - first)


def run_sweep(
    sweep: Sweep, finished: Indices, store: Store, execute: Executor, watch: Watch
) -> Report:
    """Train what has no row yet and commit it every few seconds.

    The caller holds the store's write lock. However this ends, what was trained before
    is committed. A trial that fails is recorded in the manifest, and tried again by the
    next run.

    Args:
        sweep: What to train.
        finished: From `finished_indices`, read under the same lock.
        store: Where the rows go.
        execute: `run_serially`, or `run_on_ray` with its address.
        watch: Told the count of each outcome of every finished batch.

    Raises:
        TooManyFailuresError: MOST_FAILURES trials failed: the fault is not in a trial.
    """
    compile_trainer(sweep.grid)
    _describe(sweep, store)
    report = Report(Counter(), [])
    todo = batches(sweep.grid, dataset_infos(sweep), finished)
    with _Writer(store) as writer:
        for found in execute(TrainBatch(tasks(sweep)), todo):
            if isinstance(found, Failure):
                report.failures.append(found)
                _record(found, store)
                _refuse_too_many(report.failures)
                continue
            writer.add(found)
            outcomes = Counter(found.runs["outcome"].to_pylist())
            report.outcomes.update(outcomes)
            watch(outcomes)
    return report


def _describe(sweep: Sweep, store: Store) -> None:
    """Say in the manifest what is run, by which rules, on what."""
    entry = {"name": sweep.name, "axes": _axes(sweep.grid), "last_run": _now()}
    # An older version did not write the axes that have come since: the grid knows them.
    known = [e for e in store.manifest["sweeps"] if _axes(Grid(e["axes"])) != entry["axes"]]
    failures = [f for f in store.manifest.get("failures", []) if f["settings"] not in sweep.grid]
    store.describe(
        sweeps=[*known, entry], failures=failures, thresholds=asdict(THRESHOLDS), **provenance()
    )


def _axes(grid: Grid) -> dict[str, list[Value]]:
    return {name: list(values) for name, values in grid.axes.items()}


def _record(failure: Failure, store: Store) -> None:
    """Add a failure to the manifest, where `status` finds it."""
    entry = {
        "trial_id": trial_id(failure.trial),
        "settings": dict(settings(failure.trial)),
        "reason": failure.reason,
        "failed_at": _now(),
    }
    store.describe(failures=[*store.manifest["failures"], entry])


def _refuse_too_many(failures: list[Failure]) -> None:
    if len(failures) >= MOST_FAILURES:
        raise TooManyFailuresError(
            f"{len(failures)} trials failed, the last one with {failures[-1].reason}; "
            "the rest was not tried"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Writer:
    """Rows kept until they make a commit: a few large files, not one a batch."""

    def __init__(self, store: Store):
        self._store = store
        self._waiting: list[Rows] = []
        self._last_commit = monotonic()

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._commit()

    def add(self, rows: Rows) -> None:
        self._waiting.append(rows)
        count = sum(len(waiting.runs) for waiting in self._waiting)
        if count >= COMMIT_ROWS or monotonic() - self._last_commit >= COMMIT_SECONDS:
            self._commit()

    def _commit(self) -> None:
        if not self._waiting:
            return
        with deferred_interrupts():
            # A commit that failed is not tried again: its rows are trained by the next run.
            rows, self._waiting = self._waiting, []
            self._store.commit(rows)
            self._last_commit = monotonic()
