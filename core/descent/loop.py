"""The descent of one network, from one step to another, and the reason for its end."""

from typing import NamedTuple

import numpy as np

from core.compilation import compiled
from core.descent.batches import Examples, gather
from core.descent.calls import call_pass, whole_at
from core.descent.memory import Places, Shape
from core.descent.products import (
    backward_product,
    forward_product,
    gradient_product,
    input_gradient_product,
)
from core.descent.steps import gradient_norm, take_step

RUNNING, DIVERGED, TRAINED = 0, 1, 2


class Passes(NamedTuple):
    """Addresses of the compiled passes."""

    forward: int
    backward: int
    loss: int
    join: int  # the residual connection's, forward
    part: int  # and backward
    normalize: int  # the normalization's, forward; 0 without one
    denormalize: int  # and backward


class Rules(NamedTuple):
    """The rules by which a descent ends.

    Attributes:
        last: The step after which none is taken.
        baseline: The best constant predictor's loss.
        diverged: x max(initial loss, baseline): a loss above it has diverged.
        trained: The level at or below which enough consecutive losses end it; negative: never.
        tail: How many consecutive losses are enough.
    """

    last: int
    baseline: float
    diverged: float
    trained: float
    tail: int


class Records(NamedTuple):
    """The records that a descent keeps.

    Attributes:
        losses: (steps + 1,); of all examples, NaN where it was not asked for.
        measured: (points,), steps at which smaller batches ask for it, and one that never comes.
        logged: (points,), steps at which the gradient's norm is found, and one that never comes.
        norms: (points,).
    """

    losses: np.ndarray
    measured: np.ndarray
    logged: np.ndarray
    norms: np.ndarray


@compiled
def _biases_at(blas, places, start, layer):
    """The place of a layer's biases, or their gradients, in those of all layers from `start` on."""
    return start + blas.itemsize * whole_at(places.units_below, layer)


@compiled
def _weights_at(blas, places, start, layer):
    """Likewise of a layer's weights."""
    return start + blas.itemsize * whole_at(places.weights_below, layer)


@compiled
def _values_at(blas, shape, places, start, layer):
    """Likewise of what a hidden layer keeps of each unit and example."""
    return start + blas.itemsize * whole_at(places.units_below, layer) * shape.examples


@compiled
def _is_branch(shape, layer):
    """Whether a residual connection goes past a layer."""
    return shape.residual and 0 < layer < shape.depth - 1


@compiled
def _given(blas, shape, places, layer):
    """The place of the activations that a layer takes from the layer below."""
    if layer == 0:
        return places.inputs
    return _values_at(blas, shape, places, places.hidden, layer - 1) if layer > 1 else places.values


@compiled
def _inverse(blas, shape, places, layer):
    """The place of a layer's statistics."""
    return places.inverse + blas.itemsize * layer * max(shape.widest, shape.examples)


@compiled
def _normalize(blas, passes, shape, places, layer):
    """Put u in the place of a hidden layer's h, which it keeps beside."""
    h = _values_at(blas, shape, places, places.values, layer)
    u = _values_at(blas, shape, places, places.normalized, layer)
    bias = _biases_at(blas, places, places.biases, layer)
    arrays = h, bias, u, _inverse(blas, shape, places, layer), places.scratch
    call_pass(passes.normalize, *arrays, whole_at(places.units, layer + 1), shape.examples)


@compiled
def _denormalize(blas, passes, shape, places, layer, delta):
    """Put dLoss/dh in the place of a hidden layer's dLoss/du."""
    u = _values_at(blas, shape, places, places.normalized, layer)
    sums = _biases_at(blas, places, places.bias_gradients, layer)
    arrays = delta, u, _inverse(blas, shape, places, layer), sums, places.scratch
    call_pass(passes.denormalize, *arrays, whole_at(places.units, layer + 1), shape.examples)


@compiled
def measured_loss(blas, passes, shape, places):
    """The forward pass: returns the loss; leaves activations, slopes, outputs and residuals."""
    last = shape.depth - 1
    for layer in range(shape.depth):
        rows = whole_at(places.units, layer + 1)
        w = _weights_at(blas, places, places.weights, layer)
        h = (
            places.outputs
            if layer == last
            else _values_at(blas, shape, places, places.values, layer)
        )
        sizes = rows, whole_at(places.units, layer), shape.examples
        given = _given(blas, shape, places, layer)
        forward_product(blas, w, given, h, sizes)
        if layer < last:
            bias = _biases_at(blas, places, places.biases, layer)
            slopes = _values_at(blas, shape, places, places.slopes, layer)
            if shape.normalized:
                _normalize(blas, passes, shape, places, layer)
                bias = places.zeros
            call_pass(passes.forward, h, bias, slopes, rows, shape.examples)
        if _is_branch(shape, layer):
            a = _values_at(blas, shape, places, places.hidden, layer)
            call_pass(passes.join, given, h, places.factor, a, rows, shape.examples)
    return call_pass(
        passes.loss,
        places.outputs,
        _biases_at(blas, places, places.biases, last),
        places.targets,
        places.residuals,
        _biases_at(blas, places, places.bias_gradients, last),
        places.scratch,
        whole_at(places.units, last + 1),
        shape.examples,
    )


