"""How blocks are cut into batches: by what their trials cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from core.settings import settings_of
from core.trainers import Trainer
from pipeline.grids.blocks import Blocks
from pipeline.grids.factors import Places
from pipeline.prices import Infos, Price, price

# Long enough that scheduling costs next to nothing, short enough that workers end together.
BATCH_SECONDS = 1.0
# Three for each of 300 CPUs: 300 batches of BATCH_SECONDS end in a second, which is about a third
# of what the driver can handle.
MANY_IN_FLIGHT = 900
MOST_TRIALS = 4096
# Each batch measures its starts anew. If that costs more than this share of the batch's trainings,
# the batch takes more of the learning rates that share a start.
MOST_REPEATED = 0.1
# The fewest trials of a start in a level, where it has so many: the ends and the middle.
FEWEST_AT_ONCE = 3
# A block that takes less is not cut into levels: scheduling would cost more than training.
LEAST_CUT = 0.05


def aimed_seconds(in_flight: int) -> float:
    """How long the next batch should take on one core.

    It grows with the cluster, so that the driver has no more batches to handle in a second.

    Args:
        in_flight: How many batches are, three for each CPU.
    """
    return BATCH_SECONDS * max(1.0, in_flight / MANY_IN_FLIGHT)


@dataclass(frozen=True)
class Cut:
    """How a block is cut.

    Attributes:
        price: What a trial of it costs.
        trials: How many it has.
        starts: How many starts they have.
        of_levels: How many levels they have.
    """

    price: Price
    trials: int
    starts: int
    of_levels: int

    @property
    def seconds(self) -> float:
        """Seconds of one core for the whole block."""
        return self.trials * self.price.seconds + self.starts * self.price.start

    @property
    def levels(self) -> int:
        """The number of levels in which it is trained: 1 if all of it at once."""
        return 1 if self.seconds < LEAST_CUT else self.of_levels

    @property
    def per_start(self) -> int:
        """How many trials share a start."""
        return ceil(self.trials / self.starts)

    @property
    def whole_starts(self) -> bool:
        """Whether a start costs so much that all its trials belong in one batch."""
        at_once = min(self.per_start, FEWEST_AT_ONCE)
        return self.price.start > MOST_REPEATED * at_once * self.price.seconds

    @property
    def size(self) -> int:
        """How many trials take about BATCH_SECONDS."""
        return self.size_for(BATCH_SECONDS)

    def size_for(self, seconds: float) -> int:
        """How many trials take about so many seconds; more where starts are costly to measure.

        They are all trials of one or several starts, or a part of the trials of one.
        """
        each, start = self.price.seconds, self.price.start
        starts = round(seconds / (start + self.per_start * each))
        starts = min(MOST_TRIALS // self.per_start, starts)
        if starts:
            return starts * self.per_start
        return ceil(self.per_start / self._parts(seconds))

    def _parts(self, seconds: float) -> int:
        """The number of batches into which the trials of one start are cut."""
        each, start = self.price.seconds, self.price.start
        trials = max(seconds - start, start / MOST_REPEATED) / each
        parts = max(round(self.per_start / trials), ceil(self.per_start / MOST_TRIALS), 1)
        return min(parts, self.per_start)

    def batches(self, trials: NDArray[np.int64]) -> NDArray[np.int64]:
        """About how many batches a number of its trials makes; each level ends in a smaller one.

        On a large cluster there are fewer: see `aimed_seconds`.
        """
        whole = -(-trials // self.size)
        return np.minimum(trials, np.maximum(whole + self.levels // 2, self.levels))

    def seconds_of(self, trials: float, starts: float) -> float:
        """Seconds of one core for a number of its trials with a number of starts."""
        measured = starts
        if self.size < self.per_start:  # each batch measures the start of its trials
            measured = min(trials, max(starts, trials / self.size))
        return trials * self.price.seconds + measured * self.price.start


class Cuts:
    """How the blocks of a grid are cut: those with the same costs, sizes and levels are cut alike.

    Attributes:
        kinds: (blocks,) the number of each block's kind: blocks of one kind are cut alike.
    """

    def __init__(self, blocks: Blocks, trainer: Trainer, datasets: Infos):
        """Number the kinds of blocks; each is priced when asked for.

        Args:
            blocks: Of the grid.
            trainer: Says what its trials cost.
            datasets: Sizes of the data sets that the trials name.
        """
        self._blocks, self._trainer, self._datasets = blocks, trainer, datasets
        self._starts = blocks.starts
        self._levels = 1 + blocks.last_levels.astype(np.int64) - blocks.first_levels
        self._known: dict[int, Cut] = {}
        self.kinds = _kinds([_of_cost(blocks), blocks.sizes, self._starts, self._levels])

    def of(self, number: int) -> Cut:
        """How the block of this number is cut."""
        kind = int(self.kinds[number])
        if kind not in self._known:
            self._known[kind] = Cut(
                price(self._blocks[number].first, self._trainer, self._datasets),
                int(self._blocks.sizes[number]),
                int(self._starts[number]),
                int(self._levels[number]),
            )
        return self._known[kind]


def _of_cost(blocks: Blocks) -> Places:
    """(blocks,): equal numbers for equal values of the settings that the costs depend on."""
    names = [n for n, s in settings_of(blocks.grid.trial).items() if s.of_cost]
    ranks = [f.ranks(names)[f.shape_edges[:-1]] for f in blocks.grid.factors]
    numbers = np.zeros((), np.int64)
    for own in ranks:
        numbers = np.add.outer(numbers * (own.max(initial=0) + 1), own)
    return numbers.ravel()


def _kinds(facts: Sequence[NDArray[np.int64]]) -> Places:
    """(blocks,): equal numbers, from 0, where all facts are equal."""
    kinds = np.zeros(len(facts[0]), np.int64)
    for fact in facts:
        if np.ptp(fact):
            own = np.unique(fact, return_inverse=True)[1]
            kinds = np.unique(kinds * (own.max() + 1) + own, return_inverse=True)[1]
    return kinds
