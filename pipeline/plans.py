"""What a sweep has left to do: counted exactly and priced by the cost model, without a list."""

from dataclasses import dataclass, replace

import numpy as np

from core.settings import settings_of
from pipeline.batches import Indices
from pipeline.cuts import Cuts
from pipeline.grids.blocks import Blocks
from pipeline.grids.factors import Places
from pipeline.grids.grid import Grid
from pipeline.rounds import Rounds
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep

BYTES_PER_TRIAL = 1000  # of Parquet, measured on the quickstart's store
MOST_PRICED = 5_000  # kinds of shapes, in half a second
LIKELY_SHARE = 0.1  # of its panels' trials that a traced sweep needs

# How far a sweep has come: the trials that have a row, or the rounds of a traced sweep.
Standing = Indices | Rounds


@dataclass(frozen=True)
class Plan:
    """What a sweep asks for and what of it remains to do.

    Attributes:
        trials: Cells of the grid; of a traced sweep the most of them that it may need.
        finished: How many of them have a row in the store.
        batches: About how many tasks the remaining trials make.
        flops, seconds, bytes: Estimates for the remaining trials: floating-point
            operations, seconds of one core, bytes of Parquet.
        shapes: How many shapes of networks and tasks have trials left.
        sampled_shapes: How many of them the estimates come from; None where all were priced.
        least: Of a traced sweep the fewest trials: what its rows so far ask for. The boundary
            decides how many there will be, from these to all others here. None of a dense one.
    """

    trials: int
    finished: int
    batches: int
    flops: int | None
    seconds: float
    bytes: int
    shapes: int
    sampled_shapes: int | None
    least: "Plan | None" = None

    @property
    def remaining(self) -> int:
        """Trials without a row."""
        return self.trials - self.finished

    @property
    def likely_seconds(self) -> float:
        """What it may come to, where it is a range: a tenth of all, or what is asked for by now."""
        if self.least is None:
            return self.seconds
        return max(self.least.seconds, LIKELY_SHARE * self.seconds)


def finished_indices(grid: Grid, store: Store) -> Indices:
    """Sorted grid indices of the trials that have a row: 8 bytes each, however large the grid."""
    columns = list(settings_of(grid.trial))
    found = [grid.indices_of(rows) for rows in store.batches("runs", columns)]
    return np.sort(np.concatenate([np.empty(0, np.int64), *found]))


def standing(sweep: Sweep, store: Store) -> Standing:
    """How far a sweep has come in a store."""
    if sweep.trace is None:
        return finished_indices(sweep.grid, store)
    return Rounds(sweep.grid, sweep.trace, sweep.trainer, store)


def plan(sweep: Sweep, standing: Standing) -> Plan:
    """Count what the sweep has left to do, exactly, and price it, without listing it.

    Blocks of one kind are priced together. If there are more than MOST_PRICED kinds, a random
    sample of them, the same each time, is priced in place of all.

    Of a traced sweep the plan is the most that is left, with the least in it.
    """
    if isinstance(standing, Rounds):
        return _plan_of_rounds(sweep, standing)
    blocks, finished = Blocks(sweep.grid), standing
    left = blocks.sizes - np.bincount(blocks.numbers(finished), minlength=len(blocks))
    starts = blocks.starts - blocks.complete_starts(finished)
    return _priced(sweep, blocks, left, starts, len(finished))


def _plan_of_rounds(sweep: Sweep, rounds: Rounds) -> Plan:
    """The range of what is left: what was asked for, and all of the panels that are not complete.

    The most is priced like the grid's cells on average.
    """
    blocks, counts, cells = Blocks(sweep.grid), rounds.counts, rounds.next.cells
    left = np.bincount(blocks.numbers(cells), minlength=len(blocks))
    done = counts.least - len(cells)
    least = _priced(sweep, blocks, left, blocks.starts_of(cells), done)
    dense = _priced(sweep, blocks, blocks.sizes, blocks.starts, 0)
    share = (counts.most - counts.finished) / dense.trials
    return replace(
        dense,
        trials=counts.most,
        finished=counts.finished,
        batches=round(dense.batches * share),
        flops=None if dense.flops is None else round(dense.flops * share),
        seconds=dense.seconds * share,
        bytes=round(dense.bytes * share),
        least=least,
    )


def _priced(sweep: Sweep, blocks: Blocks, left: Places, starts: Places, finished: int) -> Plan:
    """A plan for some trials of each block.

    Args:
        sweep: Which.
        blocks: Of its grid.
        left: (blocks,) how many trials.
        starts: (blocks,) how many starts they have.
        finished: How many trials have a row.
    """
    cuts = Cuts(blocks, sweep.trainer, sweep.infos)
    asked = np.flatnonzero(left)
    kinds, is_sample = _alike(asked, cuts.kinds)
    batches, seconds, flops, priced = 0, 0.0, 0, 0
    for alike in kinds:
        cut, trials = cuts.of(int(alike[0])), int(left[alike].sum())
        batches += int(cut.batches(left[alike]).sum())
        seconds += cut.seconds_of(trials, int(starts[alike].sum()))
        flops += trials * (cut.price.flops or 0)
        priced += trials
    remaining = int(left.sum())
    share = remaining / priced if is_sample else 1
    return Plan(
        trials=finished + remaining,
        finished=finished,
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
