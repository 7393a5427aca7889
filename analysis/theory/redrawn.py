"""A run's network as it was before training, drawn again from the settings in its row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets import DATASETS, Task, load_dataset, make_task
from core.losses import LOSSES
from core.measuring.starts import initial_params_of
from core.network import layer_widths
from core.trials import trial_of

Matrix = NDArray[np.float64]


def task_of(run: Mapping[str, Any]) -> Task:
    """The task on which the run was trained; its data set must be a bundled one."""
    trial = trial_of(run)
    dataset = load_dataset(trial.dataset, trial.examples)
    return make_task(dataset, trial.examples, trial.features, trial.targets)


def params_of(run: Mapping[str, Any]) -> list[Matrix]:
    """The run's initial weights, one array per layer, (fan_out, fan_in + 1), the bias last."""
    trial, data = trial_of(run), DATASETS[run["dataset"]]
    outputs = LOSSES[trial.loss].units(data.outputs)
    sizes = data.feature_count, trial.width, outputs, trial.depth
    widths = layer_widths(*sizes, trial.hidden_widths)
    return initial_params_of(trial, widths)


def hidden_layer(run: Mapping[str, Any]) -> Matrix:
    """The weights between the run's first two hidden layers, (fan_out, fan_in), without biases."""
    return params_of(run)[1][:, :-1]
