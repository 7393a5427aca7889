"""Our trainer: trains same-shaped trials one by one, measures and judges each run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np

from core.columns import Array, Tables, each_column, finite, joined, spread
from core.costs import flops, seconds, start_seconds
from core.datasets import Dataset, Task, baseline_loss, make_task
from core.gradient_descent import TRAINER, Descent, Problem, Update
from core.hidden_layers import branch_factor
from core.losses import LOSSES
from core.measuring.curvature import largest_curvature
from core.measuring.held_out import accuracy_of, held_out_errors
from core.measuring.loss_summaries import summarize
from core.measuring.measurements import Params, measure_ends
from core.measuring.starts import Starts
from core.optimization.optimizers import largest_stable_rate
from core.optimization.rate_units import rates_in
from core.outcomes import THRESHOLDS
from core.results import CURVES, LAYERS, RESULTS
from core.settings import Trials, values_of
from core.trainers import Trainer
from core.trials import OF_ONE_RATE, SETTINGS, STOPS, Trial
from core.verdicts import judged

# The settings that decide how a step is taken; `seed` decides on the order of examples, too.
OF_UPDATE = [each.name for each in fields(Update) if each.name in SETTINGS]

# Networks whose signals are measured together: one call of NumPy costs as much as a small network.
GROUP_BYTES = 64_000_000
MOST_NETWORKS = 512


def train(trials: Trials[Trial], task: Task) -> Tables:
    """Train trials together; returns their columns by table, as core.trainers.Trainer says.

    A trial's numbers are the same bits, whichever trials it is trained with.

    Args:
        trials: In any number and order.
        task: The data that their dataset, examples and features name.
    """
    shape = _Shape(trials.shared, task)
    size = shape.networks_per_group()
    firsts = range(0, len(trials), size)
    found = joined([shape.tables(trials.part(slice(at, at + size)), at) for at in firsts])
    shared = {name: np.full(len(trials), v) for name, v in values_of(trials.shared).items()}
    runs = found["runs"] | _stable_rates({**shared, **trials.columns, **found["runs"]})
    runs |= judged({**shared, **trials.columns, **runs})
    return {"runs": runs, "layers": found["layers"], "curves": found["curves"]}


def _stable_rates(runs: Mapping[str, Array]) -> dict[str, Array]:
    """The largest stable rate from the curvature at the start, where it was measured."""
    curvature = runs["sharpness"] + runs["weight_decay"]
    rates = largest_stable_rate(runs["optimizer"], curvature, runs["momentum"])
    one_rate = np.all([runs[n] == SETTINGS[n].default for n in OF_ONE_RATE], axis=0)
    return {"critical_learning_rate": np.where(one_rate, rates, np.nan)}


class _Shape:
    """Trials of one shape: their problem, their starts and their trainer."""

    def __init__(self, trial: Trial, task: Task):
        # Numba takes half a second to import, and most commands train nothing.
        from core.descent.trainer import NetworkTrainer

        self._shape, self._task, baseline = trial, task, _baseline(trial, task)
        self._problem = Problem(
            task.inputs,
            LOSSES[trial.loss].encoded(task.targets),
            trial.activation,
            trial.loss,
            baseline,
            branch_factor(trial.residual, trial.depth),
            trial.normalization,
            biases=trial.biases == "trained",
        )
        self._starts = Starts(trial, task, self._problem)
        self._trainer = NetworkTrainer(
            self._problem, trial.width, trial.depth, trial.dtype, trial.hidden_widths
        )

    def networks_per_group(self) -> int:
        """How many networks are kept until their signals are measured."""
        return max(1, min(MOST_NETWORKS, GROUP_BYTES // (8 * self._starts.parameters)))

    def tables(self, trials: Trials[Trial], first: int) -> Tables:
        """Train a group whose first trial has the place `first`: its tables without verdicts."""
        began, places = perf_counter(), first + np.arange(len(trials))
        starts = self._starts.of(trials)
        params = {start: self._starts.drawn(start) for start in dict.fromkeys(starts)}
        at_start = self._starts.measured(starts, params)
        rates = rates_in(
            self._shape.learning_rate_unit,
            trials.columns["learning_rate"],
            at_start["runs"].get("sharpness", np.nan),
        )
        trained = [
            self._trained(params[start], trial, rate)
            for start, trial, rate in zip(starts, trials, rates.tolist(), strict=True)
        ]
        descents = [descent for descent, _ in trained]
        at_end = self._measured_ends(descents)
        measured = at_start["runs"] | at_end["runs"] | {"learning_rate_used": rates}
        runs = self._runs(descents, measured)
        losses = runs["steps_run"] + 1
        runs["wall_seconds"] = losses * ((perf_counter() - began) / losses.sum())
        layers = _layer_rows(places, self._shape.depth, at_start["layers"] | at_end["layers"])
        curves = [
            _curve(place, *each) for place, each in zip(places.tolist(), trained, strict=True)
        ]
        return joined([{"curves": each} for each in curves]) | {"runs": runs, "layers": layers}

    def _trained(self, params: Params, trial: Trial, rate: float) -> tuple[Descent, list[float]]:
        """A network's descent, and its sharpness at the logged steps, where that is asked for.

        Without a rate, NaN, it takes no step.
        """
        sharpness: list[float] = []

        def observe(step: int, params: Params) -> None:
            sharpness.append(largest_curvature(params, self._problem))

        descent = self._trainer.descend(
            params,
            rate,
            0 if np.isnan(rate) else trial.steps,
            trained_loss=self._trained_loss(),
            observe=observe if "sharpness_curve" in self._shape.measure else None,
            update=Update(
                order_seed=trial.seed, **{name: getattr(trial, name) for name in OF_UPDATE}
            ),
        )
        return descent, sharpness

    def _trained_loss(self) -> float | None:
        """The loss well below which a network may stop early; None if all must take every step."""
        if not STOPS[self._shape.stop].once_trained:
            return None
        return self._shape.trained_level * self._problem.baseline

    def _measured_ends(self, descents: Sequence[Descent]) -> Tables:
        """The requested measurements of the trained networks; NaN for those that diverged."""
        ended = {place: d for place, d in enumerate(descents) if d.params is not None}
        if not ended:
            return {"runs": {}, "layers": {}}
        asked, dtype = self._shape.measure, self._shape.dtype
        found = measure_ends(list(ended.values()), self._problem, asked, dtype)
        return each_column(found, lambda column: spread(column, list(ended), len(descents)))

    def _runs(self, descents: Sequence[Descent], measured: Mapping[str, Array]) -> dict[str, Array]:
        """The numbers of the networks' rows; NaN for what does not exist or was not asked for."""
        numbers = [column.name for column in RESULTS if column.kind is not str]
        runs = {name: np.full(len(descents), np.nan) for name in numbers} | dict(measured)
        baseline = self._problem.baseline
        each = [
            summarize(d.losses, baseline, d.loss_steps, _params_overflowed(d)) for d in descents
        ]
        runs |= {name: np.array([summary[name] for summary in each]) for name in each[0]}
        runs["final_accuracy"] = np.array([_accuracy(d, self._task) for d in descents])
        if self._task.held_out is not None:
            runs |= self._held_out(descents, self._task.held_out)
            runs["generalization_gap"] = runs["test_loss"] - runs["final_loss"]
        return {name: finite(column) for name, column in runs.items()}

    def _held_out(self, descents: Sequence[Descent], held_out: Task) -> dict[str, Array]:
        """The networks' errors on held-out examples; NaN for those that diverged."""
        names = "test_loss", "test_accuracy"
        absent = dict.fromkeys(names, np.nan)
        errors = [
            absent if d.params is None else held_out_errors(d.params, self._problem, held_out)
            for d in descents
        ]
        return {name: np.array([each[name] for each in errors]) for name in names}


