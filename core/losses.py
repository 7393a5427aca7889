"""The facts about each loss, and its formulas: name -> Loss.

A loss turns the outputs h_L into residuals in place, since the trainer needs the
outputs no more: residual = examples x dLoss/dh_L.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Loss:
    """A loss; called, it takes (outputs, targets), leaves residuals, and gives the losses.

    Attributes:
        name: Its name in LOSSES and in core.descent.losses.
        formula: Of a stack of networks: outputs (networks, outputs, examples) and targets
            (outputs, examples) to losses (networks,).
        output_hessian: From one network's outputs, (outputs, examples), to the product with the
            Hessian in the outputs: a change of the outputs -> the change of the residuals.
        baseline: Of targets, the loss of the best constant predictor.
        of_classes: Whether its targets must be classes.
        bounded_residual: Whether the residuals stay bounded, however large the outputs.
        torch: The lines of PyTorch that compute it, from `net`, `inputs` and `targets`.
        torch_outputs: How many outputs the network needs for `targets`, in PyTorch.
    """

    name: str
    _: KW_ONLY
    formula: Callable[[Array, Array], Array]
    output_hessian: Callable[[Array], Callable[[Array], Array]]
    baseline: Callable[[Array], float]
    of_classes: bool
    bounded_residual: bool
    torch: str
    torch_outputs: str

    def __call__(self, outputs: Array, targets: Array) -> Array:
        """The losses, (networks,); `outputs` become residuals."""
        return self.formula(outputs, targets)


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


def half_variance(targets: Array) -> float:
    """Half the variance of the targets (outputs, examples), summed over outputs."""
    return float(targets.var(axis=1).sum() / 2)


def entropy(targets: Array) -> float:
    """The entropy of the labels' frequencies, in nats; targets are one-hot."""
    frequencies = targets.mean(axis=1)
    frequencies = frequencies[frequencies > 0]
    # Subtracted from 0, so that a single class has 0 and not -0.
    return 0.0 - float((frequencies * np.log(frequencies)).sum())


def mse_hessian(outputs: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta of the squared error: the identity."""
    return np.positive


def cross_entropy_hessian(outputs: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta = p * (R h - sum of p * R h), p = softmax(h)."""
    p = np.exp(outputs - outputs.max(axis=0))
    p /= p.sum(axis=0)
    likeliest = p.argmax(axis=0)[None]

    def product(r_h: Array) -> Array:
        # A shift changes nothing but rounding: for p close to one-hot it avoids 1 - 1.
        r_h = r_h - np.take_along_axis(r_h, likeliest, axis=0)
        return p * (r_h - (p * r_h).sum(axis=0))

    return product


LOSSES = {
    loss.name: loss
    for loss in (
        Loss(
            "mse",
            formula=mse,
            output_hessian=mse_hessian,
            baseline=half_variance,
            of_classes=False,
            bounded_residual=False,
            torch="loss = (net(inputs) - targets).square().sum(1).mean() / 2",
            torch_outputs="targets.shape[1]",
        ),
        Loss(
            "cross_entropy",
            formula=cross_entropy,
            output_hessian=cross_entropy_hessian,
            baseline=entropy,
            of_classes=True,
            bounded_residual=True,
            torch="loss = torch.nn.functional.cross_entropy(net(inputs), targets)",
            torch_outputs="int(targets.max()) + 1",
        ),
    )
}

# For numbers as targets.
REGRESSION_LOSS = next(name for name, loss in LOSSES.items() if not loss.of_classes)
