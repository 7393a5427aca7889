"""The optimizers' steps, compiled: how parameters change once their gradients are known.

The formulas are those of core.optimizers.
"""

from typing import NamedTuple

import numpy as np

from core.compilation import compiled, inlined

# The optimizers, as compiled code compares them.
CODES = {"gd": 0, "momentum": 1, "nesterov": 2, "adam": 3}
GD, MOMENTUM, NESTEROV, ADAM = CODES.values()


class Rule(NamedTuple):
    """The rule of a step.

    Attributes:
        optimizer: One of CODES.
        momentum, beta2, epsilon, weight_decay, clip_norm: Those of core.gradient_descent.Update.
    """

    optimizer: int
    momentum: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip_norm: float


class Parameters(NamedTuple):
    """The arrays of one network that steps change.

    Attributes:
        weights, biases: Of all layers.
        gradients, bias_gradients: Sums over the examples of a step.
        first, first_biases: The running sums or means; empty for optimizers without.
        second, second_biases: The running means of squares; likewise.
    """

    weights: np.ndarray
    biases: np.ndarray
    gradients: np.ndarray
    bias_gradients: np.ndarray
    first: np.ndarray
    first_biases: np.ndarray
    second: np.ndarray
    second_biases: np.ndarray


@compiled
def _squared_norm(numbers):
    """In float64: float32 is too narrow for squares."""
    total = 0.0
    for number in numbers:
        total += np.float64(number) * np.float64(number)
    return total


@compiled
def gradient_norm(parameters):
    """The norm of all gradients, as they stand in memory."""
    squares = _squared_norm(parameters.gradients) + _squared_norm(parameters.bias_gradients)
    return np.sqrt(squares)


@inlined
def _per_example(rate, examples):
    """A plain quotient: as a product with a reciprocal it would be rounded twice."""
    return rate / examples


@compiled
def _subtract(params, factor, gradients):
    for n in range(len(params)):
        params[n] -= factor * gradients[n]


@compiled
def _heavy_ball(params, gradients, velocity, share, decay, momentum, rate):
    for n in range(len(params)):
        kept = momentum * velocity[n] + (share * gradients[n] + decay * params[n])
        velocity[n] = kept
        params[n] -= rate * kept


@compiled
def _nesterov(params, gradients, velocity, share, decay, momentum, rate):
    for n in range(len(params)):
        slope = share * gradients[n] + decay * params[n]
        kept = momentum * velocity[n] + slope
        velocity[n] = kept
        params[n] -= rate * (slope + momentum * kept)


@compiled
def _adam(params, gradients, means, squares, share, decay, betas, scale, epsilon, rate):
    beta, beta2, rest, rest2 = betas
    for n in range(len(params)):
        slope = share * gradients[n] + decay * params[n]
        mean = beta * means[n] + rest * slope
        square = beta2 * squares[n] + rest2 * slope * slope
        means[n] = mean
        squares[n] = square
        params[n] -= rate * mean / (np.sqrt(square) * scale + epsilon)


@compiled
def take_step(one, parameters, rule, rate, step, examples):
    """Change the parameters by their gradients.

    Args:
        one: 1 in the parameters' precision.
        parameters: Parameters.
        rule: Rule.
        rate: The learning rate of this step.
        step: How many steps were taken before.
        examples: Of which the gradients are sums.
    """
    number, clipped = type(one), 1.0
    if rule.clip_norm:
        norm = gradient_norm(parameters) / examples
        clipped = rule.clip_norm / norm if norm > rule.clip_norm else 1.0
    w, b, g, bg = parameters[:4]
    first, first_biases, second, second_biases = parameters[4:]
    if rule.optimizer == GD:
        factor = number(_per_example(rate, examples) * clipped)
        if rule.weight_decay:  # apart from the update, whose bits without it stay what they were
            _subtract(w, number(rate * rule.weight_decay), w)
        _subtract(w, factor, g)
        _subtract(b, factor, bg)
        return
    share, momentum = number(clipped / examples), number(rule.momentum)
    decay, zero = number(rule.weight_decay), number(0)
    if rule.optimizer == MOMENTUM:
        _heavy_ball(w, g, first, share, decay, momentum, number(rate))
        _heavy_ball(b, bg, first_biases, share, zero, momentum, number(rate))
    elif rule.optimizer == NESTEROV:
        _nesterov(w, g, first, share, decay, momentum, number(rate))
        _nesterov(b, bg, first_biases, share, zero, momentum, number(rate))
    else:
        beta2, rest2 = number(rule.beta2), number(1 - rule.beta2)
        betas = (momentum, beta2, number(1 - rule.momentum), rest2)
        scale = number(1 / np.sqrt(1 - rule.beta2 ** (step + 1)))
        corrected, epsilon = number(rate / (1 - rule.momentum ** (step + 1))), number(rule.epsilon)
        _adam(w, g, first, second, share, decay, betas, scale, epsilon, corrected)
        _adam(b, bg, first_biases, second_biases, share, zero, betas, scale, epsilon, corrected)
