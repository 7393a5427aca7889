"""What a sweep has left to do: counted exactly and priced by the cost model, without a list."""

from dataclasses import dataclass

import numpy as np

from core.settings import settings_of
from pipeline.batches import Indices
from pipeline.cuts import Cuts
from pipeline.grids.blocks import Blocks
from pipeline.grids.factors import Places
from pipeline.grids.grid import Grid
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep

BYTES_PER_TRIAL = 1000  # of Parquet, measured on the quickstart's store
MOST_PRICED = 5_000  # kinds of shapes, in half a second


@dataclass(frozen=True)
class Plan:
    """What a sweep asks for and what of it remains to do.

    Attributes:
        trials: Cells of the grid.
        finished: How many of them have a row in the store.
        batches: About how many tasks the remaining trials make.
        flops, seconds, bytes: Estimates for the remaining trials: floating-point
            operations, seconds of one core, bytes of Parquet.
        shapes: How many shapes of networks and tasks have trials left.
        sampled_shapes: How many of them the estimates come from; None where all were priced.
    """

    trials: int
    finished: int
    batches: int
    flops: int | None
    seconds: float
    bytes: int
    shapes: int
    sampled_shapes: int | None

    @property
    def remaining(self) -> int:
        """Trials without a row."""
        return self.trials - self.finished


def finished_indices(grid: Grid, store: Store) -> Indices:
    """Sorted grid indices of the trials that have a row: 8 bytes each, however large the grid."""
    columns = list(settings_of(grid.trial))
    found = [grid.indices_of(rows) for rows in store.batches("runs", columns)]
    return np.sort(np.concatenate([np.empty(0, np.int64), *found]))


def plan(sweep: Sweep, finished: Indices) -> Plan:
    """Count what the sweep has left to do, exactly, and price it, without listing it.

    Blocks of one kind are priced together. If there are more than MOST_PRICED kinds, a random
    sample of them, the same each time, is priced in place of all.
    """
    grid, blocks = sweep.grid, Blocks(sweep.grid)
    cuts = Cuts(blocks, sweep.trainer, sweep.infos)
    left = blocks.sizes - np.bincount(blocks.numbers(finished), minlength=len(blocks))
    starts = blocks.starts - blocks.complete_starts(finished)
    asked = np.flatnonzero(left)
    kinds, is_sample = _alike(asked, cuts.kinds)
    batches, seconds, flops, priced = 0, 0.0, 0, 0
    for alike in kinds:
        cut, trials = cuts.of(int(alike[0])), int(left[alike].sum())
        batches += int(cut.batches(left[alike]).sum())
        seconds += cut.seconds_of(trials, int(starts[alike].sum()))
        flops += trials * (cut.price.flops or 0)
        priced += trials
    remaining = grid.size - len(finished)
    share = remaining / priced if is_sample else 1
    return Plan(
        trials=grid.size,
        finished=len(finished),
        batches=round(batches * share),
        flops=None if sweep.trainer.flops is None else round(flops * share),
        seconds=seconds * share,
        bytes=BYTES_PER_TRIAL * remaining,
        shapes=len(asked),
        sampled_shapes=sum(map(len, kinds)) if is_sample else None,
    )


def _alike(numbers: Places, kinds: Places) -> tuple[list[Places], bool]:
    """The blocks of these numbers by kind; whether these are MOST_PRICED kinds of more."""
    order = numbers[np.argsort(kinds[numbers], kind="stable")]
    first = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    last = np.append(first[1:], len(order))
    chosen = np.arange(len(first))
    if is_sample := len(first) > MOST_PRICED:
        chosen = np.random.default_rng(0).choice(chosen, MOST_PRICED, replace=False)
    return [order[first[kind] : last[kind]] for kind in chosen.tolist()], is_sample
