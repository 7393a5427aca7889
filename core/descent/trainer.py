"""Trains networks of one shape: the compiled loop with all that it needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.descent.loop import DIVERGED, RUNNING, Parameters, Passes, Records, Rules, descend
from core.descent.losses import loss_pass
from core.descent.memory import Memory, Shape
from core.descent.passes import activation_passes
from core.descent.products import blas
from core.gradient_descent import Descent, Problem, logged_steps
from core.outcomes import THRESHOLDS
from core.subnormals import flushed_subnormals

Array = NDArray[np.floating]

# Told at every logged step, before it is taken: the step and the parameters.
Observer = Callable[[int, list[Array]], None]


class Trainer:
    """Trains networks of one shape on one problem, one after the other in the same memory.

    A network's numbers depend on its own parameters and learning rate alone.
    """

    def __init__(self, problem: Problem, width: int, depth: int, dtype: str):
        """Take a problem, the units of a hidden layer, the weight matrices, and a precision."""
        self._problem, self._dtype = problem, np.dtype(dtype)
        features, examples = len(problem.inputs) - 1, problem.inputs.shape[1]
        shape = Shape(features, width, len(problem.targets), depth, examples)
        self._memory = memory = Memory(shape, problem, self._dtype)
        passes = (*activation_passes(problem.activation, dtype), loss_pass(problem.loss, dtype))
        self._fixed = (
            blas(self._dtype),
            Passes(*(function.address for function in passes)),
            shape,
            memory.places,
            Parameters(memory.weights, memory.biases, memory.gradients, memory.bias_gradients),
        )

    def descend(
        self,
        params: Sequence[Array],
        learning_rate: float,
        steps: int,
        stop: str = "full",
        observe: Observer | None = None,
    ) -> Descent:
        """Train a network by full-batch gradient descent.

        It ends early where its loss overflows or explodes, and with `stop: decided` where it
        has trained beyond doubt.

        Args:
            params: One array a layer, (fan_out, fan_in + 1), the last column the bias.
            learning_rate: eta.
            steps: Steps to take; 0 only measures.
            stop: A name in STOPS.
            observe: Called at every logged step.
        """
        logged = logged_steps(steps)
        records = Records(
            np.full(steps + 1, np.nan), np.append(logged, steps + 1), np.full(len(logged), np.nan)
        )
        rules, factor = self._rules(steps, stop), self._factor(learning_rate)
        stops = [0, *(logged[1:].tolist() if observe else []), steps + 1]
        # A diverging network must not stop a sweep: overflow is expected here.
        with np.errstate(all="ignore"), flushed_subnormals():
            self._memory.load(params)
            for begin, end in zip(stops[:-1], stops[1:], strict=True):
                if observe:
                    observe(begin, self._memory.params())
                step, ending = descend(*self._fixed, factor, rules, records, begin, end)
                if ending != RUNNING:
                    break
        ran = logged <= step
        found = Descent(records.losses[: step + 1], logged[ran], records.norms[ran], None, None)
        if ending == DIVERGED:
            return found
        return replace(found, params=self._memory.params(), outputs=self._memory.outputs.copy())

    def _factor(self, learning_rate: float) -> np.floating[Any]:
        return self._dtype.type(learning_rate / self._problem.inputs.shape[1])

    def _rules(self, steps: int, stop: str) -> Rules:
        baseline = float(self._problem.baseline)
        return Rules(
            last=steps,
            baseline=baseline,
            diverged=THRESHOLDS.diverged_at_once,
            trained=THRESHOLDS.surely_trained * baseline if stop == "decided" else -np.inf,
            tail=THRESHOLDS.tail_losses,
        )
