"""Losses of a stack of networks, each with its gradient at the outputs.

A loss turns the outputs h_L into residuals in place, since the trainer needs the
outputs no more: residual = examples x dLoss/dh_L.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def mse(outputs: Array, targets: Array) -> Array:
    """1/2 squared error, summed over outputs, mean over examples.

    Args:
        outputs: (networks, outputs, examples); becomes the residual h - y.
        targets: (outputs, examples).

    Returns:
        The losses, (networks,). They may be non-finite: divergence is a result.
    """
    networks, _, examples = outputs.shape
    np.subtract(outputs, targets, out=outputs)
    residuals = outputs.reshape(networks, -1)
    return np.vecdot(residuals, residuals) / outputs.dtype.type(2 * examples)


def cross_entropy(outputs: Array, targets: Array) -> Array:
    """Softmax cross-entropy in nats, mean over examples.

    Args:
        outputs: (networks, classes, examples), logits; becomes softmax(h) - y.
        targets: (classes, examples), one-hot.

    Returns:
        The losses, (networks,).
    """
    examples = outputs.shape[2]
    outputs -= outputs.max(axis=1, keepdims=True)
    right_logit = (outputs * targets).sum(axis=1)
    np.exp(outputs, out=outputs)
    total = outputs.sum(axis=1, keepdims=True)
    losses = (np.log(total[:, 0]) - right_logit).sum(axis=1) / outputs.dtype.type(examples)
    outputs /= total
    outputs -= targets
    return losses


LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "mse": mse,
    "cross_entropy": cross_entropy,
}
