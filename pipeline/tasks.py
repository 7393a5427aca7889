"""The tasks of a sweep: its data, drawn and scaled, each told in a line before it is trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.datasets import DATASETS, Task, baseline_loss, load_dataset, make_task
from core.trials import Trial
from pipeline.grid import Axes, Cells, Value
from pipeline.sweep_file import Sweep, SweepFileError

TASK_FIELDS = ("dataset", "examples", "features", "targets")
MOST_TOLD = 5  # tasks

TaskKey = tuple[str, int, str, str]


@dataclass(frozen=True)
class TaskSummary:
    """What is to be known of a task before networks are trained on it.

    Attributes:
        dataset: The name that trials know its data by.
        file: The user's file; None for a bundled data set.
        rows: In the file or data set; None where they are drawn as wanted.
        examples: How many are used.
        features: Numbers per example.
        classes: How many classes there are; None for numbers.
        smallest_class: The fewest examples of a class among those used; None for numbers.
        target_range: The least and the largest target among those used; None for classes.
        baseline_losses: The best constant predictor's loss, by loss and scaling of targets.
    """

    dataset: str
    file: str | None
    rows: int | None
    examples: int
    features: int
    classes: int | None
    smallest_class: int | None
    target_range: tuple[float, float] | None
    baseline_losses: Mapping[str, float]

    @property
    def told(self) -> str:
        """In a line: `my.csv: 300 rows, 128 used, 7 features, ...`."""
        used = f"{self.examples:,} drawn"
        if self.rows is not None:
            used = f"{self.rows:,} rows, {self.examples:,} used"
        features = "1 feature" if self.features == 1 else f"{self.features:,} features"
        return (
            f"{self.file or self.dataset}: {used}, {features}, "
            f"{self._told_targets}, baseline loss {self._told_baselines}"
        )

    @property
    def _told_targets(self) -> str:
        if self.target_range is None:
            return f"{self.classes:,} classes (smallest: {self.smallest_class:,})"
        least, largest = self.target_range
        return f"target {least:.4g} to {largest:.4g}"

    @property
    def _told_baselines(self) -> str:
        losses = [f"{loss:.3g} ({name})" for name, loss in self.baseline_losses.items()]
        return ", ".join(losses) if len(losses) > 1 else losses[0].partition(" ")[0]


def task_key(trial: Trial) -> TaskKey:
    """The settings that decide what a trial is trained on."""
    return trial.dataset, trial.examples, trial.features, trial.targets


def tasks(sweep: Sweep) -> dict[TaskKey, Task]:
    """What the sweep trains on.

    Raises:
        SweepFileError: The examples drawn are of one class, or have one target.
    """
    return {task_key(trial): _task(sweep, trial) for trial in _cells(sweep, *TASK_FIELDS)}


def task_summaries(sweep: Sweep) -> list[TaskSummary]:
    """The sweep's data sets, each with its numbers of examples: all, or the least and the most.

    Raises:
        SweepFileError: The examples drawn are of one class, or have one target.
    """
    numbers = sweep.grid.axes["examples"]
    told = numbers if len(numbers) <= MOST_TOLD else (min(numbers), max(numbers))
    each = _cells(sweep, "dataset", "examples", examples=told, features=("raw",), targets=("raw",))
    return [_summary(sweep, trial) for trial in each]


def _cells(sweep: Sweep, *swept: str, **given: tuple[Value, ...]) -> Cells:
    """The sweep's trials of its first values, along the axes named."""
    axes = {name: v if name in swept else v[:1] for name, v in sweep.grid.axes.items()}
    return Cells({**axes, **given})


def _summary(sweep: Sweep, trial: Trial) -> TaskSummary:
    task, file = _task(sweep, trial), sweep.data_files.get(trial.dataset)
    is_classes = task.labels is not None
    answers = task.targets[0]
    return TaskSummary(
        dataset=trial.dataset,
        file=file.file if file else None,
        rows=file.rows if file else DATASETS[trial.dataset].examples,
        examples=task.examples,
        features=task.features,
        classes=task.outputs if is_classes else None,
        smallest_class=int(task.targets.sum(axis=1).min()) if is_classes else None,
        target_range=None if is_classes else (float(answers.min()), float(answers.max())),
        baseline_losses=_baselines(sweep, trial),
    )


def _baselines(sweep: Sweep, summarized: Trial) -> dict[str, float]:
    """By loss and, where both are swept, by scaling of targets: `mse, raw targets`."""
    data: Axes = {"dataset": (summarized.dataset,), "examples": (summarized.examples,)}
    found = {}
    for trial in _cells(sweep, "loss", "targets", **data):
        both = len(sweep.grid.axes["targets"]) > 1
        name = f"{trial.loss}, {trial.targets} targets" if both else trial.loss
        found[name] = baseline_loss(_task(sweep, trial), trial.loss)
    return found


def _task(sweep: Sweep, trial: Trial) -> Task:
    file = sweep.data_files.get(trial.dataset)
    dataset = file.dataset if file else load_dataset(trial.dataset, trial.examples)
    task = make_task(dataset, trial.examples, trial.features, trial.targets)
    if not np.ptp(task.targets, axis=1).any():
        # The best constant solves it: its baseline is 0, and no network can beat that.
        found = "have the same target" if dataset.classes is None else "are of one class"
        raise SweepFileError(
            f"examples: the {task.examples:,} examples drawn from the {len(dataset.inputs):,} of "
            f"{dataset.name} all {found}, got examples: {task.examples}: there is nothing to "
            "learn; set more examples, or examples: all"
        )
    return task
