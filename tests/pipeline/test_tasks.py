"""A sweep's tasks: each summed up in a line, none that the best constant solves."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from core.settings import setting
from core.training import FULLY_CONNECTED
from pipeline.grids.grid import Grid
from pipeline.sweep_files.loading import Sweep, SweepFileError
from pipeline.tasks import MOST_LISTED, task_key, task_summaries, tasks

SWEEP = """
dataset: digits
depth: 2
activation: tanh
learning_rate: 0.1
"""


@pytest.fixture
def sweep_of(write_sweep):
    """A sweep with some of its fields changed; `file` takes the place of the data set."""

    def sweep_of(**changes):
        text = SWEEP.replace("dataset: digits\n", "") if "file" in changes else SWEEP
        return write_sweep(text, **changes)

    return sweep_of


def in_words(sweep):
    return [summary.in_words for summary in task_summaries(sweep)]


def write_numbers(path, targets):
    features = np.random.default_rng(0).normal(size=(len(targets), 2))
    pd.DataFrame(features, columns=["x", "y"]).assign(target=targets).to_csv(path, index=False)


def test_a_file_is_summed_up_by_rows_features_classes_and_baseline(sweep_of, tmp_path):
    """6 positives of 300 rows: 3 are among 128 examples, whose entropy is the baseline."""
    write_numbers(tmp_path / "my.csv", (np.arange(300) % 50 == 3).astype(int))
    assert in_words(sweep_of(file="my.csv", examples=128)) == [
        "my.csv: 300 rows, 128 used, 2 features, 2 classes (smallest: 3), baseline loss 0.111"
    ]
    assert in_words(sweep_of(file="my.csv", loss="mse")) == [
        "my.csv: 300 rows, 300 used, 2 features, 2 classes (smallest: 6), baseline loss 0.0196"
    ]


def test_numbers_are_summed_up_by_their_range(sweep_of, tmp_path):
    """As they stand in the file; each loss and scaling of the targets has its baseline."""
    write_numbers(tmp_path / "my.csv", np.linspace(1000, 3000, 5))
    (line,) = in_words(sweep_of(file="my.csv", loss="mse", targets="[standardized, raw]"))
    assert line == (
        "my.csv: 5 rows, 5 used, 2 features, target 1000 to 3000, baseline loss "
        "0.5 (mse, standardized targets), 2.5e+05 (mse, raw targets)"
    )


def test_several_targets_are_summed_up_together(sweep_of, tmp_path):
    """How many there are, and the range of all."""
    table = pd.DataFrame({"x": [1.5, 2, 4], "a": [0.0, 1, 2], "b": [-3.0, 5, 1]})
    table.to_csv(tmp_path / "my.csv", index=False)
    (line,) = in_words(sweep_of(file="my.csv", target="[a, b]", loss="mse"))
    assert line == "my.csv: 3 rows, 3 used, 1 feature, 2 targets -3 to 5, baseline loss 1"


def test_bundled_and_drawn_data_are_summed_up_too(sweep_of):
    """By their names; a drawn one has no rows."""
    lines = in_words(sweep_of(dataset="[wine, spirals]", examples="[16, 178]"))
    assert lines == [
        "wine: 178 rows, 16 used, 13 features, 3 classes (smallest: 3), baseline loss 1.04",
        "wine: 178 rows, 178 used, 13 features, 3 classes (smallest: 48), baseline loss 1.09",
        "spirals: 16 drawn, 2 features, 2 classes (smallest: 8), baseline loss 0.693",
        "spirals: 178 drawn, 2 features, 2 classes (smallest: 89), baseline loss 0.693",
    ]


def test_of_many_numbers_of_examples_two_are_in_words(sweep_of):
    """The least and the most."""
    sweep = sweep_of(examples=list(range(20, 30 + MOST_LISTED)))
    assert [summary.examples for summary in task_summaries(sweep)] == [20, 29 + MOST_LISTED]


def test_every_trial_has_its_task(sweep_of, tmp_path):
    """By data set, examples, features and targets."""
    write_numbers(tmp_path / "my.csv", np.linspace(1000, 3000, 50))
    sweep = sweep_of(file="my.csv", loss="mse", targets="[standardized, raw]", examples="[20, 30]")
    found = tasks(sweep)
    assert {task_key(trial) for trial in sweep.grid} == set(found)
    for trial in sweep.grid:
        task = found[task_key(trial)]
        assert task.examples == trial.examples
        assert (task.targets.max() > 1000) is np.bool_(trial.targets == "raw")


def test_a_trainer_without_data_trains_on_none(sweep_of):
    """And has nothing to sum up, whatever settings it has."""
    sweep = replace(sweep_of(), trainer=replace(FULLY_CONNECTED, task=None))
    assert set(tasks(sweep).values()) == {None}
    assert task_summaries(sweep) == []


def test_a_trainer_of_other_settings_has_its_task_by_those_that_decide_it(sweep_of):
    """No setting is known by name but the data set and the number of examples."""
    made = []

    @dataclass(frozen=True, kw_only=True)
    class Fit:
        dataset: str = setting("data set name", "name", of_task=True)
        examples: int = setting("examples", of_task=True)
        noise: float = setting("added to the targets", of_task=True)
        rate: float = setting("step size", differs_within="start")

    def task(trial, dataset):
        made.append((trial.noise, len(dataset.inputs)))
        return made[-1]

    trainer = replace(FULLY_CONNECTED, trial=Fit, task=task, baseline=None, baseline_by=())
    axes = {"dataset": ("wine",), "examples": (30,), "noise": (0.0, 0.5), "rate": (1.0, 2.0)}
    sweep = Sweep("fits", Grid(Fit, axes), {}, trainer)
    assert tasks(sweep) == {("wine", 30, n): (n, 178) for n in (0.0, 0.5)}
    assert len(made) == 2
    (line,) = in_words(sweep)
    assert line.startswith("wine: 178 rows, 30 used, 13 features, 3 classes (smallest: ")
    assert "baseline" not in line  # of a loss that it has not


@pytest.mark.parametrize(
    ("losses", "margins", "baselines"),
    [
        (("hinge",), (1.0,), "1"),
        (("hinge", "zero_one"), (1.0,), "1 (hinge), 0.5 (zero_one)"),
        (("hinge",), (1.0, 2.0), "1 (hinge, 1.0 margin), 2 (hinge, 2.0 margin)"),
    ],
)
def test_a_trainer_has_baselines_of_losses_of_its_own(losses, margins, baselines):
    """By the settings that it names, whatever core knows of losses."""

    @dataclass(frozen=True, kw_only=True)
    class Margin:
        dataset: str = setting("data set name", "name", of_task=True)
        examples: int = setting("examples", of_task=True)
        loss: str = setting("what is least", "name", choices=("hinge", "zero_one"))
        margin: float = setting("how far from the boundary", differs_within="batch")

    def baseline(trial, task):
        return trial.margin if trial.loss == "hinge" else task.mean()

    trainer = replace(
        FULLY_CONNECTED,
        trial=Margin,
        task=lambda trial, dataset: dataset.targets[: trial.examples] % 2,
        baseline=baseline,
        baseline_by=("loss", "margin"),
    )
    axes = {"dataset": ("spirals",), "examples": (30,), "loss": losses, "margin": margins}
    (line,) = in_words(Sweep("margins", Grid(Margin, axes), {}, trainer))
    assert line.endswith(f", baseline loss {baselines}")


def test_only_what_a_cell_trains_on_is_made(sweep_of):
    """Axes that move together, and a condition, leave out the other combinations."""
    sweep = sweep_of(
        dataset="[wine, digits, spirals]",
        examples="[20, 30, 40]",
        zip="[dataset, examples]",
        where="'depth == 2 and examples < 40'",
    )
    assert [key[:2] for key in tasks(sweep)] == [("wine", 20), ("digits", 30)]
    assert [summary.in_words.split(",")[0] for summary in task_summaries(sweep)] == [
        "wine: 178 rows",
        "digits: 1",
    ]


@pytest.mark.parametrize("command", [task_summaries, tasks])
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"dataset": "breast_cancer", "examples": 2}, "2 examples .* 569 of breast_cancer .* one"),
        ({"dataset": "breast_cancer", "examples": 2, "loss": "mse"}, "are of one class, got exam"),
        (
            {"file": "mostly.csv", "examples": 3, "loss": "mse"},
            "3 examples drawn from the 300 of mostly.csv-.* have the same target.*examples: all",
        ),
        ({"file": "mostly.csv", "examples": 3, "loss": "mse", "targets": "raw"}, "the same target"),
    ],
)
def test_a_sample_that_the_best_constant_solves_is_refused(
    sweep_of, tmp_path, changes, found, command
):
    """One class or one target: the baseline is 0, and nothing could ever have trained."""
    write_numbers(tmp_path / "mostly.csv", np.where(np.arange(300) == 77, 2.5, 1.5))
    with pytest.raises(SweepFileError, match=found):
        command(sweep_of(**changes))
