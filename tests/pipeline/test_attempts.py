"""Attempts: where a batch goes whose worker or node died, until it is split or blamed."""

import numpy as np
import pytest

from core.datasets import DATASETS
from core.training import FULLY_CONNECTED
from pipeline.batches import batches
from pipeline.clusters.attempts import MOST_DEATHS, MOST_LOSSES, Attempt, Node

NODES = [Node("a", 8), Node("b", 1), Node("c", 4)]


@pytest.fixture
def of(grid_of):
    """Makes the first attempt on a batch of so many trials."""

    def made(trials):
        grid = grid_of(seed=tuple(range(trials)))
        (batch,) = batches(grid, FULLY_CONNECTED, DATASETS, np.empty(0, np.int64))
        return Attempt(batch)

    return made


def after_deaths(attempt, times):
    """A batch that is still whole after so many deaths."""
    for _ in range(times):
        (attempt,) = attempt.after_death
    return attempt


def test_the_first_attempt_takes_any_cpu(of):
    """Ray knows better than we where there is room."""
    assert of(4).place(NODES) is None


def test_each_further_attempt_has_more_of_another_node(of):
    """Half of one, then all of the next: memory may have been filled by its neighbors."""
    second, third = (after_deaths(of(4), times).place(NODES) for times in (1, 2))
    whole = {node.node_id: node.cpus for node in NODES}
    assert second.node_id != third.node_id
    assert second.cpus == max(1, whole[second.node_id] // 2)
    assert third.cpus == whole[third.node_id]


def test_without_nodes_any_that_comes_will_do(of):
    """As while an autoscaler replaces them."""
    assert after_deaths(of(4), 1).place([]) is None


def test_a_batch_whose_workers_go_on_dying_is_split(of):
    """Its halves have whole nodes, and as many attempts again."""
    attempt = of(5)
    halves = after_deaths(attempt, MOST_DEATHS - 1).after_death
    assert [list(half.batch.trials) for half in halves] == [
        list(half.trials) for half in attempt.batch.halves
    ]
    for half in halves:
        assert half.place(NODES) in NODES
        assert len(after_deaths(half, MOST_DEATHS - 1).batch) == len(half.batch)


def test_a_single_trial_is_blamed_after_as_many_deaths(of):
    """No further attempt follows: never one without end."""
    assert after_deaths(of(1), MOST_DEATHS - 1).after_death == ()
    assert of(1).halves == ()


def test_a_batch_is_sent_after_lost_nodes_for_a_while(of):
    """It keeps its size, since it is not to blame."""
    attempt = of(2)
    for _ in range(MOST_LOSSES):
        (attempt,) = attempt.after_loss
        assert len(attempt.batch) == 2
    assert attempt.after_loss == ()
