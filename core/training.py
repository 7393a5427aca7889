"""Core's one entry point: train same-shaped trials in stacks and judge each run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.datasets import Task, baseline_loss
from core.gradient_descent import Descent, Problem, descend
from core.initializers import initial_params
from core.network import layer_widths
from core.outcomes import Verdict, fractal_converged, judge
from core.trials import Trial, TrialResult

Floats = NDArray[np.float64]

# Fields that may differ inside a stack; all others decide its shape or arithmetic.
STACKED_FIELDS = ("init_scale", "bias_scale", "seed", "learning_rate")

# One layer of the whole stack should stay in a core's second-level cache between the
# operations on it, while each call must have enough networks to outweigh its overhead.
LAYER_BYTES = 1_000_000
MOST_NETWORKS = 512


@dataclass(frozen=True)
class Curve:
    """One run's loss and gradient norm at log-spaced steps; NaN where there is no number.

    Attributes:
        steps, losses, gradient_norms: (points,) each.
    """

    steps: NDArray[np.int64]
    losses: Floats
    gradient_norms: Floats


@dataclass(frozen=True)
class Training:
    """One trial, what it came to, and the seconds its share of the stack took."""

    trial: Trial
    result: TrialResult
    curve: Curve
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
    size = networks_per_stack(trials[0], task)
    for start in range(0, len(trials), size):
        yield from _train_stack(trials[start : start + size], task)


def networks_per_stack(trial: Trial, task: Task) -> int:
    """How many networks like this one share the cache well."""
    widest = max(trial.width, task.outputs)
    numbers = 3 * widest * task.examples + 2 * widest * max(widest, task.features)
    bytes_each = np.dtype(trial.dtype).itemsize * numbers
    return max(1, min(MOST_NETWORKS, LAYER_BYTES // bytes_each))


def _train_stack(trials: Sequence[Trial], task: Task) -> Iterator[Training]:
    began = perf_counter()
    shape = trials[0]
    problem = Problem(
        task.inputs, task.targets, shape.activation, shape.loss, baseline_loss(task, shape.loss)
    )
    widths = layer_widths(task.features, shape.width, task.outputs, shape.depth)
    initial = initial_params(
        shape.initializer,
        widths,
        np.array([t.seed for t in trials], dtype=np.uint64),
        np.array([t.init_scale for t in trials], dtype=np.float64),
        np.array([t.bias_scale for t in trials], dtype=np.float64),
    )
    descent = descend(
        [p.astype(shape.dtype) for p in initial],
        np.array([t.learning_rate for t in trials], dtype=np.float64),
        shape.steps,
        problem,
    )
    accuracies = _accuracies(descent, task)
    overflowed = _overflowed_params(descent)
    seconds = (perf_counter() - began) / max(1, int((descent.steps_run + 1).sum()))
    for network, trial in enumerate(trials):
        steps_run = int(descent.steps_run[network])
        losses = descent.losses[: steps_run + 1, network]
        verdict = judge(losses, problem.baseline)
        if network in overflowed:
            verdict = Verdict("overflow", None, verdict.diverged_step, steps_run)
        result = _result(verdict, losses, problem.baseline, accuracies.get(network))
        curve = _curve(descent, network, losses)
        yield Training(trial, result, curve, seconds * (steps_run + 1))


def _result(
    verdict: Verdict, losses: Floats, baseline: float, accuracy: float | None
) -> TrialResult:
    finite = losses[np.isfinite(losses)]
    return TrialResult(
        outcome=verdict.outcome,
        cause=None,
        init_phase=None,
        initial_loss=finite_or_none(losses[0]),
        final_loss=None if verdict.outcome == "overflow" else finite_or_none(losses[-1]),
        baseline_loss=baseline,
        peak_loss=float(finite.max()) if finite.size else None,
        tail_loss=verdict.tail_loss,
        diverged_step=verdict.diverged_step,
        overflow_step=verdict.overflow_step,
        final_accuracy=accuracy,
        fractal_converged=fractal_converged(losses),
        chi_measured=None,
        chi_measured_error=None,
        chi_theory=None,
        log10_gradient_ratio=None,
        sharpness=None,
        smallest_curvature=None,
        critical_learning_rate=None,
        steps_run=len(losses) - 1,
    )


def finite_or_none(number: float) -> float | None:
    """A Python float, or None for NaN and infinity: what a table's column may hold."""
    return float(number) if math.isfinite(number) else None


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


def _curve(descent: Descent, network: int, losses: Floats) -> Curve:
    """The logged points up to the run's end, its last loss always among them."""
    ran = descent.logged_steps < len(losses)
    steps, norms = descent.logged_steps[ran], descent.gradient_norms[ran, network]
    if steps[-1] != len(losses) - 1:
        steps, norms = np.append(steps, len(losses) - 1), np.append(norms, np.nan)
    return Curve(steps, losses[steps], norms)
