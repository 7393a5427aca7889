"""Trials of one shape in batches of a task's size, ordered from a coarse map to the finest."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.settings import Trials, settings_of, trial_id
from core.trainers import Trainer
from pipeline.cuts import Cut, Cuts, aimed_seconds
from pipeline.grids.blocks import Block, Blocks
from pipeline.grids.factors import Places
from pipeline.grids.grid import Grid
from pipeline.prices import Infos, price

Indices = NDArray[np.int64]

# At the end of a sweep so many blocks, at most, are sorted: the costliest come first, so that no
# worker is left alone with a long one.
MOST_SORTED = 5_000

# How many batches are in flight.
InFlight = Callable[[], int]


@dataclass(frozen=True)
class Batch:
    """Trials of one shape that one task trains.

    Attributes:
        trials: Which.
        asked: Of a traced sweep's trials, by column of `runs`, (trials,): what asked for each.
    """

    trials: Trials[Any]
    asked: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def first(self) -> Any:
        """Its first trial."""
        return self.trials[0]

    @property
    def batch_id(self) -> str:
        """The first trial's id and the number of trials."""
        return f"{trial_id(self.first)[:16]}-{len(self)}"

    @property
    def halves(self) -> tuple["Batch", "Batch"]:
        """The batch cut in two, to find a trial that kills its task."""
        middle = len(self) // 2
        return self._part(slice(None, middle)), self._part(slice(middle, None))

    def _part(self, places: slice) -> "Batch":
        asked = {name: column[places] for name, column in self.asked.items()}
        return Batch(self.trials.part(places), asked)

    @property
    def starts(self) -> int:
        """How many starts its trials have; neighboring equal starts count once."""
        begins = np.zeros(len(self), bool)
        begins[:1] = True
        for name, setting in settings_of(type(self.trials.shared)).items():
            if setting.differs_within == "batch":
                column = self.trials.columns[name]
                begins[1:] |= column[1:] != column[:-1]
        return int(begins.sum())


def batch_seconds(batch: Batch, trainer: Trainer, datasets: Infos) -> float:
    """Expected time of a batch on one core."""
    of_trial = price(batch.trials.shared, trainer, datasets)
    return len(batch) * of_trial.seconds + batch.starts * of_trial.start


def none_in_flight() -> int:
    """For batches that nobody sends."""
    return 0


def batches(
    grid: Grid,
    trainer: Trainer,
    datasets: Infos,
    finished: Indices,
    in_flight: InFlight = none_in_flight,
) -> Iterator[Batch]:
    """The grid's unfinished trials as batches, so that a sweep shows all of its map early.

    Batches come level by level: each level halves the gaps between the values of an axis that
    were trained before. Within the last level the costliest blocks come first.

    Args:
        grid: The cells of the sweep.
        trainer: Says what trials cost.
        datasets: Sizes of the data sets it names.
        finished: Sorted grid indices of the trials that have a row.
        in_flight: Asked for each batch: the more there are, the longer it takes.
    """
    blocks = Blocks(grid)
    cuts = Cuts(blocks, trainer, datasets)
    finest = int(blocks.last_levels.max(initial=0))
    for level in range(finest + 1):
        numbers = _of_level(level, blocks, cuts)
        if level == finest:
            numbers = _costliest_first(numbers, cuts)
        for number in numbers.tolist():
            block, cut = blocks[number], cuts.of(number)
            cells = block.cells
            if cut.levels > 1:
                cells = block.cells_of_level(level, cut.whole_starts)
            size = partial(_size, cut, in_flight)
            runs = cells.cut(size, at_starts=cut.price.start > 0)
            for left in _filled(_unfinished(block, runs, finished), size):
                yield Batch(block.trials(left))


def round_batches(
    grid: Grid,
    trainer: Trainer,
    datasets: Infos,
    cells: Indices,
    asked: Mapping[str, NDArray[Any]],
    in_flight: InFlight = none_in_flight,
) -> Iterator[Batch]:
    """Some trials of a grid as batches, those of the costliest shapes first.

    Args:
        grid: The cells of the sweep.
        trainer: Says what trials cost.
        datasets: Sizes of the data sets it names.
        cells: The trials' grid indices.
        asked: As a batch has it, (cells,) each.
        in_flight: As of `batches`.
    """
    blocks = Blocks(grid)
    cuts = Cuts(blocks, trainer, datasets)
    numbers = blocks.numbers(cells)
    order = np.lexsort([cells, numbers])
    first = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    runs = np.split(order, first[1:])
    for run in sorted(runs, key=lambda run: -_price(run, numbers, cuts)):
        number = int(numbers[run[0]])
        left = run
        while len(left):
            own, left = np.split(left, [_size(cuts.of(number), in_flight)])
            trials = blocks[number].trials(list(grid.combinations(cells[own])))
            yield Batch(trials, {name: column[own] for name, column in asked.items()})


def _size(cut: Cut, in_flight: InFlight) -> int:
    """How many trials the next batch of a block has."""
    return cut.size_for(aimed_seconds(in_flight()))


def _price(run: Places, numbers: Places, cuts: Cuts) -> float:
    """Seconds of one trial of a run's block."""
    return cuts.of(int(numbers[run[0]])).price.seconds


def _of_level(level: int, blocks: Blocks, cuts: Cuts) -> Places:
    """The blocks that have trials of a level, in order."""
    first = np.flatnonzero(blocks.first_levels == level)
    later = np.flatnonzero((blocks.first_levels < level) & (level <= blocks.last_levels))
    cut = [number for number in later.tolist() if cuts.of(number).levels > 1]
    return np.sort(np.concatenate([first, np.array(cut, np.int64)]))


def _unfinished(
    block: Block, runs: Iterable[Sequence[Places]], finished: Indices
) -> Iterator[list[Places]]:
    """The runs without their finished cells; runs without any other cell are left out."""
    for numbers in runs:
        left = ~_among(block.indices(numbers), finished)
        if left.any():
            yield [own[left] for own in numbers]


def _filled(runs: Iterable[list[Places]], most: Callable[[], int]) -> Iterator[list[Places]]:
    """The runs, with neighbors joined as long as they have at most `most` cells."""
    waiting: list[Places] = []
    for run in runs:
        if waiting and len(waiting[0]) + len(run[0]) <= most():
            waiting = [np.concatenate(each) for each in zip(waiting, run, strict=True)]
            continue
        if waiting:
            yield waiting
        waiting = run
    if waiting:
        yield waiting


def _costliest_first(numbers: Places, cuts: Cuts) -> Places:
    """The blocks in their order, except that the last ones are sorted by their costs."""
    others, last = numbers[:-MOST_SORTED], numbers[-MOST_SORTED:]
    costs = [cuts.of(number).seconds for number in last.tolist()]
    return np.concatenate([others, last[np.argsort(np.negative(costs), kind="stable")]])


def _among(indices: Indices, known: Indices) -> NDArray[np.bool_]:
    """Whether each index is among the known ones; `known` is sorted."""
    places = np.searchsorted(known, indices)
    return (
        known.take(places, mode="clip") == indices if len(known) else np.zeros(len(indices), bool)
    )
