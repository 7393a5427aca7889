"""The starts of trials of one shape: drawn initial weights, each measured once.

Trials share a start if they differ only in settings of the descent, such as the learning rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.columns import Tables, each_column, joined
from core.datasets import Task
from core.gradient_descent import Problem
from core.initializers import (
    INITIALIZERS,
    first_layer_factor,
    has_one_sigma,
    initial_params,
    weight_variance,
)
from core.measuring.measurements import Params, measure_starts, stacked
from core.measuring.signal_propagation import interior_growths
from core.network import layer_widths
from core.optimization.parameterizations import LayerFactors
from core.settings import Trials
from core.theory.mean_field import fixed_point_chi
from core.theory.wide_signals import wide_signals
from core.trials import SETTINGS, Trial, measured_at_start

# The settings that decide a start, of those in which trials of one shape may differ.
OF_START = [name for name, setting in SETTINGS.items() if setting.differs_within == "batch"]

Start = tuple[Any, ...]
Floats = NDArray[np.float64]


def init_factors(trial: Trial, widths: Sequence[int]) -> Floats:
    """What each layer's init scale is multiplied by, (depth,).

    Args:
        trial: Its settings.
        widths: (features, hidden ..., outputs).
    """
    factors = LayerFactors(
        parameterization=trial.parameterization,
        base_width=trial.base_width,
        first=trial.init_scale_first,
        last=trial.init_scale_last,
    )
    return factors.of_init(widths)


def initial_params_of(trial: Trial, widths: tuple[int, ...]) -> Params:
    """A trial's weights and biases before training, one (fan_out, fan_in + 1) per layer."""
    scales = trial.init_scale, trial.bias_scale
    factors = init_factors(trial, widths).tolist()
    return initial_params(trial.initializer, widths, trial.seed, *scales, factors)


class Starts:
    """The starts of one shape, with their measurements so far."""

    def __init__(self, shape: Trial, task: Task, problem: Problem):
        self._shape, self._problem = shape, problem
        outputs = len(problem.targets)
        sizes = task.feature_count, shape.width, outputs, shape.depth
        self._widths = layer_widths(*sizes, shape.hidden_widths)
        self._initializer = INITIALIZERS[shape.initializer]
        first = first_layer_factor(shape.initializer, task.feature_count, shape.width)
        self._input_mean_square = task.input_mean_square * first
        self._places: dict[Start, int] = {}
        self._measured: Tables = {}

    @property
    def parameters(self) -> int:
        """The number of parameters in one network."""
        return sum((a + 1) * b for a, b in zip(self._widths[:-1], self._widths[1:], strict=True))

    def of(self, trials: Trials[Trial]) -> list[Start]:
        """Each trial's start."""
        return list(zip(*(trials.columns[name].tolist() for name in OF_START), strict=True))

    def drawn(self, start: Start) -> Params:
        """Draw a start's parameters, one (fan_out, fan_in + 1) per layer."""
        return initial_params_of(self._trial(start), self._widths)

    def measured(self, starts: Sequence[Start], params: Mapping[Start, Params]) -> Tables:
        """The measurements of each of the starts, by table and column.

        Args:
            starts: Some of them may be the same.
            params: The parameters of each; a start that was measured before is not measured again.
        """
        new = [start for start in params if start not in self._places]
        if new:
            asked = measured_at_start(self._shape)
            found = measure_starts(stacked([params[s] for s in new]), self._problem, asked)
            found["runs"]["chi_theory"] = np.array([self._chi_theory(start) for start in new])
            self._measured = joined([self._measured, found] if self._places else [found])
            self._places |= {start: len(self._places) + n for n, start in enumerate(new)}
        places = [self._places[start] for start in starts]
        return each_column(self._measured, lambda column: column[places])

    def _chi_theory(self, start: Start) -> float:
        """chi at infinite width; NaN where there is no theory, as of weights that are not random.

        There is none where sigma_w differs from hidden layer to hidden layer. Of a network that is
        not plain, whose variance may have no fixed point, chi is the mean over the layers that
        chi_measured goes by.
        """
        trial = self._trial(start)
        one_sigma = has_one_sigma(trial.initializer, trial.hidden_widths)
        if not (self._initializer.is_random and one_sigma):
            return np.nan
        first = init_factors(trial, self._widths)[0]
        of_weights = weight_variance(trial.initializer, trial.init_scale, trial.width)
        variances = of_weights, trial.bias_scale**2
        inputs, factor = self._input_mean_square * first**2, self._problem.factor
        if self._problem.is_plain:
            return fixed_point_chi(trial.activation, *variances, inputs)
        first_q = variances[0] * inputs + variances[1]
        hidden = factor, self._problem.normalization
        signals = wide_signals(trial.activation, *variances, first_q, trial.depth, *hidden)
        if signals is None or trial.depth == 1:
            return np.nan
        return float(interior_growths(signals.growth, factor).mean())

    def _trial(self, start: Start) -> Trial:
        """A trial with this start."""
        return replace(self._shape, **dict(zip(OF_START, start, strict=True)))
