"""Same-shaped trials grouped into task-sized batches by a cost model."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from core.network import layer_widths
from core.trials import Trial, trial_id
from pipeline.grid import Grid
from pipeline.store import FinishedTrials

# Measured on one core (AVX-512, OpenBLAS); a slower machine only gets longer batches.
SECONDS_PER_FLOP = {"float32": 1 / 40e9, "float64": 1 / 20e9}
SECONDS_PER_ELEMENT = {"float32": 2e-9, "float64": 5e-9}
SECONDS_PER_TRIAL = 2e-4  # initial weights, the verdict, its rows

# Long enough that scheduling costs nothing, short enough that workers end together.
BATCH_SECONDS = 1.0
MOST_TRIALS = 4096


@dataclass(frozen=True)
class Batch:
    """Same-shaped trials that one task trains."""

    batch_id: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Sizes:
    """Features and outputs of a data set: with a trial's shape they decide its cost."""

    features: int
    outputs: int


def flops(trial: Trial, sizes: Sizes) -> int:
    """Floating-point operations of a training: 2 a weight, example and pass, 3 passes a step."""
    widths = layer_widths(sizes.features, trial.width, sizes.outputs, trial.depth)
    weights = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    return 6 * weights * trial.examples * (trial.steps + 1)


def seconds(trial: Trial, sizes: Sizes) -> float:
    """Estimated time of one training on one core, if it runs to its end."""
    elements = (trial.depth - 1) * trial.width * trial.examples * (trial.steps + 1)
    return (
        flops(trial, sizes) * SECONDS_PER_FLOP[trial.dtype]
        + elements * SECONDS_PER_ELEMENT[trial.dtype]
        + SECONDS_PER_TRIAL
    )


def batches(
    grid: Grid, sizes: Mapping[str, Sizes], finished: FinishedTrials
) -> Iterator[Batch]:
    """The grid's unfinished trials as batches, the costliest shapes first.

    With the long tasks first and the short ones last, no worker is left alone at the end.
    """
    blocks = sorted(grid.blocks(), key=lambda block: -seconds(block[0], sizes[block[0].dataset]))
    for block in blocks:
        unfinished = _unfinished(iter(block), finished)
        size = trials_per_batch(block[0], sizes[block[0].dataset])
        while trials := tuple(islice(unfinished, size)):
            yield Batch(_batch_id(trials), trials)


def trials_per_batch(trial: Trial, sizes: Sizes) -> int:
    """How many trials like this one make a task of about BATCH_SECONDS."""
    return max(1, min(MOST_TRIALS, round(BATCH_SECONDS / seconds(trial, sizes))))


def _unfinished(trials: Iterator[Trial], finished: FinishedTrials) -> Iterator[Trial]:
    while chunk := list(islice(trials, MOST_TRIALS)):
        done = finished.contain([trial_id(trial) for trial in chunk])
        yield from (chunk[i] for i in np.flatnonzero(~done))


def _batch_id(trials: tuple[Trial, ...]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for trial in trials:
        digest.update(trial_id(trial).encode())
    return digest.hexdigest()
