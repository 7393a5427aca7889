"""Core's one entry point: train same-shaped trials in stacks, measure and judge each run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.curvature import extreme_curvature
from core.datasets import Task, baseline_loss
from core.gradient_descent import Descent, Observer, Problem, descend
from core.initializers import initial_params, unit_variance
from core.measurements import Params, StartMeasurement, measure_starts
from core.network import layer_widths
from core.outcomes import summarize
from core.results import trial_result
from core.signal_propagation import LayerSignals, signal_propagation
from core.trials import Trial, TrialResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Fields that may differ inside a stack; all others decide its shape or arithmetic.
STACKED_FIELDS = ("init_scale", "bias_scale", "seed", "learning_rate")

# Of a core's second-level cache, where the system does not tell.
USUAL_CACHE_BYTES = 1_000_000
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
    """One trial, what it came to, and the seconds its share of the stack took.

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
    measured: dict[Start, StartMeasurement] = {}
    for stack in even_stacks(len(trials), networks_per_stack(trials[0], task)):
        yield from _Stack(trials[stack], task, measured).trainings()


def networks_per_stack(trial: Trial, task: Task) -> int:
    """How many networks like this one fit a core's second-level cache, a layer at a time.

    There it should stay between the operations on it, while each call must have enough
    networks to outweigh its overhead.
    """
    widest = max(trial.width, task.outputs)
    numbers = 3 * widest * task.examples + 2 * widest * (trial.width + 1)
    bytes_each = np.dtype(trial.dtype).itemsize * numbers
    return max(1, min(MOST_NETWORKS, cache_bytes() // bytes_each))


def even_stacks(networks: int, most: int) -> list[slice]:
    """As few stacks as hold all networks, and none much smaller than the others."""
    stacks = -(-networks // most)
    edges = [networks * n // stacks for n in range(stacks + 1)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


@cache
def cache_bytes() -> int:
    """Size of a core's second-level cache."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text().strip()
        return int(size.removesuffix("K")) * 1024
    except (OSError, ValueError):
        return USUAL_CACHE_BYTES


class _Stack:
    """Same-shaped trials trained together.

    `measured` holds the starts that were measured so far and is added to.
    """

    def __init__(
        self, trials: Sequence[Trial], task: Task, measured: dict[Start, StartMeasurement]
    ):
        self._trials, self._task, self._measured = trials, task, measured
        self._shape = shape = trials[0]
        self._problem = Problem(
            task.inputs, task.targets, shape.activation, shape.loss, baseline_loss(task, shape.loss)
        )

    def trainings(self) -> Iterator[Training]:
        """Train, then yield each trial's Training in order."""
        began = perf_counter()
        sharpness: dict[tuple[int, int], float] = {}
        descent = descend(
            [p.astype(self._shape.dtype) for p in self._initial_params()],
            np.array([t.learning_rate for t in self._trials], dtype=np.float64),
            self._shape.steps,
            self._problem,
            self._sharpness_observer(sharpness),
            self._shape.stop,
        )
        accuracies, ends = _accuracies(descent, self._task), self._end_signals(descent)
        input_mean_square = self._task.input_mean_square * unit_variance(
            self._shape.initializer, self._task.features, self._shape.width
        )
        overflowed = _overflowed_params(descent)
        seconds = (perf_counter() - began) / max(1, int((descent.steps_run + 1).sum()))
        for network, trial in enumerate(self._trials):
            steps_run = int(descent.steps_run[network])
            losses = descent.losses[: steps_run + 1, network]
            summary = summarize(losses, self._problem.baseline)
            if network in overflowed:
                summary = replace(summary, overflow_step=steps_run)
            start, end = self._measured[_start(trial)], ends.get(network)
            result = trial_result(
                trial,
                losses,
                summary,
                accuracies.get(network),
                start,
                end,
                input_mean_square,
            )
            curve = _curve(descent, network, losses, sharpness)
            share = seconds * (steps_run + 1)
            yield Training(trial, result, curve, start.signals, end, share)

    def _initial_params(self) -> Params:
        """The trials' initial weights, drawn and measured once for each start among them."""
        starts = list(dict.fromkeys(map(_start, self._trials)))
        task, shape = self._task, self._shape
        drawn = initial_params(
            shape.initializer,
            layer_widths(task.features, shape.width, task.outputs, shape.depth),
            np.array([seed for seed, _, _ in starts], dtype=np.uint64),
            np.array([init_scale for _, init_scale, _ in starts], dtype=np.float64),
            np.array([bias_scale for _, _, bias_scale in starts], dtype=np.float64),
        )
        new = [place for place, start in enumerate(starts) if start not in self._measured]
        if new:
            found = measure_starts([p[new] for p in drawn], self._problem, shape.measure)
            self._measured.update(zip([starts[place] for place in new], found, strict=True))
        places = {start: place for place, start in enumerate(starts)}
        wanted = [places[_start(trial)] for trial in self._trials]
        return [p[wanted] for p in drawn]

    def _sharpness_observer(self, found: dict[tuple[int, int], float]) -> Observer | None:
        """Fills `found` by (step, network) along the descent, where that is asked for."""
        if "sharpness_curve" not in self._shape.measure.split("+"):
            return None

        def observe(step: int, networks: Ints, params: Params) -> None:
            for place, network in enumerate(networks.tolist()):
                largest = extreme_curvature([p[place] for p in params], self._problem).largest
                found[step, network] = np.nan if largest is None else largest

        return observe

    def _end_signals(self, descent: Descent) -> dict[int, LayerSignals]:
        """The signals of each network that ran to the end, if asked for."""
        if "signal" not in self._shape.measure.split("+") or not descent.survivors.size:
            return {}
        signals = signal_propagation(descent.params, self._problem)
        return {int(n): signals.of(place) for place, n in enumerate(descent.survivors)}


def _start(trial: Trial) -> Start:
    return trial.seed, trial.init_scale, trial.bias_scale


def _accuracies(descent: Descent, task: Task) -> dict[int, float]:
    """The fraction classified right at the end by each surviving network; {} without classes."""
    if task.labels is None or not descent.survivors.size:
        return {}
    right = (descent.outputs.argmax(axis=1) == task.labels).mean(axis=1)
    return dict(zip(descent.survivors.tolist(), right.tolist(), strict=True))


def _overflowed_params(descent: Descent) -> set[int]:
    """Survivors with a non-finite parameter behind a finite loss: a ReLU hides -inf."""
    finite = np.ones(descent.survivors.size, dtype=bool)
    for p in descent.params:
        finite &= np.isfinite(p).all(axis=(1, 2))
    return set(descent.survivors[~finite].tolist())


def _curve(
    descent: Descent, network: int, losses: Floats, sharpness: dict[tuple[int, int], float]
) -> Curve:
    """The logged points up to the run's end, its last loss always among them."""
    ran = descent.logged_steps < len(losses)
    steps, norms = descent.logged_steps[ran], descent.gradient_norms[ran, network]
    if steps[-1] != len(losses) - 1:
        steps, norms = np.append(steps, len(losses) - 1), np.append(norms, np.nan)
    curvatures = np.array([sharpness.get((step, network), np.nan) for step in steps.tolist()])
    return Curve(steps, losses[steps], norms, curvatures)
