"""The tasks of a sweep: its data, drawn and scaled, each with a summary before training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from core.datasets import DATASETS, Dataset, Task, load_dataset, make_task
from core.settings import settings_of, values_of
from pipeline.grids.grid_parts import distinct_cells
from pipeline.sweep_files.loading import Sweep, SweepFileError

MOST_LISTED = 5  # numbers of examples per data set

TaskKey = tuple[Any, ...]

T = TypeVar("T")


@dataclass(frozen=True)
class TaskSummary:
    """The facts about a task that matter before networks are trained on it.

    Attributes:
        dataset: The name that trials know its data by.
        file: The user's file; None for a bundled data set.
        rows: In the file or data set; None where they are drawn as wanted.
        examples: How many are used.
        feature_count: Numbers per example.
        classes: How many classes there are; None for numbers.
        smallest_class: The fewest examples of a class among those used; None for numbers.
        target_columns: How many numbers a target has; None for classes.
        target_range: The least and the largest of them among those used; None for classes.
        baseline_losses: The best constant predictor's loss, by the settings that it depends on,
            in words; none where the trainer has no such loss.
    """

    dataset: str
    file: str | None
    rows: int | None
    examples: int
    feature_count: int
    classes: int | None
    smallest_class: int | None
    target_columns: int | None
    target_range: tuple[float, float] | None
    baseline_losses: Mapping[str, float]

    @property
    def in_words(self) -> str:
        """The summary in one line: `my.csv: 300 rows, 128 used, 7 features, ...`."""
        used = f"{self.examples:,} drawn"
        if self.rows is not None:
            used = f"{self.rows:,} rows, {self.examples:,} used"
        count = self.feature_count
        features = "1 feature" if count == 1 else f"{count:,} features"
        words = f"{self.file or self.dataset}: {used}, {features}, {self._targets_in_words}"
        if not self.baseline_losses:
            return words
        return f"{words}, baseline loss {self._baselines_in_words}"

    @property
    def _targets_in_words(self) -> str:
        if self.target_range is None:
            return f"{self.classes:,} classes (smallest: {self.smallest_class:,})"
        least, largest = self.target_range
        what = "target" if self.target_columns == 1 else f"{self.target_columns:,} targets"
        return f"{what} {least:.4g} to {largest:.4g}"

    @property
    def _baselines_in_words(self) -> str:
        losses = [f"{loss:.3g} ({name})" for name, loss in self.baseline_losses.items()]
        return ", ".join(losses) if len(losses) > 1 else losses[0].partition(" ")[0]


def task_key(trial: Any) -> TaskKey:
    """The settings that determine the task of a trial."""
    settings = settings_of(type(trial)).items()
    return tuple(getattr(trial, name) for name, setting in settings if setting.of_task)


def tasks(sweep: Sweep) -> dict[TaskKey, Any]:
    """The tasks of the sweep's trials; None for a trainer that needs no data.

    Raises:
        SweepFileError: The examples drawn are of one class, or have one target.
    """
    of_task = [name for name, setting in sweep.trainer.settings.items() if setting.of_task]
    return {task_key(t): _task(sweep, t) for t in distinct_cells(sweep.grid, of_task)}


def task_summaries(sweep: Sweep) -> list[TaskSummary]:
    """A summary for each data set and number of examples; of many numbers the least and the most.

    A trainer that needs no data has none.

    Raises:
        SweepFileError: The examples drawn are of one class, or have one target.
    """
    if sweep.trainer.task is None:
        return []
    numbers: dict[str, list[int]] = {}
    for trial in distinct_cells(sweep.grid, ("dataset", "examples")):
        numbers.setdefault(trial.dataset, []).append(trial.examples)
    return [
        _summary(sweep, dataset, examples)
        for dataset, found in numbers.items()
        for examples in (found if len(found) <= MOST_LISTED else (min(found), max(found)))
    ]


def _summary(sweep: Sweep, dataset: str, examples: int) -> TaskSummary:
    data, file = _dataset(sweep, dataset, examples), sweep.data_files.get(dataset)
    task = _learnable(make_task(data, examples, "raw", "raw"), data)
    is_classes = task.labels is not None
    answers = task.targets
    return TaskSummary(
        dataset=dataset,
        file=file.file if file else None,
        rows=file.rows if file else DATASETS[dataset].examples,
        examples=task.examples,
        feature_count=task.feature_count,
        classes=task.outputs if is_classes else None,
        smallest_class=int(task.targets.sum(axis=1).min()) if is_classes else None,
        target_columns=None if is_classes else task.outputs,
        target_range=None if is_classes else (float(answers.min()), float(answers.max())),
        baseline_losses=_baselines(sweep, data, examples),
    )


def _baselines(sweep: Sweep, data: Dataset, examples: int) -> dict[str, float]:
    """By the settings that they depend on: `mse`, or `mse, raw targets`."""
    trainer = sweep.trainer
    if trainer.baseline is None:
        return {}
    varying = [name for name in trainer.baseline_by[1:] if len(sweep.grid.values[name]) > 1]
    names = [*trainer.baseline_by[:1], *varying]
    of_data: dict[str, list[Any]] = {"dataset": [data.name], "examples": [examples]}
    return {
        _baseline_name(trial, names): trainer.baseline(trial, _task(sweep, trial))
        for trial in distinct_cells(sweep.grid, names, of_data)
    }


def _baseline_name(trial: Any, names: Sequence[str]) -> str:
    """The values of some settings, with the names of all but the first."""
    values = values_of(trial)
    alone = [str(values[name]) for name in names[:1]]
    return ", ".join(alone + [f"{values[name]} {name}" for name in names[1:]]) or "any"


def _dataset(sweep: Sweep, name: str, examples: int) -> Dataset:
    file = sweep.data_files.get(name)
    return file.dataset if file else load_dataset(name, examples)


def _task(sweep: Sweep, trial: Any) -> Any:
    if sweep.trainer.task is None:
        return None
    dataset = _dataset(sweep, trial.dataset, trial.examples)
    return _learnable(sweep.trainer.task(trial, dataset), dataset)


def _learnable(task: T, dataset: Dataset) -> T:
    """The task, unless the best constant solves it."""
    if isinstance(task, Task) and not np.ptp(task.targets, axis=1).any():
        # Its baseline is 0, and no network can beat that.
        found = "have the same target" if dataset.classes is None else "are of one class"
        raise SweepFileError(
            f"examples: the {task.examples:,} examples drawn from the {len(dataset.inputs):,} of "
            f"{dataset.name} all {found}, got examples: {task.examples}: there is nothing to "
            "learn; set more examples, or examples: all"
        )
    return task
