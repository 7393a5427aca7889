"""`stop: decided`: fewer steps, the same labels."""

from dataclasses import replace

import numpy as np
import pytest

from core.outcomes import THRESHOLDS
from core.settings import trial_id
from core.training import FULLY_CONNECTED
from core.trials import DEFAULTS, Trial
from pipeline.batches import batches
from pipeline.grids.grid import Grid
from pipeline.sweep_files.loading import load_sweep
from pipeline.tasks import tasks

from ..trainings import trainings


@pytest.fixture(scope="module")
def quickstart():
    """The shipped sweep."""
    return load_sweep("quickstart")


@pytest.fixture(scope="module", params=[0.1, 0.5])
def both(quickstart, request):
    """A part of the quickstart at a trained level, in full and with `stop: decided`: pairs."""
    some = {
        "depth": (2, 4),
        "init_scale": quickstart.grid.axes["init_scale"][1::3],
        "measure": ("none",),
        "trained_level": (request.param,),
    }
    grid = Grid(Trial, {**quickstart.grid.axes, **some})
    (task,) = tasks(quickstart).values()
    return [
        pair
        for batch in batches(grid, FULLY_CONNECTED, quickstart.infos, np.empty(0, np.int64))
        for pair in zip(
            trainings(batch.trials, task),
            trainings([replace(trial, stop="decided") for trial in batch.trials], task),
            strict=True,
        )
    ]


def test_no_outcome_of_the_quickstart_changes(both):
    """Over every activation, learning rate and kind of outcome."""
    changed = [
        full.trial for full, decided in both if full.result.outcome != decided.result.outcome
    ]
    assert changed == []
    assert {full.result.outcome for full, _ in both} >= {
        "trained",
        "slow",
        "diverged",
        "oscillating",
    }


def test_only_trained_networks_stop_and_most_of_them_do(both):
    """All others take the steps they took; what is trained is left where it surely is."""
    trained = [decided.result for full, decided in both if full.result.outcome == "trained"]
    stopped = [result for result in trained if result.steps_run < 100]
    assert len(stopped) > len(trained) / 2
    sure = THRESHOLDS.surely_trained_factor * both[0][0].trial.trained_level
    for result in stopped:
        assert result.final_loss <= sure * result.baseline_loss
        assert result.steps_run >= THRESHOLDS.tail_losses - 1
    assert max(result.final_loss / result.baseline_loss for result in stopped) > sure / 2
    others = [pair for pair in both if pair[0].result.outcome != "trained"]
    assert all(full.result.steps_run == decided.result.steps_run for full, decided in others)


def test_the_steps_taken_are_the_same_steps(both):
    """A network that leaves early has the losses of the full run up to there, to the bit."""
    for full, decided in both:
        shared = decided.curves["loss"][:-1].tolist()
        assert shared == full.curves["loss"][: len(shared)].tolist()


def test_what_is_measured_at_the_end_is_measured_where_it_left(quickstart):
    """Accuracy and signals are those of a full run of so many steps, to the bit."""
    (task,) = tasks(quickstart).values()
    some = {"depth": (2,), "activation": ("tanh",), "init_scale": (1.0,)}
    grid = Grid(Trial, {**quickstart.grid.axes, **some})
    for decided in trainings([replace(trial, stop="decided") for trial in grid], task):
        if decided.result.outcome == "trained":
            shorter = replace(decided.trial, stop="full", steps=decided.result.steps_run)
            (full,) = trainings([shorter], task)
            assert full.result.final_accuracy == decided.result.final_accuracy is not None
            for name, values in full.layers.items():
                np.testing.assert_array_equal(values, decided.layers[name], err_msg=name)


def test_a_sweep_that_does_not_say_trains_in_full(grid_of):
    """`full` is the default, and leaves every id what it was before there was a choice."""
    (trial,) = grid_of()
    assert trial.stop == DEFAULTS["stop"] == "full"
    assert trial_id(replace(trial, stop="decided")) != trial_id(trial)


def test_a_sweep_file_may_ask_for_both(write_sweep):
    """`stop` is an axis as any other."""
    assert write_sweep(stop="[full, decided]").grid.size == 2 * write_sweep().grid.size
