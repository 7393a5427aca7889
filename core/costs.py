"""The expected cost of a training: operations, and seconds of one core.

What is known of an activation, a dtype and a measurement stands in their own tables. The
loss takes 3% of a step at most, whichever it is, and is not counted.
"""

from core.datasets import DatasetInfo
from core.dtypes import DTYPES
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import CURVE_POINTS
from core.hidden_layers import (
    NO_NORMALIZATION,
    NO_RESIDUAL,
    NORMALIZATIONS,
    RESIDUAL_COST,
)
from core.network import layer_widths
from core.trials import MEASUREMENTS, Measurement, Trial

SECONDS_PER_TRIAL = 2e-4  # initial weights, the verdict, its rows


def flops(trial: Trial, data: DatasetInfo) -> int:
    """Floating-point operations of a training: 2 per weight, example and pass; 3 passes a step."""
    # However deep, the layers between the first and the last are alike.
    shallow = min(trial.depth, 2)
    widths = layer_widths(data.features, trial.width, data.outputs, shallow)
    weights = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    weights += (trial.depth - shallow) * (trial.width + 1) * trial.width
    return 6 * weights * trial.examples * (trial.steps + 1)


def seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time of one training on one core, if it runs to its end, with what it measures.

    The measurement of its start, which other learning rates share, is `start_seconds`.
    """
    asked = [MEASUREMENTS[name] for name in trial.measure]
    logged = min(trial.steps, CURVE_POINTS)
    measured = sum(
        (each.at_end + each.at_logged_step * logged) * _times(each, trial) for each in asked
    )
    training = (trial.steps + 1) * _step_seconds(trial, data, trial.dtype)
    return training + measured * _step_seconds(trial, data, "float64") + SECONDS_PER_TRIAL


def start_seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time to measure a start, once for all learning rates of a batch."""
    asked = [MEASUREMENTS[name] for name in trial.measure]
    steps = sum(each.at_start * _times(each, trial) for each in asked)
    return steps * _step_seconds(trial, data, "float64")


def _times(measurement: Measurement, trial: Trial) -> int:
    """How many times its steps a measurement takes of a trial's network."""
    plain = trial.residual == NO_RESIDUAL and trial.normalization == NO_NORMALIZATION
    return 1 if plain else measurement.if_not_plain


def _step_seconds(trial: Trial, data: DatasetInfo, name: str) -> float:
    dtype, activation = DTYPES[name], ACTIVATIONS[trial.activation]
    elements = (trial.depth - 1) * trial.width * trial.examples
    products = flops(trial, data) / (trial.steps + 1) * dtype.seconds_per_flop
    cost = activation.cost + (0.0 if trial.residual == NO_RESIDUAL else RESIDUAL_COST)
    if trial.normalization != NO_NORMALIZATION:
        cost += NORMALIZATIONS[trial.normalization].cost
    return products + elements * cost * dtype.seconds_per_element
