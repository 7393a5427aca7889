"""The optimizers' steps, compiled: how parameters change once their gradients are known.

The formulas are those of core.optimization.optimizers.
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
        biases: Whether they are trained.
    """

    optimizer: int
    momentum: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip_norm: float
    biases: bool


class Parts(NamedTuple):
    """Consecutive parts of the parameters, with what each takes of the learning rate.

    One part, if all layers take the same.

    Attributes:
        ends, bias_ends: (parts,), where each ends among all weights, and among all biases.
        rates, bias_rates: (parts,).
    """

    ends: np.ndarray
    bias_ends: np.ndarray
    rates: np.ndarray
    bias_rates: np.ndarray


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
def gradient_norm(parameters, biases):
    """The norm of all gradients, as they stand in memory; with those of the biases, or without."""
    squares = _squared_norm(parameters.gradients)
    if biases:
        squares += _squared_norm(parameters.bias_gradients)
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
def _move(one, params, gradients, moments, rule, decay, clipped, rate, step, examples):
    """Change some parameters by their gradients, at one rate."""
    number, (first, second) = type(one), moments
    if rule.optimizer == GD:
        factor = number(_per_example(rate, examples) * clipped)
        if decay:  # apart from the update, whose bits without it stay what they were
            _subtract(params, number(rate * decay), params)
        _subtract(params, factor, gradients)
        return
    share, momentum, penalty = number(clipped / examples), number(rule.momentum), number(decay)
    if rule.optimizer == MOMENTUM:
        _heavy_ball(params, gradients, first, share, penalty, momentum, number(rate))
    elif rule.optimizer == NESTEROV:
        _nesterov(params, gradients, first, share, penalty, momentum, number(rate))
    elif rule.optimizer == ADAM:
        beta2, rest2 = number(rule.beta2), number(1 - rule.beta2)
        betas = (momentum, beta2, number(1 - rule.momentum), rest2)
        scale = number(1 / np.sqrt(1 - rule.beta2 ** (step + 1)))
        corrected, epsilon = number(rate / (1 - rule.momentum ** (step + 1))), number(rule.epsilon)
        _adam(params, gradients, first, second, share, penalty, betas, scale, epsilon, corrected)


@compiled
def take_step(one, parameters, parts, rule, rate, step, examples):
    """Change the parameters by their gradients.

    Args:
        one: 1 in the parameters' precision.
        parameters: Parameters.
        parts: Parts.
        rule: Rule.
        rate: The learning rate of this step.
        step: How many steps were taken before.
        examples: Of which the gradients are sums.
    """
    clipped = 1.0
    if rule.clip_norm:
        norm = gradient_norm(parameters, rule.biases) / examples
        clipped = rule.clip_norm / norm if norm > rule.clip_norm else 1.0
    w, b, g, bg, first, first_biases, second, second_biases = parameters
    begin = bias_begin = 0
    for part in range(len(parts.ends)):
        own = slice(begin, parts.ends[part])
        moments, decay = (first[own], second[own]), rule.weight_decay
        rates = rate * parts.rates[part], rate * parts.bias_rates[part]
        _move(one, w[own], g[own], moments, rule, decay, clipped, rates[0], step, examples)
        begin = parts.ends[part]
        if rule.biases:
            own = slice(bias_begin, parts.bias_ends[part])
            moments = first_biases[own], second_biases[own]
            _move(one, b[own], bg[own], moments, rule, 0.0, clipped, rates[1], step, examples)
            bias_begin = parts.bias_ends[part]
