"""Core's one entry point: train same-shaped trials one by one, measure and judge each run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.curvature import extreme_curvature
from core.datasets import Task, baseline_loss
from core.gradient_descent import Descent, Problem
from core.initializers import initial_params, unit_variance
from core.measurements import Params, StartMeasurement, measure_starts
from core.network import layer_widths
from core.outcomes import summarize
from core.results import trial_result
from core.signal_propagation import LayerSignals, signal_propagation
from core.trials import Trial, TrialResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Fields that may differ among trials of one shape; all others decide its arithmetic.
STACKED_FIELDS = ("init_scale", "bias_scale", "seed", "learning_rate")

# Of networks whose signals are measured at once: a call of NumPy costs as much as a small one.
GROUP_BYTES = 64_000_000
MOST_NETWORKS = 512

Start = tuple[int, float, float]


@dataclass(frozen=True)
class Curve:
    """One run at log-spaced steps; not finite where there is no number.

    Attributes:
        steps, losses, gradient_norms: (points,) each.
        sharpness: (points,), the largest Hessian eigenvalue, if asked for.
    """

    steps: Ints
    losses: Floats
    gradient_norms: Floats
    sharpness: Floats


@dataclass(frozen=True)
class Training:
    """One trial, what it came to, and the seconds it took.

    Attributes:
        start_signals: Of each layer at step 0; None if not asked for.
        end_signals: Of each layer after the last step; None if not asked for or decided early.
    """

    trial: Trial
    result: TrialResult
    curve: Curve
    start_signals: LayerSignals | None
    end_signals: LayerSignals | None
    wall_seconds: float


def train_trials(trials: Sequence[Trial], task: Task) -> Iterator[Training]:
    """Train trials that differ in STACKED_FIELDS only, and judge each.

    A trial's numbers are the same bits in whatever company it is trained.

    Args:
        trials: Same-shaped trials, in any number and order.
        task: The data that their dataset, examples and features name.

    Yields:
        A Training for each trial, in the order given.
    """
    shape = _Shape(trials[0], task)
    size = shape.networks_per_group()
    for first in range(0, len(trials), size):
        yield from shape.trainings(trials[first : first + size])


class _Shape:
    """Trials of one shape: their problem, their trainer, and the starts measured so far."""

    def __init__(self, trial: Trial, task: Task):
        # Numba takes half a second to import, and most commands train nothing.
        from core.descent.trainer import Trainer

        self._shape, self._task = trial, task
        self._asked = trial.measure.split("+")
        self._widths = layer_widths(task.features, trial.width, task.outputs, trial.depth)
        self._problem = Problem(
            task.inputs, task.targets, trial.activation, trial.loss, baseline_loss(task, trial.loss)
        )
        self._trainer = Trainer(self._problem, trial.width, trial.depth, trial.dtype)
        self._input_mean_square = task.input_mean_square * unit_variance(
            trial.initializer, task.features, trial.width
        )
        self._measured: dict[Start, StartMeasurement] = {}

    def networks_per_group(self) -> int:
        """How many networks are kept until their signals are measured."""
        numbers = sum((a + 1) * b for a, b in zip(self._widths[:-1], self._widths[1:], strict=True))
        return max(1, min(MOST_NETWORKS, GROUP_BYTES // (8 * numbers)))

    def trainings(self, trials: Sequence[Trial]) -> Iterator[Training]:
        """Train a group, then yield each trial's Training in order."""
        began = perf_counter()
        starts = {start: self._initial_params(start) for start in map(_start, trials)}
        self._measure(starts)
        sharpness: list[dict[int, float]] = [{} for _ in trials]
        descents = [
            self._descend(trial, starts[_start(trial)], found)
            for trial, found in zip(trials, sharpness, strict=True)
        ]
        ends = self._end_signals(descents)
        seconds = (perf_counter() - began) / sum(len(d.losses) for d in descents)
        for place, (trial, descent) in enumerate(zip(trials, descents, strict=True)):
            summary = summarize(descent.losses, self._problem.baseline)
            if _params_overflowed(descent):
                summary = replace(summary, overflow_step=descent.steps_run)
            start, end = self._measured[_start(trial)], ends.get(place)
            accuracy = _accuracy(descent, self._task)
            result = trial_result(
                trial, descent.losses, summary, accuracy, start, end, self._input_mean_square
            )
            curve = _curve(descent, sharpness[place])
            share = seconds * len(descent.losses)
            yield Training(trial, result, curve, start.signals, end, share)

    def _initial_params(self, start: Start) -> Params:
        return initial_params(self._shape.initializer, self._widths, *start)

    def _measure(self, starts: dict[Start, Params]) -> None:
        """Measure those starts among them that are new."""
        new = [start for start in starts if start not in self._measured]
        if new:
            params = _stacked([starts[start] for start in new])
            found = measure_starts(params, self._problem, self._shape.measure)
            self._measured.update(zip(new, found, strict=True))

    def _descend(self, trial: Trial, params: Params, sharpness: dict[int, float]) -> Descent:
        """Train one network; fills `sharpness` by logged step, where that is asked for."""

        def observe(step: int, params: Params) -> None:
            largest = extreme_curvature(params, self._problem).largest
            sharpness[step] = np.nan if largest is None else largest

        observer = observe if "sharpness_curve" in self._asked else None
        return self._trainer.descend(
            params, trial.learning_rate, trial.steps, self._trained_loss(), observer
        )

    def _trained_loss(self) -> float | None:
        """The loss well below which a network may leave; None where all take every step."""
        if self._shape.stop == "full":
            return None
        return self._shape.trained_level * self._problem.baseline

    def _end_signals(self, descents: Sequence[Descent]) -> dict[int, LayerSignals]:
        """The signals of each network that did not diverge, by its place, if asked for."""
        ended = {place: d.params for place, d in enumerate(descents) if d.params is not None}
        if "signal" not in self._asked or not ended:
            return {}
        signals = signal_propagation(_stacked(list(ended.values())), self._problem)
        return {place: signals.of(number) for number, place in enumerate(ended)}


def _start(trial: Trial) -> Start:
    return trial.seed, trial.init_scale, trial.bias_scale


def _stacked(networks: Sequence[Params]) -> Params:
    """One array a layer, (networks, fan_out, fan_in + 1)."""
    return [np.stack(layer) for layer in zip(*networks, strict=True)]


def _accuracy(descent: Descent, task: Task) -> float | None:
    """The fraction classified right at the end; None without classes or after a divergence."""
    if task.labels is None or descent.outputs is None:
        return None
    return float((descent.outputs.argmax(axis=0) == task.labels).mean())


def _params_overflowed(descent: Descent) -> bool:
    """Whether a parameter is not finite behind a finite loss: a ReLU hides -inf."""
    return not all(np.isfinite(p).all() for p in descent.params or ())


def _curve(descent: Descent, sharpness: dict[int, float]) -> Curve:
    """The logged points up to the run's end, its last loss always among them."""
    steps, norms = descent.logged_steps, descent.gradient_norms
    if steps[-1] != descent.steps_run:
        steps, norms = np.append(steps, descent.steps_run), np.append(norms, np.nan)
    curvatures = np.array([sharpness.get(step, np.nan) for step in steps.tolist()])
    return Curve(steps, descent.losses[steps], norms, curvatures)
