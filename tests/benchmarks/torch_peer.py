"""PyTorch: batched products (baddbmm), the backward pass written out, updates in place.

Written out since autograd is slower here: it keeps no buffer and updates in extra passes.
"""

from collections.abc import Callable

import numpy as np
import torch
from workloads import Floats, Workload

# Networks a call, measured.
NETWORKS = {16: 512, 32: 16, 64: 4, 128: 2}


def forward(weights, biases, inputs):
    """The activations of every layer, and the outputs."""
    a = [inputs]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        a.append(torch.baddbmm(b, w, a[-1]).tanh_())
    return a, torch.baddbmm(biases[-1], weights[-1], a[-1])


def train(weights, biases, rates, inputs, targets, steps):
    """Train a stack of networks in place; their final losses."""
    examples = inputs.shape[2]
    for _ in range(steps):
        a, delta = forward(weights, biases, inputs)
        delta.sub_(targets).mul_(rates / examples)
        for layer in reversed(range(len(weights))):
            below = torch.bmm(weights[layer].mT, delta) if layer else None
            weights[layer].baddbmm_(delta, a[layer].mT, alpha=-1)
            biases[layer].sub_(delta.sum(2, keepdim=True))
            if layer:
                delta = torch.ops.aten.tanh_backward(below, a[layer])
    _, outputs = forward(weights, biases, inputs)
    return 0.5 * (outputs - targets).square_().sum((1, 2)) / examples


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
            last.append(train(weights, biases, rates[stack], some, targets, workload.steps))
        return torch.cat(last).numpy()

    return run
