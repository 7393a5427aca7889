"""PyTorch: batched products (baddbmm), the backward pass written out, updates in place.

Written out since autograd is slower here: it keeps no buffer and updates in extra passes.
"""

from collections.abc import Callable

import numpy as np
import torch
from workloads import Floats, Workload

# Networks a call, measured.
NETWORKS = {16: 512, 24: 64, 32: 16, 48: 8, 64: 4, 128: 2}

# Of each activation: its value, and a slope's product from below, the value and what was given.
aten = torch.ops.aten
VALUES = {"tanh": torch.tanh_, "relu": torch.relu_, "gelu": torch.nn.functional.gelu}
BACKWARD = {
    "tanh": lambda below, a, h: aten.tanh_backward(below, a),
    "relu": lambda below, a, h: aten.threshold_backward(below, a, 0),
    "gelu": lambda below, a, h: aten.gelu_backward(below, h),
}


def forward(weights, biases, inputs, activation):
    """The activations and what they were given, of every layer, and the outputs."""
    a, given = [inputs], []
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        given.append(torch.baddbmm(b, w, a[-1]))
        a.append(VALUES[activation](given[-1]))
    return a, given, torch.baddbmm(biases[-1], weights[-1], a[-1])


def residuals(outputs, targets, loss):
    """examples x dLoss/d(outputs)."""
    return (outputs.softmax(1) if loss == "cross_entropy" else outputs).sub_(targets)


def losses(outputs, targets, loss):
    """The loss of every network."""
    if loss == "cross_entropy":
        each = -outputs.log_softmax(1).mul_(targets)
    else:
        each = 0.5 * (outputs - targets).square_()
    return each.sum((1, 2)) / targets.shape[1]


def train(weights, biases, rates, inputs, targets, workload):
    """Train a stack of networks in place; their final losses."""
    examples, activation = inputs.shape[2], workload.activation
    for _ in range(workload.steps):
        a, given, outputs = forward(weights, biases, inputs, activation)
        delta = residuals(outputs, targets, workload.loss).mul_(rates / examples)
        for layer in reversed(range(len(weights))):
            below = torch.bmm(weights[layer].mT, delta) if layer else None
            weights[layer].baddbmm_(delta, a[layer].mT, alpha=-1)
            biases[layer].sub_(delta.sum(2, keepdim=True))
            if layer:
                delta = BACKWARD[activation](below, a[layer], given[layer - 1])
    *_, outputs = forward(weights, biases, inputs, activation)
    return losses(outputs, targets, workload.loss)


def prepare(workload: Workload, trials: range) -> Callable[[], Floats]:
    """A function that trains these trials."""
    size = min(NETWORKS[workload.width], len(trials))
    inputs, targets = map(torch.from_numpy, workload.data())
    params = [torch.from_numpy(p) for p in workload.start(trials)]
    rates = torch.from_numpy(workload.learning_rates(trials).astype(np.float32))[:, None, None]

    @torch.inference_mode()
    def run() -> Floats:
        last = []
        for first in range(0, len(trials), size):
            stack = slice(first, min(first + size, len(trials)))
            weights = [p[stack, :, :-1].contiguous() for p in params]
            biases = [p[stack, :, -1:].clone() for p in params]
            some = inputs.expand(len(weights[0]), *inputs.shape)
            last.append(train(weights, biases, rates[stack], some, targets, workload))
        return torch.cat(last).numpy()

    return run
