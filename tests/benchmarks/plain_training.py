"""One training of one network in plain NumPy: what a tuner's user would write."""

import numpy as np
from workloads import Workload


def train_one(workload: Workload, trial: int) -> float:
    """The final loss of one trial."""
    inputs, targets = workload.data()
    some = range(trial, trial + 1)
    rate = np.float32(workload.learning_rates(some)[0])
    start = [p[0] for p in workload.start(some)]
    weights, biases = [p[:, :-1].copy() for p in start], [p[:, -1:].copy() for p in start]
    for _ in range(workload.steps):
        a = forward(weights, biases, inputs)
        delta = (a.pop() - targets) * (rate / workload.examples)
        for layer in reversed(range(len(weights))):
            w, below = weights[layer], a[layer]
            gradient = delta @ below.T
            biases[layer] -= delta.sum(axis=1, keepdims=True)
            if layer:
                delta = (w.T @ delta) * (1 - below * below)
            w -= gradient
    residuals = forward(weights, biases, inputs)[-1] - targets
    return 0.5 * float(np.square(residuals).sum()) / workload.examples


def forward(weights, biases, inputs):
    """The inputs, every layer's activations and the outputs."""
    a = [inputs]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        a.append(np.tanh(w @ a[-1] + b))
    return [*a, weights[-1] @ a[-1] + biases[-1]]
