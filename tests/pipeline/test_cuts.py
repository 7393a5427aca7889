"""Cuts: about a second of work a batch, and no start measured more often than it is worth."""

from dataclasses import replace

import numpy as np
import pytest

from core.costs import seconds
from core.datasets import DATASETS
from core.training import FULLY_CONNECTED
from pipeline.cuts import (
    BATCH_SECONDS,
    LEAST_CUT,
    MOST_REPEATED,
    MOST_TRIALS,
    Cut,
    Cuts,
    aimed_seconds,
)
from pipeline.executors import TASKS_PER_CPU
from pipeline.grids.blocks import Blocks
from pipeline.prices import Price, price

SHARP = {"width": (256,), "depth": (5,), "measure": ("sharpness",), "examples": (1000,)}


@pytest.fixture
def cut_of(grid_of):
    """How a block of 16 rates and so many seeds is cut."""

    def cut(trial, rates=16, seeds=1, levels=1):
        return Cut(price(trial, FULLY_CONNECTED, DATASETS), rates * seeds, seeds, levels)

    return cut


def test_a_batch_is_about_a_second_of_work(grid_of, cut_of):
    """Long trainings go alone, short ones many together, but never too many."""
    trial = grid_of(depth=(8,), width=(32,), examples=(128,), steps=(100,))[0]
    size = cut_of(trial).size
    assert size % 16 == 0
    assert size * seconds(trial, DATASETS["digits"]) == pytest.approx(BATCH_SECONDS, rel=0.3)
    assert cut_of(replace(trial, steps=10**8)).size == 1
    assert cut_of(replace(trial, depth=1, steps=0, examples=2)).size == MOST_TRIALS


@pytest.mark.parametrize("cpus", [0, 1, 300, 301, 4000, 10**6])
def test_batches_grow_with_the_cluster(cpus):
    """A second each on some hundred CPUs; from then on 300 of them end in a second."""
    seconds = aimed_seconds(TASKS_PER_CPU * cpus)
    assert seconds == pytest.approx(max(BATCH_SECONDS, cpus / 300))


@pytest.mark.parametrize("steps", [1, 10, 100, 1000, 10_000])
def test_a_start_is_measured_again_only_where_that_costs_little(grid_of, cut_of, steps):
    """However long a training: whole starts where the start dominates, else parts of a second."""
    cut = cut_of(grid_of(**SHARP, steps=(steps,))[0], rates=99)
    trainings = cut.size * cut.price.seconds
    assert cut.size == 99 or cut.price.start <= 1.5 * MOST_REPEATED * trainings
    if steps == 1:
        assert cut.size == 99
    if steps >= 1000:
        assert cut.size < 10


@pytest.mark.parametrize(("start", "whole"), [(0.0, False), (0.29, False), (0.31, True)])
def test_levels_cut_a_start_that_costs_little(start, whole):
    """Beside the three trials that a level has of it at least."""
    assert Cut(Price(1.0, start, None), 64, 4, 3).whole_starts is whole


def test_a_block_that_is_done_at_once_has_one_level():
    """Level by level it would be mostly scheduling."""
    assert Cut(Price(LEAST_CUT / 65, 0.0, None), 64, 4, 3).levels == 1
    assert Cut(Price(LEAST_CUT / 63, 0.0, None), 64, 4, 3).levels == 3


def test_blocks_that_cost_the_same_are_of_one_kind(grid_of, monkeypatch):
    """Priced once: whatever else their networks differ in, with as many trials and starts."""
    asked = []
    monkeypatch.setattr(
        "pipeline.cuts.price", lambda trial, *rest: asked.append(trial) or price(trial, *rest)
    )
    grid = grid_of(depth=(2, 4), initializer=("gaussian", "orthogonal"), loss=("mse",))
    blocks = Blocks(grid)
    cuts = Cuts(blocks, FULLY_CONNECTED, DATASETS)
    assert [cuts.of(number) for number in range(4)] == [cuts.of(n) for n in (0, 0, 2, 2)]
    assert len(np.unique(cuts.kinds)) == len(asked) == 2


def test_a_start_is_measured_once_a_batch_of_what_is_left():
    """Not once for every part of it: of 2,000 rates one may be left, or all."""
    cut = Cut(Price(0.5, 5.0, None), 2000 * 20, 20, 1)
    assert cut.size < 2000
    assert cut.seconds_of(1, 1) == 5.5
    assert cut.seconds_of(20, 20) == 20 * 5.5
    assert cut.seconds_of(40_000, 20) == pytest.approx(20_000 + 5 * 40_000 / cut.size)


def test_a_training_that_takes_no_time_can_be_divided_by(grid_of):
    """Of a trainer that does not say what it costs."""
    free = replace(FULLY_CONNECTED, seconds=lambda trial, data: 0.0)
    found = price(grid_of()[0], free, DATASETS)
    assert Cut(found, 16, 1, 1).size == MOST_TRIALS