@compiled
def pull_back(blas, passes, shape, places):
    """The backward pass: leaves the gradients, as sums over examples."""
    delta, above, other = places.residuals, places.delta, places.other
    for layer in range(shape.depth - 1, 0, -1):
        rows, columns = whole_at(places.units, layer + 1), whole_at(places.units, layer)
        given, sizes = _given(blas, shape, places, layer), (rows, shape.examples, columns)
        gradients = _weights_at(blas, places, places.gradients, layer)
        gradient_product(blas, delta, given, gradients, sizes)
        # Past a branch, dLoss/da of the layer below is that of the layer and what it adds.
        kept = blas.one if _is_branch(shape, layer) else blas.zero
        w, sizes = _weights_at(blas, places, places.weights, layer), (columns, rows, shape.examples)
        backward_product(blas, w, delta, above, sizes, kept)
        slopes = _values_at(blas, shape, places, places.slopes, layer - 1)
        sums = _biases_at(blas, places, places.bias_gradients, layer - 1)
        delta = above
        if _is_branch(shape, layer - 1):
            delta = other
            call_pass(passes.part, above, places.factor, delta, columns, shape.examples)
        call_pass(passes.backward, delta, slopes, sums, columns, shape.examples)
        if shape.normalized:
            _denormalize(blas, passes, shape, places, layer - 1, delta)
        if not _is_branch(shape, layer - 1):
            above, other = other, above
    sizes = whole_at(places.units, 1), shape.examples, whole_at(places.units, 0)
    input_gradient_product(blas, delta, places.inputs_t, places.gradients, sizes)


@compiled
def _low_losses(losses, step, rules):
    """Count the consecutive losses just before a step that are low enough."""
    count = 0
    while count < step and losses[step - 1 - count] <= rules.trained:
        count += 1
    return count


class Net(NamedTuple):
    """A network on some examples: what the passes need.

    Attributes:
        shape: core.descent.memory.Shape.
        places: core.descent.memory.Places.
        examples: core.descent.batches.Examples at those places.
    """

    shape: Shape
    places: Places
    examples: Examples


@compiled
def _goes_on(loss, losses, rules):
    """Whether a loss is finite, and not beyond what a descent returns from."""
    worst = losses[0] if losses[0] > rules.baseline else rules.baseline
    return np.isfinite(loss) and loss <= rules.diverged * worst


@compiled
def descend(
    blas, passes, whole, batch, parameters, parts, rule, rates, order, rules, records, begin, end
):
    """Take the steps from `begin` up to, but not including, `end`, or stop earlier by the rules.

    Args:
        whole: The Net of all examples, of which losses and gradient norms are recorded.
        batch: The Net of a step's examples, with the same parameters; if its shape is that of
            `whole`, it is `whole`.
        parameters: core.descent.steps.Parameters.
        parts: core.descent.steps.Parts of them.
        rule: core.descent.steps.Rule.
        rates: (end - begin,), the learning rate of each step.
        order: (end - begin, examples of a batch), places of each step's examples.

    Returns:
        The step it came to, whose loss is recorded, and RUNNING, DIVERGED or TRAINED.
    """
    losses, measured, logged, norms = records
    examples = batch.shape.examples
    in_batches = examples < whole.shape.examples
    low = 0 if in_batches else _low_losses(losses, begin, rules)
    point, due = np.searchsorted(logged, begin), np.searchsorted(measured, begin)
    for step in range(begin, end):
        if not in_batches or measured[due] == step:
            due += 1
            loss = measured_loss(blas, passes, whole.shape, whole.places)
            losses[step] = loss
            if not _goes_on(loss, losses, rules):
                return step, DIVERGED
            low = low + 1 if loss <= rules.trained and not in_batches else 0
            is_last = step == rules.last or low >= rules.tail
            if logged[point] == step or not (is_last or in_batches):
                pull_back(blas, passes, whole.shape, whole.places)
            if logged[point] == step:
                norms[point] = gradient_norm(parameters, rule.biases) / whole.shape.examples
                point += 1
            if is_last:
                return step, RUNNING if step == rules.last else TRAINED
        if in_batches:
            gather(order[step - begin], whole.examples, batch.examples)
            loss = measured_loss(blas, passes, batch.shape, batch.places)
            if not _goes_on(loss, losses, rules):
                loss = measured_loss(blas, passes, whole.shape, whole.places)
                if not _goes_on(loss, losses, rules):
                    losses[step] = loss
                    return step, DIVERGED
                measured_loss(blas, passes, batch.shape, batch.places)
            pull_back(blas, passes, batch.shape, batch.places)
        take_step(blas.one, parameters, parts, rule, rates[step - begin], step, examples)
    return end, RUNNING
