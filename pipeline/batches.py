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

# What a measurement costs, in steps of float64. A sweep's learning rates share a start, so its
# signals are counted once a trial, at the end; its sharpness takes some 75 products of three steps.
MEASURED_STEPS = {"signal": 6, "sharpness": 250}

# Long enough that scheduling costs nothing, short enough that workers end together.
BATCH_SECONDS = 1.0
MOST_TRIALS = 4096


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
    """Estimated time of one training on one core, if it runs to its end, measurements included."""
    asked = trial.measure.split("+")
    measured = sum(steps for name, steps in MEASURED_STEPS.items() if name in asked)
    if "sharpness_curve" in asked:
        measured += MEASURED_STEPS["sharpness"] * min(trial.steps, CURVE_POINTS)
    training = (trial.steps + 1) * _step_seconds(trial, data, trial.dtype)
    return training + measured * _step_seconds(trial, data, "float64") + SECONDS_PER_TRIAL


def _step_seconds(trial: Trial, data: DatasetInfo, dtype: str) -> float:
    elements = (trial.depth - 1) * trial.width * trial.examples
    products = flops(trial, data) / (trial.steps + 1) * SECONDS_PER_FLOP[dtype]
    return products + elements * SECONDS_PER_ELEMENT[dtype]


def trials_per_batch(trial: Trial, data: DatasetInfo) -> int:
    """How many trials like this one make a task of about BATCH_SECONDS."""
    return max(1, min(MOST_TRIALS, round(BATCH_SECONDS / seconds(trial, data))))


def batches(grid: Grid, datasets: Mapping[str, DatasetInfo], finished: Indices) -> Iterator[Batch]:
    """The grid's unfinished trials as batches, the costliest shapes first.

    With the long tasks first and the short ones last, no worker is left alone at the end.

    Args:
        grid: The cells of the sweep.
        datasets: Sizes of the data sets it names.
        finished: Sorted grid indices of the trials that have a row.
    """
    costs = [seconds(block[0], datasets[block[0].dataset]) for block in grid.blocks()]
    for number in np.argsort(np.negative(costs), kind="stable").tolist():
        block = grid.block(number)
        size = _batch_size(block, grid, datasets)
        for start in range(0, block.size, size):
            positions = range(start, min(start + size, block.size))
            unfinished = _unfinished(positions, block.start, finished)
            if len(unfinished):
                yield Batch(block, unfinished)


def _batch_size(block: Block, grid: Grid, datasets: Mapping[str, DatasetInfo]) -> int:
    """Whole rows of learning rates where a batch holds at least one: they share their start."""
    size = trials_per_batch(block[0], datasets[block[0].dataset])
    rates = len(grid.axes["learning_rate"])
    return size if size < rates else size - size % rates


def _unfinished(positions: range, start: int, finished: Indices) -> Sequence[int]:
    first, last = np.searchsorted(finished, [start + positions.start, start + positions.stop])
    if first == last:
        return positions
    done = set((finished[first:last] - start).tolist())
    return [position for position in positions if position not in done]
