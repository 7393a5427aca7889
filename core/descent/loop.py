"""The descent of one network, from one step to another, and the reason for its end."""

from typing import NamedTuple

import numpy as np

from core.compilation import compiled
from core.descent.batches import Examples, gather
from core.descent.calls import call_pass
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
def _fan_in(shape, layer):
    return shape.feature_count if layer == 0 else shape.width


@compiled
def _fan_out(shape, layer):
    return shape.outputs if layer == shape.depth - 1 else shape.width


@compiled
def _weights_below(shape, layer):
    """The number of weights in all layers below."""
    return shape.width * (shape.feature_count + (layer - 1) * shape.width) if layer else 0


@compiled
def _is_branch(shape, layer):
    """Whether a residual connection goes past a layer."""
    return shape.residual and 0 < layer < shape.depth - 1


@compiled
def _given(blas, shape, places, layer):
    """The place of the activations that a layer takes from the layer below."""
    size = blas.itemsize * shape.width * shape.examples
    if layer == 0:
        return places.inputs
    return places.hidden + (layer - 1) * size if layer > 1 else places.values


@compiled
def _inverse(blas, shape, places, layer):
    """The place of a layer's statistics."""
    return places.inverse + blas.itemsize * layer * max(shape.width, shape.examples)


@compiled
def _normalize(blas, passes, shape, places, layer):
    """Put u in the place of a hidden layer's h, which it keeps beside."""
    offset = blas.itemsize * shape.width * shape.examples * layer
    bias = places.biases + blas.itemsize * layer * shape.width
    u, inverse = places.normalized + offset, _inverse(blas, shape, places, layer)
    arrays = places.values + offset, bias, u, inverse, places.scratch
    call_pass(passes.normalize, *arrays, shape.width, shape.examples)


@compiled
def _denormalize(blas, passes, shape, places, layer, delta):
    """Put dLoss/dh in the place of a hidden layer's dLoss/du."""
    u = places.normalized + blas.itemsize * shape.width * shape.examples * layer
    sums = places.bias_gradients + blas.itemsize * layer * shape.width
    arrays = delta, u, _inverse(blas, shape, places, layer), sums, places.scratch
    call_pass(passes.denormalize, *arrays, shape.width, shape.examples)


@compiled
def measured_loss(blas, passes, shape, places):
    """The forward pass: returns the loss; leaves activations, slopes, outputs and residuals."""
    size, last = blas.itemsize * shape.width * shape.examples, shape.depth - 1
    for layer in range(shape.depth):
        rows = _fan_out(shape, layer)
        w = places.weights + blas.itemsize * _weights_below(shape, layer)
        h = places.outputs if layer == last else places.values + layer * size
        sizes = rows, _fan_in(shape, layer), shape.examples
        given = _given(blas, shape, places, layer)
        forward_product(blas, w, given, h, sizes)
        if layer < last:
            bias = places.biases + blas.itemsize * layer * shape.width
            slopes = places.slopes + layer * size
            if shape.normalized:
                _normalize(blas, passes, shape, places, layer)
                bias = places.zeros
            call_pass(passes.forward, h, bias, slopes, rows, shape.examples)
        if _is_branch(shape, layer):
            a = places.hidden + layer * size
            call_pass(passes.join, given, h, places.factor, a, rows, shape.examples)
    below = blas.itemsize * last * shape.width
    return call_pass(
        passes.loss,
        places.outputs,
        places.biases + below,
        places.targets,
        places.residuals,
        places.bias_gradients + below,
        places.scratch,
        shape.outputs,
        shape.examples,
    )


@compiled
def pull_back(blas, passes, shape, places):
    """The backward pass: leaves the gradients, as sums over examples."""
    size = blas.itemsize * shape.width * shape.examples
    delta, above, other = places.residuals, places.delta, places.other
    for layer in range(shape.depth - 1, 0, -1):
        rows, w = _fan_out(shape, layer), blas.itemsize * _weights_below(shape, layer)
        given, columns = _given(blas, shape, places, layer), shape.width
        sizes = rows, shape.examples, columns
        gradient_product(blas, delta, given, places.gradients + w, sizes)
        # Past a branch, dLoss/da of the layer below is that of the layer and what it adds.
        kept = blas.one if _is_branch(shape, layer) else blas.zero
        sizes = columns, rows, shape.examples
        backward_product(blas, places.weights + w, delta, above, sizes, kept)
        slopes = places.slopes + (layer - 1) * size
        sums = places.bias_gradients + blas.itemsize * (layer - 1) * shape.width
        delta = above
        if _is_branch(shape, layer - 1):
            delta = other
            call_pass(passes.part, above, places.factor, delta, columns, shape.examples)
        call_pass(passes.backward, delta, slopes, sums, columns, shape.examples)
        if shape.normalized:
            _denormalize(blas, passes, shape, places, layer - 1, delta)
        if not _is_branch(shape, layer - 1):
            above, other = other, above
    sizes = _fan_out(shape, 0), shape.examples, shape.feature_count
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
