"""A run's network as it was before training, drawn again from the settings in its row."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets import DATASETS, Task, load_dataset, make_task
from core.initializers import initial_params
from core.network import layer_widths

Matrix = NDArray[np.float64]


def task_of(run: pd.Series) -> Task:
    """What the run was trained on; a bundled data set."""
    examples = int(run["examples"])
    dataset = load_dataset(run["dataset"], examples)
    return make_task(dataset, examples, run["features"], run["targets"])


def params_of(run: pd.Series) -> list[Matrix]:
    """Its initial weights, a layer each, (fan_out, fan_in + 1); the last column is the bias."""
    data = DATASETS[run["dataset"]]
    widths = layer_widths(data.features, int(run["width"]), data.outputs, int(run["depth"]))
    return initial_params(
        run["initializer"],
        widths,
        int(run["seed"]),
        float(run["init_scale"]),
        float(run["bias_scale"]),
    )


def hidden_layer(run: pd.Series) -> Matrix:
    """The weights between its first two hidden layers, (width, width), without biases."""
    return params_of(run)[1][:, :-1]
