"""A sweep from plan to store: skip what is finished, train the rest, commit as it comes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic

from core.datasets import Task
from core.outcomes import THRESHOLDS
from core.training import train_trials
from pipeline.batches import Batch, Sizes, batches, flops, seconds
from pipeline.executors import Executor
from pipeline.interrupts import deferred_interrupts
from pipeline.provenance import provenance
from pipeline.schemas import Rows, rows_of
from pipeline.store import FinishedTrials, Store
from pipeline.sweep_file import Sweep

COMMIT_SECONDS = 5.0
COMMIT_ROWS = 50_000
BYTES_PER_TRIAL = 500  # measured on the quickstart store: rows and curves, zstd


@dataclass(frozen=True)
class Plan:
    """What a sweep asks for and what of it remains to do.

    Attributes:
        trials: Cells of the grid.
        finished: How many of them have a row in the store.
        flops, seconds, bytes: Estimates for the remaining trials: floating-point
            operations, seconds of one core, bytes of Parquet.
    """

    trials: int
    finished: int
    batches: int
    flops: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Summary:
    """What a run did: trials in the sweep, trained now, their outcomes, and how long it took."""

    trials: int
    trained: int
    outcomes: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class TrainBatch:
    """The work of a task: train a batch on its data and return its rows."""

    tasks: Mapping[tuple[str, int, str], Task]

    def __call__(self, batch: Batch) -> Rows:
        """Train the batch; a divergence is a row, an exception is a bug."""
        first = batch.trials[0]
        task = self.tasks[first.dataset, first.examples, first.features]
        return rows_of(list(train_trials(batch.trials, task)), batch.batch_id)


def plan(sweep: Sweep, store: Store) -> Plan:
    """Count and price what the sweep has left to do; runs nothing."""
    remaining = list(_remaining(sweep, store.finished()))
    sizes = _sizes(sweep)
    shapes = Counter[tuple[str, int]]()
    total_flops, total_seconds, unfinished = 0, 0.0, 0
    for batch in remaining:
        first = batch.trials[0]
        total_flops += flops(first, sizes[first.dataset]) * len(batch.trials)
        total_seconds += seconds(first, sizes[first.dataset]) * len(batch.trials)
        unfinished += len(batch.trials)
    del shapes
    return Plan(
        trials=sweep.grid.size,
        finished=sweep.grid.size - unfinished,
        batches=len(remaining),
        flops=total_flops,
        seconds=total_seconds,
        bytes=BYTES_PER_TRIAL * unfinished,
    )
