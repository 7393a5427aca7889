"""How large a run's inputs are, which decides where theory has two answers."""

from functools import lru_cache

import pandas as pd

from analysis.causes import Run
from core.datasets import DATASETS, load_dataset, make_task
from core.initializers import unit_variance

LARGEST_LOG10 = 100.0  # beyond, every variance has diverged


def input_mean_square(run: Run, layers: pd.DataFrame) -> float:
    """The mean square of a run's features, from its first layer where that was measured.

    The first layer's variance is sigma_w^2 |x|^2 / n + sigma_b^2.

    Args:
        run: The settings by column.
        layers: The run's rows of `layers`; empty where nothing was measured.
    """
    first = layers.loc[layers["layer"] == 1]
    if not run["init_scale"] or first.empty or pd.isna(first["log10_mean_square_h"].iloc[0]):
        return data_mean_square(run)
    measured = 10.0 ** min(first["log10_mean_square_h"].iloc[0], LARGEST_LOG10)
    return max(0.0, (measured - run["bias_scale"] ** 2) / run["init_scale"] ** 2)


def data_mean_square(run: Run) -> float:
    """The same from the data set: exact for one that comes with phasesweep, else taken as 1.

    1 is what standardized features have. Where an orthogonal first layer widens, the features
    that Gaussian weights would make the same first layer from.
    """
    if run["dataset"] not in DATASETS:
        return 1.0
    features = DATASETS[run["dataset"]].features
    widening = unit_variance(run["initializer"], features, run["width"])
    return widening * _bundled_mean_square(run["dataset"], run["examples"], run["features"])


@lru_cache(maxsize=64)
def _bundled_mean_square(dataset: str, examples: int, features: str) -> float:
    return make_task(load_dataset(dataset, examples), examples, features).input_mean_square
