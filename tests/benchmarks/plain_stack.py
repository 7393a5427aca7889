"""Gradient descent on same-shaped networks in plain NumPy, and nothing of the product's loop.

What bench_verdicts.py trains on with: every activation, both losses, a rate for each network.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

Array = NDArray[np.floating]

# phi(h) and phi'(h).
ACTIVATIONS = {
    "linear": (lambda h: h, np.ones_like),
    "sigmoid": (expit, lambda h: expit(h) * (1 - expit(h))),
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
    "relu": (lambda h: np.maximum(h, 0), lambda h: (h > 0).astype(h.dtype)),
    "gelu": (
        lambda h: h * (1 + erf(h / 2**0.5)) / 2,
        lambda h: (1 + erf(h / 2**0.5)) / 2 + h * np.exp(-h * h / 2) / (2 * np.pi) ** 0.5,
    ),
}


def losses_of(params, inputs, targets, activation, loss, rates, steps):
    """The losses of every network before and after each step, (steps + 1, networks).

    Args:
        params: One array per layer, (networks, fan_out, fan_in + 1), the last column the bias.
        inputs: (features, examples).
        targets: (outputs, examples).
        activation: A name in ACTIVATIONS.
        loss: `mse` or `cross_entropy`.
        rates: (networks,) learning rates.
        steps: How many.
    """
    weights, biases = [p[:, :, :-1].copy() for p in params], [p[:, :, -1:].copy() for p in params]
    phi, slope = ACTIVATIONS[activation]
    rates = np.asarray(rates, weights[0].dtype)[:, None, None]
    losses = np.empty((steps + 1, len(rates)))
    with np.errstate(all="ignore"):  # some of them diverge
        for step in range(steps + 1):
            pre, a = [], [np.broadcast_to(inputs, (len(rates), *inputs.shape))]
            for w, b in zip(weights, biases, strict=True):
                pre.append(w @ a[-1] + b)
                a.append(phi(pre[-1]))
            losses[step], delta = _loss(pre[-1], targets, loss)
            for layer in reversed(range(len(weights))):
                gradient = delta @ a[layer].swapaxes(1, 2)
                bias_gradient = delta.sum(axis=2, keepdims=True)
                if layer:
                    delta = (weights[layer].swapaxes(1, 2) @ delta) * slope(pre[layer - 1])
                weights[layer] -= rates * gradient
                biases[layer] -= rates * bias_gradient
    return losses


def _loss(outputs, targets, loss):
    """The losses, and their gradients at the outputs."""
    examples = outputs.shape[2]
    if loss == "mse":
        error = outputs - targets
        return 0.5 * np.square(error).sum(axis=(1, 2)) / examples, error / examples
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    losses = -((shifted - log_sum) * targets).sum(axis=(1, 2)) / examples
    return losses, (np.exp(shifted - log_sum) - targets) / examples
