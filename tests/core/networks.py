"""A network's gradients by its plain definition, and stacks of initial networks."""

import numpy as np

from core.initializers import initial_params
from core.losses import LOSSES
from core.network import backward, forward, gradient, slopes


def initial_stack(initializer, widths, seeds, init_scales, bias_scale):
    """One array a layer, (networks, fan_out, fan_in + 1); a seed and a scale for each network."""
    networks = [
        initial_params(initializer, widths, seed, scale, bias_scale)
        for seed, scale in zip(seeds, init_scales, strict=True)
    ]
    return [np.stack(layer) for layer in zip(*networks, strict=True)]


def loss_of(params, problem):
    """The loss of one network."""
    outputs = forward(params, problem.inputs[:-1], problem.hidden)[0][-1]
    return LOSSES[problem.loss](outputs[None].copy(), problem.targets)


def gradients_of(params, problem):
    """dLoss/d(params): one array a layer."""
    hs, activations = forward(params, problem.inputs[:-1], problem.hidden)
    residuals = hs[-1][None].copy()
    LOSSES[problem.loss](residuals, problem.targets)
    deltas = backward(params, residuals[0] / problem.inputs.shape[1], slopes(hs, problem.hidden))
    return [gradient(*pair) for pair in zip(deltas, activations, strict=True)]


def plain_descent(params, learning_rate, steps, problem, weight_decay=0.0):
    """The losses and the parameters of gradient descent, by the plain definition."""
    losses = [float(loss_of(params, problem)[0])]
    for _ in range(steps):
        found = gradients_of(params, problem)
        for p, g in zip(params, found, strict=True):
            g[:, :-1] += weight_decay * p[:, :-1]
        params = [p - learning_rate * g for p, g in zip(params, found, strict=True)]
        losses.append(float(loss_of(params, problem)[0]))
    return losses, params
