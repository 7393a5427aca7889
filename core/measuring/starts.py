"""The starts of trials of one shape: drawn initial weights, each measured once.

Trials that differ only in what the descent takes, as the learning rate, share a start.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.columns import Tables, each_column, joined
from core.datasets import Task
from core.gradient_descent import Problem
from core.initializers import INITIALIZERS, initial_params
from core.measuring.measurements import Params, measure_starts, stacked
from core.measuring.signal_propagation import interior_growths
from core.network import layer_widths
from core.settings import Trials
from core.theory.mean_field import fixed_point_chi
from core.theory.wide_signals import wide_signals
from core.trials import SETTINGS, Trial

# The settings that decide a start, of those in which trials of one shape may differ:
# initial_params takes them by name.
OF_START = [name for name, setting in SETTINGS.items() if setting.differs_within == "batch"]

Start = tuple[Any, ...]


class Starts:
    """The starts of one shape, with their measurements so far."""

    def __init__(self, shape: Trial, task: Task, problem: Problem):
        self._shape, self._problem = shape, problem
        self._widths = layer_widths(task.features, shape.width, task.outputs, shape.depth)
        self._initializer = INITIALIZERS[shape.initializer]
        # Gaussian weights would make the same first layer from features of this size.
        unit_variance = self._initializer.unit_variance(task.features, shape.width)
        self._input_mean_square = task.input_mean_square * unit_variance
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
        settings = dict(zip(OF_START, start, strict=True))
        return initial_params(self._shape.initializer, self._widths, **settings)

    def measured(self, starts: Sequence[Start], params: Mapping[Start, Params]) -> Tables:
        """The measurements of each of the starts, by table and column.

        Args:
            starts: Some of them may be the same.
            params: The parameters of each; a start that was measured before is not measured again.
        """
        new = [start for start in params if start not in self._places]
        if new:
            asked = self._shape.measure
            found = measure_starts(stacked([params[s] for s in new]), self._problem, asked)
            found["runs"]["chi_theory"] = np.array([self._chi_theory(start) for start in new])
            self._measured = joined([self._measured, found] if self._places else [found])
            self._places |= {start: len(self._places) + n for n, start in enumerate(new)}
        places = [self._places[start] for start in starts]
        return each_column(self._measured, lambda column: column[places])

    def _chi_theory(self, start: Start) -> float:
        """chi at infinite width; NaN where there is no theory, as of weights that are not random.

        Of a network that is not plain, whose variance may have no fixed point, chi is the mean
        over the layers that chi_measured goes by.
        """
        if not self._initializer.is_random:
            return np.nan
        settings = dict(zip(OF_START, start, strict=True))
        variances = settings["init_scale"] ** 2, settings["bias_scale"] ** 2
        activation, factor = self._shape.activation, self._problem.factor
        if self._problem.is_plain:
            return fixed_point_chi(activation, *variances, self._input_mean_square)
        first_q = variances[0] * self._input_mean_square + variances[1]
        hidden = factor, self._problem.normalization
        signals = wide_signals(activation, *variances, first_q, self._shape.depth, *hidden)
        if signals is None or self._shape.depth == 1:
            return np.nan
        return float(interior_growths(signals.growth, factor).mean())