def _accuracy(descent: Descent, task: Task) -> float:
    """The fraction classified right at the end; NaN without classes or after a divergence."""
    return np.nan if descent.outputs is None else accuracy_of(descent.outputs, task)


def _params_overflowed(descent: Descent) -> bool:
    """Whether a parameter is not finite behind a finite loss: a ReLU hides -inf."""
    return not all(np.isfinite(p).all() for p in descent.params or ())


def _layer_rows(places: Array, depth: int, measured: Mapping[str, Array]) -> dict[str, Array]:
    """One row per layer of the networks at these places; none if no signals were asked for."""
    places = places if measured else places[:0]
    unmeasured = np.full((len(places), depth), np.nan)
    columns = {column.name: unmeasured for column in LAYERS.columns} | dict(measured)
    columns["layer"] = np.tile(np.arange(1, depth + 1), (len(places), 1))
    columns["place"] = np.repeat(places[:, None], depth, axis=1)
    return {name: column.ravel() for name, column in columns.items()}


def _curve(place: int, descent: Descent, sharpness: Sequence[float]) -> dict[str, Array]:
    """One row per logged point up to the run's end, which always includes its last loss."""
    steps = np.union1d(descent.logged_steps, descent.steps_run)
    points = {"gradient_norm": descent.gradient_norms, "sharpness": np.array(sharpness)}
    return {
        "place": np.full(len(steps), place),
        "step": steps,
        "loss": descent.losses[np.searchsorted(descent.loss_steps, steps)],
        **{name: spread(c, range(len(c)), len(steps)) for name, c in points.items()},
    }


def _prepare(axes: Mapping[str, tuple[Any, ...]], say: Callable[[str], None]) -> None:
    """Compile what the axes' trials need and nobody has compiled here yet."""
    # Numba takes half a second to import, and most commands train nothing.
    from core.descent.kinds import compile_kind, is_compiled

    kinds = product(*(axes[name] for name in ("activation", "loss", "dtype", "normalization")))
    missing = [kind for kind in kinds if not is_compiled(*kind)]
    if missing:
        names = ", ".join(dict.fromkeys(activation for activation, *_ in missing))
        say(f"compiling the trainer for {names}, once: some seconds")
    for kind in missing:
        compile_kind(*kind)


def _task(trial: Trial, dataset: Dataset) -> Task:
    return make_task(dataset, trial.examples, trial.features, trial.targets, trial.test_examples)


def _baseline(trial: Trial, task: Task) -> float:
    return baseline_loss(task, trial.loss)


FULLY_CONNECTED = Trainer(
    trial=Trial,
    results=RESULTS,
    tables={"layers": LAYERS, "curves": CURVES},
    train=train,
    seconds=seconds,
    start_seconds=start_seconds,
    flops=flops,
    task=_task,
    baseline=_baseline,
    baseline_by=("loss", "targets"),
    prepare=_prepare,
    version=TRAINER,
    thresholds=asdict(THRESHOLDS),
)
