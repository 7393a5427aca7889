"""A sweep's tasks: each told in a line, none that the best constant solves."""

import numpy as np
import pandas as pd
import pytest

from pipeline.sweep_file import SweepFileError
from pipeline.tasks import MOST_TOLD, task_key, task_summaries, tasks

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


def told(sweep):
    return [summary.told for summary in task_summaries(sweep)]


def write_numbers(path, targets):
    features = np.random.default_rng(0).normal(size=(len(targets), 2))
    pd.DataFrame(features, columns=["x", "y"]).assign(target=targets).to_csv(path, index=False)


def test_a_file_is_told_by_rows_features_classes_and_baseline(sweep_of, tmp_path):
    """6 positives of 300 rows: 3 are among 128 examples, whose entropy is the baseline."""
    write_numbers(tmp_path / "my.csv", (np.arange(300) % 50 == 3).astype(int))
    assert told(sweep_of(file="my.csv", examples=128)) == [
        "my.csv: 300 rows, 128 used, 2 features, 2 classes (smallest: 3), baseline loss 0.111"
    ]
    assert told(sweep_of(file="my.csv", loss="mse")) == [
        "my.csv: 300 rows, 300 used, 2 features, 2 classes (smallest: 6), baseline loss 0.0196"
    ]


def test_numbers_are_told_by_their_range(sweep_of, tmp_path):
    """As they stand in the file; each loss and scaling of the targets has its baseline."""
    write_numbers(tmp_path / "my.csv", np.linspace(1000, 3000, 5))
    (line,) = told(sweep_of(file="my.csv", loss="mse", targets="[standardized, raw]"))
    assert line == (
        "my.csv: 5 rows, 5 used, 2 features, target 1000 to 3000, baseline loss "
        "0.5 (mse, standardized targets), 2.5e+05 (mse, raw targets)"
    )


def test_bundled_and_drawn_data_are_told_too(sweep_of):
    """By their names; a drawn one has no rows."""
    lines = told(sweep_of(dataset="[wine, spirals]", examples="[16, 178]"))
    assert lines == [
        "wine: 178 rows, 16 used, 13 features, 3 classes (smallest: 3), baseline loss 1.04",
        "wine: 178 rows, 178 used, 13 features, 3 classes (smallest: 48), baseline loss 1.09",
        "spirals: 16 drawn, 2 features, 2 classes (smallest: 8), baseline loss 0.693",
        "spirals: 178 drawn, 2 features, 2 classes (smallest: 89), baseline loss 0.693",
    ]


def test_of_many_numbers_of_examples_two_are_told(sweep_of):
    """The least and the most."""
    sweep = sweep_of(examples=list(range(20, 30 + MOST_TOLD)))
    assert [summary.examples for summary in task_summaries(sweep)] == [20, 29 + MOST_TOLD]


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
