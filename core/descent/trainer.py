"""Trains networks of one shape: the compiled loop with all that it needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.descent.loop import DIVERGED, RUNNING, Parameters, Passes, Records, Rules, descend
from core.descent.losses import loss_pass
from core.descent.memory import Memory, Shape
from core.descent.normalizations import normalization_passes
from core.descent.passes import activation_passes
from core.descent.products import blas
from core.descent.residuals import residual_passes
from core.gradient_descent import Descent, Problem, logged_steps
from core.outcomes import THRESHOLDS
from core.subnormals import flushed_subnormals

Array = NDArray[np.floating]

# Called at every logged step, before the step is taken, with the step and the parameters.
Observer = Callable[[int, list[Array]], None]


class Trainer:
    """Trains networks of one shape on one problem, one after the other in the same memory.

    A network's numbers depend on its own parameters, learning rate and weight decay alone.
    """

    def __init__(self, problem: Problem, width: int, depth: int, dtype: str):
        """Take a problem, the units per hidden layer, the number of layers, and a precision."""
        self._problem, self._dtype = problem, np.dtype(dtype)
        features, examples = len(problem.inputs) - 1, problem.inputs.shape[1]
        hidden = int(problem.factor is not None), int(problem.hidden.normalization is not None)
        shape = Shape(features, width, len(problem.targets), depth, examples, *hidden)
        self._memory = memory = Memory(shape, problem, self._dtype)
        self._fixed = (
            blas(self._dtype),
            _passes(problem, dtype),
            shape,
            memory.places,
            Parameters(memory.weights, memory.biases, memory.gradients, memory.bias_gradients),
        )

    def descend(
        self,
        params: Sequence[Array],
        learning_rate: float,
        steps: int,
        trained_loss: float | None = None,
        observe: Observer | None = None,
        weight_decay: float = 0.0,
    ) -> Descent:
        """Train a network by full-batch gradient descent.

        It ends early where its loss overflows or explodes, and with a `trained_loss` where it
        has trained beyond doubt.

        Args:
            params: One array a layer, (fan_out, fan_in + 1), the last column the bias.
            learning_rate: eta.
            steps: Steps to take; 0 only measures.
            trained_loss: The loss at or below which a run counts as trained; None to let it
                take every step unless it explodes.
            observe: Called at every logged step.
            weight_decay: lambda: a step takes W to (1 - eta lambda) W - eta dLoss/dW. Neither
                biases, losses nor gradient norms have a part in it.
        """
        logged = logged_steps(steps)
        records = Records(
            np.full(steps + 1, np.nan), np.append(logged, steps + 1), np.full(len(logged), np.nan)
        )
        rules, factor = self._rules(steps, trained_loss), self._factor(learning_rate)
        decay = self._dtype.type(learning_rate * weight_decay)
        stops = [0, *(logged[1:].tolist() if observe else []), steps + 1]
        # A diverging network must not stop a sweep: overflow is expected here.
        with np.errstate(all="ignore"), flushed_subnormals():
            self._memory.load(params)
            for begin, end in zip(stops[:-1], stops[1:], strict=True):
                if observe:
                    observe(begin, self._memory.params())
                step, ending = descend(*self._fixed, factor, decay, rules, records, begin, end)
                if ending != RUNNING:
                    break
        ran = logged <= step
        found = Descent(records.losses[: step + 1], logged[ran], records.norms[ran], None, None)
        if ending == DIVERGED:
            return found
        return replace(found, params=self._memory.params(), outputs=self._memory.outputs.copy())

    def _factor(self, learning_rate: float) -> np.floating[Any]:
        return self._dtype.type(learning_rate / self._problem.inputs.shape[1])

    def _rules(self, steps: int, trained_loss: float | None) -> Rules:
        # A run may leave early once a whole tail of consecutive losses is at or below half of the
        # level that the tail's mean must reach to count as trained. Of the quickstart's 5,120
        # runs, 558, 706, 791 and 558 left early at trained levels of 0.1, 0.3, 0.5 and 0.9, and
        # all of them would have ended as trained.
        of_level = THRESHOLDS.surely_trained_factor
        return Rules(
            last=steps,
            baseline=float(self._problem.baseline),
            diverged=THRESHOLDS.diverged_at_once,
            trained=-np.inf if trained_loss is None else of_level * trained_loss,
            tail=THRESHOLDS.tail_losses,
        )


def _passes(problem: Problem, dtype: str) -> Passes:
    """The addresses of the compiled passes that a problem's networks take."""
    compiled = [
        *activation_passes(problem.activation, dtype),
        loss_pass(problem.loss, dtype),
        *residual_passes(dtype),
    ]
    if problem.hidden.normalization is not None:
        compiled += normalization_passes(problem.normalization, dtype)
    addresses = [function.address for function in compiled]
    return Passes(*addresses, *[0] * (len(Passes._fields) - len(addresses)))
