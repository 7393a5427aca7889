"""Trains networks of one shape: the compiled loop with all that it needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.descent.loop import DIVERGED, RUNNING, Net, Passes, Records, Rules, descend
from core.descent.losses import loss_pass
from core.descent.memory import Memory, shape_of
from core.descent.normalizations import normalization_passes
from core.descent.orders import Orders
from core.descent.passes import activation_passes
from core.descent.products import blas
from core.descent.residuals import residual_passes
from core.descent.steps import CODES, Parameters, Rule
from core.functions.subnormals import flushed_subnormals
from core.gradient_descent import Descent, Problem, Update, logged_steps, measured_steps
from core.hidden_widths import EQUAL
from core.network import layer_widths
from core.optimization.optimizers import OPTIMIZERS, adam_preconditioner
from core.optimization.parameterizations import LayerFactors
from core.optimization.schedules import rate_factors
from core.outcomes import THRESHOLDS

Array = NDArray[np.floating]
Floats = NDArray[np.float64]

# Called at every logged step, before the step is taken, with the step and the parameters.
Observer = Callable[[int, list[Array]], None]

GRADIENT_DESCENT = Update()

# Steps whose learning rates, and places of examples, are in memory at once.
MOST_STEPS = 2**16
MOST_PLACES = 2**20


class NetworkTrainer:
    """Trains networks of one shape on one problem, one after the other in the same memory.

    A network's numbers depend on its own parameters, learning rate and update alone.
    """

    def __init__(
        self, problem: Problem, width: int, depth: int, dtype: str, hidden_widths: str = EQUAL
    ):
        """Take a problem, a precision, and the settings of core.trials that decide the shape."""
        self._problem, self._dtype = problem, np.dtype(dtype)
        sizes = len(problem.inputs) - 1, width, len(problem.targets), depth
        self._widths = layer_widths(*sizes, hidden_widths)
        shape = shape_of(self._widths, problem)
        self._memory = memory = Memory(self._widths, shape, problem, self._dtype)
        self._passes = blas(self._dtype), _passes(problem, dtype)
        self._whole = Net(shape, memory.places, memory.examples)

    def descend(
        self,
        params: Sequence[Array],
        learning_rate: float,
        steps: int,
        trained_loss: float | None = None,
        observe: Observer | None = None,
        update: Update = GRADIENT_DESCENT,
    ) -> Descent:
        """Train a network.

        It ends early where its loss overflows or explodes, and with a `trained_loss` where it
        has trained beyond doubt, which batches smaller than all examples leave open.

        Args:
            params: One array a layer, (fan_out, fan_in + 1), the last column the bias.
            learning_rate: eta.
            steps: Steps to take; 0 only measures.
            trained_loss: The loss at or below which a run counts as trained; None to let it
                take every step unless it explodes.
            observe: Called at every logged step.
            update: How a step is taken. A decay has no part in losses and gradient norms, and
                neither has clipping.
        """
        logged, planned = logged_steps(steps), measured_steps(steps)
        records = Records(
            np.full(steps + 1, np.nan),
            np.append(planned, steps + 1),
            np.append(logged, steps + 1),
            np.full(len(logged), np.nan),
        )
        rules, batch = self._rules(steps, trained_loss), self._batch(update.batch_size)
        in_batches = batch is not self._whole
        parameters = self._memory.parameters(OPTIMIZERS[update.optimizer].moments)
        layer_rates = self._rates(update)
        parts = self._memory.parts(*layer_rates)
        fixed = (*self._passes, self._whole, batch, parameters, parts, self._rule(update))
        stops = [0, *(logged[1:].tolist() if observe else []), steps + 1]
        segments = _segments(stops, batch.shape.examples if in_batches else 0)
        examples, size = self._whole.shape.examples, batch.shape.examples
        orders = Orders(update.order_seed, examples, size) if in_batches else None
        # A diverging network must not stop a sweep: overflow is expected here.
        with np.errstate(all="ignore"), flushed_subnormals():
            self._memory.load(params)
            for begin, end in segments:
                if observe and begin in stops:
                    observe(begin, self._memory.params())
                rates = learning_rate * rate_factors(update, steps, np.arange(begin, end))
                order = orders.next(end - begin) if orders else np.empty((0, 0), np.int64)
                step, ending = descend(*fixed, rates, order, rules, records, begin, end)
                if ending != RUNNING:
                    break
        measured = np.arange(step + 1)
        if in_batches:
            measured = np.union1d(planned[planned < step], step)
        ran = logged <= step
        found = Descent(
            records.losses[measured], measured, logged[ran], records.norms[ran], None, None
        )
        if ending == DIVERGED:
            return found
        return replace(
            found,
            params=self._memory.params(),
            outputs=self._memory.outputs.copy(),
            preconditioner=self._preconditioner(update, parameters, layer_rates, step),
        )

    def _batch(self, size: int) -> Net:
        """The Net of as many examples as a step takes."""
        shape = self._whole.shape
        if not 0 < size < shape.examples:
            return self._whole
        return Net(shape._replace(examples=size), *self._memory.of_batch(size))

    def _rates(self, update: Update) -> tuple[Floats, Floats]:
        """What each layer's weights and biases take of the learning rate."""
        factors = LayerFactors(
            parameterization=update.parameterization,
            base_width=update.base_width,
            first=update.learning_rate_first,
            last=update.learning_rate_last,
        )
        return factors.of_rates(self._widths, OPTIMIZERS[update.optimizer].adaptive)

    def _preconditioner(
        self, update: Update, parameters: Parameters, rates: tuple[Floats, Floats], taken: int
    ) -> list[Array] | None:
        """P of the steps, as Descent has it, after so many of them."""
        adaptive = OPTIMIZERS[update.optimizer].adaptive
        if not adaptive and all((each == 1).all() for each in rates):
            return None
        units = [np.ones_like(parameters.weights), np.ones_like(parameters.biases)]
        if adaptive:
            settings = update.momentum, update.beta2, update.epsilon
            squares = parameters.second, parameters.second_biases
            units = [adam_preconditioner(each, taken, *settings) for each in squares]
        layers = self._memory.by_layer(*units)
        with np.errstate(all="ignore"):  # a layer at a rate of 0 stands still: P is infinite
            for layer, rate, bias_rate in zip(layers, *rates, strict=True):
                layer[:, :-1] /= rate
                layer[:, -1] /= bias_rate
        return layers

    def _rule(self, update: Update) -> Rule:
        return Rule(
            CODES[update.optimizer],
            update.momentum,
            update.beta2,
            update.epsilon,
            update.weight_decay,
            update.clip_norm,
            self._problem.biases,
        )

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


def _segments(stops: Sequence[int], batch: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of the steps taken at once, from one stop to the next or less."""
    most = min(MOST_STEPS, max(1, MOST_PLACES // batch)) if batch else MOST_STEPS
    for begin, end in zip(stops[:-1], stops[1:], strict=True):
        for first in range(begin, end, most):
            yield first, min(first + most, end)
