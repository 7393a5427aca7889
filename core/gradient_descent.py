"""Full-batch gradient descent on a stack of networks, each with its own learning rate."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.activations import ACTIVATIONS
from core.losses import LOSSES
from core.network import Passes
from core.outcomes import THRESHOLDS, is_decided, is_surely_trained
from core.subnormals import flushed_subnormals

Array = NDArray[np.floating]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Told at every logged step: the step, the networks still in the stack, their parameters.
Observer = Callable[[int, Ints, list[Array]], None]

CURVE_POINTS = 24


@dataclass(frozen=True)
class Problem:
    """What the networks of a stack share.

    Attributes:
        inputs: (features + 1, examples); the last row is ones.
        targets: (outputs, examples).
        activation: A name in ACTIVATIONS.
        loss: A name in LOSSES.
        baseline: The best constant predictor's loss.
    """

    inputs: Array
    targets: Array
    activation: str
    loss: str
    baseline: float


@dataclass(frozen=True)
class Descent:
    """What gradient descent on a stack recorded; a network's numbers end where it was decided.

    Attributes:
        losses: (steps + 1, networks), losses[t] after t steps; NaN after the last one.
        logged_steps: (points,), log-spaced, 0 and the last step included.
        gradient_norms: (points, networks), norm of dLoss/d(all parameters); NaN likewise.
        steps_run: (networks,), steps taken.
        survivors: (survivors,), the networks that ran to the end, or until they had trained
            beyond doubt.
        params: Their parameters there, one (survivors, fan_out, fan_in + 1) a layer.
        outputs: Their outputs there, (survivors, outputs, examples).
    """

    losses: Floats
    logged_steps: Ints
    gradient_norms: Floats
    steps_run: Ints
    survivors: Ints
    params: list[Array]
    outputs: Array


def logged_steps(steps: int) -> Ints:
    """Log-spaced steps from 0 to `steps` at which curves keep a point."""
    spaced = np.geomspace(1, max(steps, 1), CURVE_POINTS).round().astype(np.int64)
    return np.unique(np.concatenate([[0], spaced[spaced <= steps], [steps]]))


def descend(
    params: list[Array],
    learning_rates: Floats,
    steps: int,
    problem: Problem,
    observe: Observer | None = None,
    trained_loss: float | None = None,
) -> Descent:
    """Train every network of a stack by full-batch gradient descent.

    A network whose loss overflows or explodes is decided, and so with a `trained_loss` is one
    that has trained beyond doubt: it leaves the stack and costs nothing more. Every network's
    arithmetic is its own, so neither the stack's size nor a neighbor's divergence changes a
    bit of it.

    Args:
        params: One array per layer, (networks, fan_out, fan_in + 1), the last column the
            bias; trained in place, in their dtype.
        learning_rates: (networks,).
        steps: Steps to take; 0 only measures.
        problem: What all networks of the stack are trained on.
        observe: Called at every logged step, before the step is taken; must not change
            the parameters.
        trained_loss: The loss at or below which a run counts as trained; None to let every
            network that has not exploded take every step.
    """
    stack = _Stack(params, learning_rates, steps, problem, trained_loss)
    # A diverging network must not stop its stack: overflow is expected here.
    with np.errstate(all="ignore"), flushed_subnormals():
        for step in range(steps):
            stack.measure(step)
            if observe and step in stack.logged_places:
                observe(step, stack.order, stack.passes.params)
            stack.take_step()
            stack.drop_decided(step)
            if not stack.order.size:
                break
        else:
            stack.measure(steps)
            if observe:
                observe(steps, stack.order, stack.passes.params)
            stack.drop_decided(steps)
        survivors, params = stack.survivors()
    return Descent(
        stack.losses,
        stack.logged,
        stack.gradient_norms,
        stack.steps_run,
        survivors,
        params,
        stack.outputs[survivors],
    )


class _Stack:
    """The state of a descent: buffers, who is still in them, and what was recorded.

    `order[i]` is the network that sits at position i of the buffers. `outputs[i]` are
    network i's when it was last measured; `trained` holds the parameters of those that left
    with them.
    """

    def __init__(
        self,
        params: list[Array],
        learning_rates: Floats,
        steps: int,
        problem: Problem,
        trained_loss: float | None,
    ):
        networks, self._dtype = len(learning_rates), params[0].dtype
        self.passes = Passes(params, problem.inputs, ACTIVATIONS[problem.activation])
        self._loss = LOSSES[problem.loss]
        self._targets = problem.targets.astype(self._dtype)
        self._examples = problem.inputs.shape[1]
        self._learning_rates = learning_rates
        self._trained_loss = trained_loss
        self._worst_start = np.full(networks, problem.baseline)
        self.order = np.arange(networks)
        self._factors = self._step_factors()
        self._decided = np.zeros(networks, dtype=bool)
        self._last_step = steps
        self.logged = logged_steps(steps)
        self.logged_places = {step: place for place, step in enumerate(self.logged.tolist())}
        self.losses = np.full((steps + 1, networks), np.nan)
        self.gradient_norms = np.full((len(self.logged), networks), np.nan)
        self.steps_run = np.full(networks, steps, dtype=np.int64)
        self.outputs = np.empty_like(self.passes.outputs)
        self.trained: dict[int, list[Array]] = {}

    def _step_factors(self) -> Array:
        """Learning rate / examples: folded into delta, it spares a pass over each layer."""
        factors = self._learning_rates[self.order] / self._examples
        return factors.astype(self._dtype)[:, None, None]

    def measure(self, step: int) -> None:
        """Find losses, gradients and who is decided, all before the step is taken."""
        residuals = self.passes.forward()
        if step == self._last_step or self._trained_loss is not None:
            self.outputs[self.order] = residuals
        losses = self._loss(residuals, self._targets).astype(np.float64)
        self.losses[step, self.order] = losses
        if step == 0:
            self._worst_start = np.fmax(losses, self._worst_start)
        self._decided = diverged = is_decided(losses, self._worst_start[self.order])
        if self._trained_loss is not None and step < self._last_step:
            first = max(0, step + 1 - THRESHOLDS.tail_losses)
            recent = self.losses[first : step + 1, self.order]
            trained = is_surely_trained(recent, self._trained_loss)
            for place in np.flatnonzero(trained):
                params = [p[place].copy() for p in self.passes.params]
                self.trained[int(self.order[place])] = params
            self._decided = diverged | trained
        self.passes.backward(np.multiply(residuals, self._factors, out=residuals))
        if step in self.logged_places:
            norms = _norms(self.passes.gradients) / self._learning_rates[self.order]
            norms[diverged] = np.nan
            self.gradient_norms[self.logged_places[step], self.order] = norms

    def survivors(self) -> tuple[Ints, list[Array]]:
        """The networks that did not diverge, and their parameters when last measured."""
        if not self.trained:
            return self.order, self.passes.params
        left = zip(*self.trained.values(), strict=True)
        params = [
            np.concatenate([p, np.stack(those)])
            for p, those in zip(self.passes.params, left, strict=True)
        ]
        return np.concatenate([self.order, np.array(list(self.trained), np.int64)]), params

    def take_step(self) -> None:
        """Move every parameter against its gradient, which carries the learning rate."""
        for p, gradient in zip(self.passes.params, self.passes.gradients, strict=True):
            np.subtract(p, gradient, out=p)

    def drop_decided(self, step: int) -> None:
        """Fill the places of decided networks with the last ones and shorten the stack."""
        if not self._decided.any():
            return
        self.steps_run[self.order[self._decided]] = step
        survives = ~self._decided
        survivors = int(survives.sum())
        holes = np.flatnonzero(self._decided[:survivors])
        movers = survivors + np.flatnonzero(survives[survivors:])
        for mover, hole in zip(movers.tolist(), holes.tolist(), strict=True):
            self.passes.move(source=mover, target=hole)
        self.order[holes] = self.order[movers]
        self.order = self.order[:survivors]
        self.passes.shrink(survivors)
        self._factors = self._step_factors()


def _norms(gradients: list[Array]) -> Floats:
    """The norm over all layers of each network's gradient, (networks,).

    In the gradients' own dtype, and anew in float64 where that is too narrow for squares.
    """
    flat = [g.reshape(len(g), -1) for g in gradients]
    squares = np.asarray(np.sum([np.vecdot(g, g) for g in flat], axis=0, dtype=np.float64))
    numbers = np.finfo(flat[0].dtype)
    narrow = ~((squares > numbers.tiny / numbers.eps**2) & (squares < numbers.max * numbers.eps))
    if narrow.any():
        wide = [g[narrow].astype(np.float64) for g in flat]
        squares[narrow] = np.sum([np.vecdot(g, g) for g in wide], axis=0)
    return np.sqrt(squares)
