"""The expected cost of a training: operations, and seconds of one core.

The tables of activations, dtypes and measurements say what each of them costs. A loss takes at
most 3% of a step, so losses are not counted.
"""

from collections.abc import Sequence

from core.datasets import DatasetInfo
from core.dtypes import DTYPES
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import CURVE_POINTS, LAST_POINTS
from core.hidden_layers import (
    NO_NORMALIZATION,
    NO_RESIDUAL,
    NORMALIZATIONS,
    RESIDUAL_COST,
)
from core.hidden_widths import EQUAL, units_of_hidden
from core.losses import LOSSES
from core.network import layer_widths
from core.optimization.optimizers import OPTIMIZERS
from core.trials import LARGEST_KERNEL, MEASUREMENTS, Measurement, Trial, measured_at_start

# Of a parameter in a step on a batch, whose products are too small for their full rate, in the
# times of an element of tanh: between 0.7 and 1.6 at widths 32 and 64, from 1 to 32 examples.
BATCH_COST = 1.0

# The tangent kernel, by its rows: an entry in each layer, beside its products, and its eigenvalues.
SECONDS_PER_ENTRY = 6e-9
SECONDS_PER_CUBED_ROW = 7e-11

SECONDS_PER_TRIAL = 2e-4  # initial weights, the verdict, its rows
# Of float64, to pass as many held-out examples through: 0.8 to 3.6 at widths 32 and 128.
HELD_OUT_STEPS = 2


def flops(trial: Trial, data: DatasetInfo) -> int:
    """Floating-point operations: 2 per weight, example and pass, with 3 passes per step."""
    return 6 * _weights(trial, data) * _examples(trial)


def _weights(trial: Trial, data: DatasetInfo) -> int:
    """The parameters of the network."""
    outputs = LOSSES[trial.loss].units(data.outputs)
    sizes = data.feature_count, trial.width, outputs
    if trial.hidden_widths != EQUAL:
        return _parameters(layer_widths(*sizes, trial.depth, trial.hidden_widths))
    # However deep, the layers between the first and the last are alike.
    shallow = min(trial.depth, 2)
    weights = _parameters(layer_widths(*sizes, shallow))
    return weights + (trial.depth - shallow) * (trial.width + 1) * trial.width


def _parameters(widths: Sequence[int]) -> int:
    return sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))


def _hidden_units(trial: Trial) -> int:
    """The units of all hidden layers."""
    if trial.hidden_widths == EQUAL:
        return (trial.depth - 1) * trial.width
    return sum(units_of_hidden(trial.width, trial.depth, trial.hidden_widths))


def _in_batches(trial: Trial) -> bool:
    return 0 < trial.batch_size < trial.examples


def _examples(trial: Trial) -> int:
    """The examples that all steps take, each as often as it is taken."""
    if not _in_batches(trial):
        return trial.examples * (trial.steps + 1)
    measured = 1 + min(trial.steps, CURVE_POINTS + LAST_POINTS)
    return trial.batch_size * trial.steps + trial.examples * measured


def seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time of one full-length training on one core, with its later measurements.

    Measuring the start is not included: other learning rates share it, see `start_seconds`.
    """
    asked = [MEASUREMENTS[name] for name in trial.measure]
    logged = min(trial.steps, CURVE_POINTS)
    measured = sum(
        (each.at_end + each.at_logged_step * logged) * _times(each, trial) for each in asked
    )
    training = _passes_seconds(trial, data, trial.dtype, _examples(trial))
    update = OPTIMIZERS[trial.optimizer].cost + BATCH_COST * _in_batches(trial)
    updates = update * DTYPES[trial.dtype].seconds_per_element
    training += updates * _weights(trial, data) * trial.steps
    of_measured = _passes_seconds(trial, data, "float64", trial.examples)
    at_end = measured * of_measured
    at_end += HELD_OUT_STEPS * _passes_seconds(trial, data, "float64", trial.test_examples)
    return training + at_end + SECONDS_PER_TRIAL


def start_seconds(trial: Trial, data: DatasetInfo) -> float:
    """Estimated time to measure a start, once for all learning rates of a batch."""
    asked = [MEASUREMENTS[name] for name in measured_at_start(trial)]
    steps = sum(each.at_start * _times(each, trial) for each in asked)
    of_kernel = _kernel_seconds(trial, data) if "ntk" in trial.measure else 0.0
    return steps * _passes_seconds(trial, data, "float64", trial.examples) + of_kernel


def _kernel_seconds(trial: Trial, data: DatasetInfo) -> float:
    """Of a tangent kernel that is formed, and of its eigenvalues."""
    rows = LOSSES[trial.loss].units(data.outputs) * trial.examples
    if rows > LARGEST_KERNEL or trial.normalization == "batch":
        return 0.0
    units = trial.width + _hidden_units(trial)  # of the outputs as if they were a hidden layer
    of_products = 2 * units * DTYPES["float64"].seconds_per_flop
    per_entry = trial.depth * SECONDS_PER_ENTRY + of_products
    return per_entry * rows**2 + SECONDS_PER_CUBED_ROW * rows**3


def _times(measurement: Measurement, trial: Trial) -> int:
    """How many times its steps a measurement takes of a trial's network."""
    plain = trial.residual == NO_RESIDUAL and trial.normalization == NO_NORMALIZATION
    return 1 if plain else measurement.if_not_plain


def _passes_seconds(trial: Trial, data: DatasetInfo, name: str, examples: int) -> float:
    """Of the passes forward and backward, over so many examples."""
    dtype, activation = DTYPES[name], ACTIVATIONS[trial.activation]
    elements = _hidden_units(trial) * examples
    products = 6 * _weights(trial, data) * examples * dtype.seconds_per_flop
    cost = activation.cost + (0.0 if trial.residual == NO_RESIDUAL else RESIDUAL_COST)
    if trial.normalization != NO_NORMALIZATION:
        cost += NORMALIZATIONS[trial.normalization].cost
    return products + elements * cost * dtype.seconds_per_element
