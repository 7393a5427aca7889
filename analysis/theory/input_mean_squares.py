"""The mean square of a run's inputs, which decides between two answers of the theory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd

from analysis.theory.redrawn import task_of
from core.datasets import DATASETS
from core.initializers import first_layer_factor
from core.settings import Value
from core.trials import SETTINGS

OF_TASK = [name for name, setting in SETTINGS.items() if setting.of_task]
Run = Mapping[str, Any]

LARGEST_LOG10 = 100.0  # beyond, every variance has diverged


def input_mean_square(run: Run, layers: pd.DataFrame) -> float:
    """The mean square of a run's features, from its first layer where that was measured.

    The first layer's variance is sigma_w^2 |x|^2 / n + sigma_b^2.

    Args:
        run: All settings, by column.
        layers: The run's rows of `layers`; empty where nothing was measured.
    """
    first = layers.loc[layers["layer"] == 1]
    if not run["init_scale"] or first.empty or pd.isna(first["log10_mean_square_h"].iloc[0]):
        return data_mean_square(run)
    measured = 10.0 ** min(first["log10_mean_square_h"].iloc[0], LARGEST_LOG10)
    return max(0.0, (measured - run["bias_scale"] ** 2) / run["init_scale"] ** 2)


def data_mean_square(run: Run) -> float:
    """The mean square from the data set: exact for a bundled one, else taken as 1.

    Standardized features have 1. If the first layer's sigma_w differs from the hidden layers' (it
    is orthogonal and widens, all weights have one deviation, or it has a factor of its own), the
    result is the mean square of features that would make the same first layer with theirs.
    """
    first = (run.get("init_scale_first") or 1.0) ** 2
    if run["dataset"] not in DATASETS:
        return first
    feature_count = DATASETS[run["dataset"]].feature_count
    widening = first_layer_factor(run["initializer"], feature_count, run["width"])
    of_task = tuple(run.get(name) for name in OF_TASK)
    return first * widening * _bundled_mean_square(_OnTask(of_task, run))


@dataclass(frozen=True)
class _OnTask:
    """A run that compares equal to every other run on the same task.

    Attributes:
        of_task: Its settings that decide the task.
        run: All its settings, by column.
    """

    of_task: tuple[Value | None, ...]
    run: Run = field(compare=False)


@lru_cache(maxsize=64)
def _bundled_mean_square(on_task: _OnTask) -> float:
    return task_of(on_task.run).input_mean_square
