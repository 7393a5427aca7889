"""Same-shaped trials grouped into task-sized batches by a cost model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets import DatasetInfo
from core.gradient_descent import CURVE_POINTS
from core.network import layer_widths
from core.trials import Trial, trial_id
from pipeline.grid import Block, Grid

Indices = NDArray[np.int64]

# Fitted to measured trainings by tests/benchmarks/bench_cost_model.py, on one core (AVX-512,
# OpenBLAS); a slower machine only gets longer batches.
SECONDS_PER_FLOP = {"float32": 1 / 120e9, "float64": 1 / 65e9}
SECONDS_PER_ELEMENT = {"float32": 0.8e-9, "float64": 2e-9}
SECONDS_PER_TRIAL = 2e-4  # initial weights, the verdict, its rows

# What a measurement costs, in steps of float64: signals at the start and at the end of a training,
# sharpness, some 75 products of three steps each, at the start. Learning rates share their start.
MEASURED_STEPS = {"signal": 6, "sharpness": 250}

# Long enough that scheduling costs nothing, short enough that workers end together.
BATCH_SECONDS = 1.0
MOST_TRIALS = 4096
# A start is measured anew in each batch that needs it: it may cost that share of a batch's
# trainings, else the batch takes more of the learning rates that share it.
MOST_REPEATED = 0.1


@dataclass(frozen=True)
class Packing:
    """How the trials of a shape make batches; a row is all learning rates of one start.

    Attributes:
        rows: Whole rows that a batch holds.
        parts: Batches that a row is cut into; 1 if a batch holds several.
    """

    rows: int
    parts: int

    def count(self, rows: int) -> int:
        """How many batches so many rows make."""
        return -(-rows // self.rows) * self.parts


@dataclass(frozen=True)
class Batch:
    """Same-shaped trials that one task trains: some positions of a block of the grid.

    The trials are made where they are trained, so that a batch of any size is a few
    hundred bytes to the driver.
    """

    block: Block
    positions: Sequence[int]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def batch_id(self) -> str:
        """The first trial's id and the number of trials."""
        return f"{trial_id(self.block[self.positions[0]])[:16]}-{len(self)}"

    @property
    def halves(self) -> tuple["Batch", "Batch"]:
        """The batch cut in two, so that a trial that kills its task is found."""
        middle = len(self) // 2
        return Batch(self.block, self.positions[:middle]), Batch(
            self.block, self.positions[middle:]
        )

    @property
    def trials(self) -> list[Trial]:
        """The trials themselves."""
        return [self.block[position] for position in self.positions]


def flops(trial: Trial, data: DatasetInfo) -> int:
    """Floating-point operations of a training: 2 a weight, example and pass, 3 passes a step."""
    # However deep, the layers between the first and the last are alike.
    shallow = min(trial.depth, 2)
    widths = layer_widths(data.features, trial.width, data.outputs, shallow)
    weights = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    weights += (trial.depth - shallow) * (trial.width + 1) * trial.width
    return 6 * weights * trial.examples * (trial.steps + 1)


def seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time of one training on one core, if it runs to its end, with what it measures.

    The measurement of its start, which other learning rates share, is `start_seconds`.
    """
    asked = trial.measure.split("+")
    measured = MEASURED_STEPS["signal"] if "signal" in asked else 0
    if "sharpness_curve" in asked:
        measured += MEASURED_STEPS["sharpness"] * min(trial.steps, CURVE_POINTS)
    training = (trial.steps + 1) * _step_seconds(trial, data, trial.dtype)
    return training + measured * _step_seconds(trial, data, "float64") + SECONDS_PER_TRIAL


def start_seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time to measure a start, once for all learning rates of a batch."""
    asked = trial.measure.split("+")
    steps = sum(steps for name, steps in MEASURED_STEPS.items() if name in asked)
    return steps * _step_seconds(trial, data, "float64")


def _step_seconds(trial: Trial, data: DatasetInfo, dtype: str) -> float:
    elements = (trial.depth - 1) * trial.width * trial.examples
    products = flops(trial, data) / (trial.steps + 1) * SECONDS_PER_FLOP[dtype]
    return products + elements * SECONDS_PER_ELEMENT[dtype]


def packing(trial: Trial, data: DatasetInfo, rates: int) -> Packing:
    """Batches of about BATCH_SECONDS, longer where cutting a row would measure its start often.

    Args:
        trial: Any of the shape.
        data: Sizes of its data set.
        rates: Learning rates in a row.
    """
    each, start = seconds(trial, data), start_seconds(trial, data)
    rows = min(MOST_TRIALS // rates, round(BATCH_SECONDS / (start + rates * each)))
    if rows:
        return Packing(rows, 1)
    trials = max(BATCH_SECONDS - start, start / MOST_REPEATED) / each
    parts = max(round(rates / trials), -(-rates // MOST_TRIALS), 1)
    return Packing(1, min(parts, rates))


def batches(grid: Grid, datasets: Mapping[str, DatasetInfo], finished: Indices) -> Iterator[Batch]:
    """The grid's unfinished trials as batches, the costliest shapes first.

    With the long tasks first and the short ones last, no worker is left alone at the end.

    Args:
        grid: The cells of the sweep.
        datasets: Sizes of the data sets it names.
        finished: Sorted grid indices of the trials that have a row.
    """
    rates = len(grid.axes["learning_rate"])
    shapes = [(block[0], datasets[block[0].dataset]) for block in grid.blocks()]
    costs = [rates * seconds(*shape) + start_seconds(*shape) for shape in shapes]
    for number in np.argsort(np.negative(costs), kind="stable").tolist():
        block, (trial, data) = grid.block(number), shapes[number]
        for positions in _cut(block.size, rates, packing(trial, data, rates)):
            unfinished = _unfinished(positions, block.start, finished)
            if len(unfinished):
                yield Batch(block, unfinished)


def _cut(trials: int, rates: int, packed: Packing) -> Iterator[range]:
    """A block's positions batch by batch: learning rates are its fastest axis."""
    size = packed.rows * rates
    for first in range(0, trials, size):
        last = min(first + size, trials)
        edges = [first + (last - first) * n // packed.parts for n in range(packed.parts + 1)]
        yield from map(range, edges[:-1], edges[1:])


def unfinished_rows(block: Block, finished: Indices) -> int:
    """How many rows of learning rates have a trial left: as many starts are measured."""
    rates = len(block.axes["learning_rate"])
    first, last = np.searchsorted(finished, [block.start, block.start + block.size])
    _, counts = np.unique((finished[first:last] - block.start) // rates, return_counts=True)
    return block.size // rates - int((counts == rates).sum())


def _unfinished(positions: range, start: int, finished: Indices) -> Sequence[int]:
    first, last = np.searchsorted(finished, [start + positions.start, start + positions.stop])
    if first == last:
        return positions
    done = set((finished[first:last] - start).tolist())
    return [position for position in positions if position not in done]
