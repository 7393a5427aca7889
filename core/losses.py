"""The facts about each loss, and its formulas: name -> Loss.

The outputs h_L of a network are linear: what a loss takes the sigmoid or the softmax of is
part of the loss. It turns the outputs into residuals in place, since the trainer needs the
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
        output_hessian: From one network's outputs and targets, both (outputs, examples), to the
            product with the Hessian in the outputs: a change of the outputs -> the change of
            the residuals.
        baseline: Of targets, the loss of the best constant predictor.
        of_classes: Whether its targets must be classes.
        one_unit: Whether one output, positive for the second class, tells two classes apart.
        bounded_residual: Whether the residuals stay bounded, however large the outputs.
        saturates: Whether they vanish at large outputs, right or wrong: a squared error of what is
            flat there.
        torch: The lines of PyTorch that compute it, from `net`, `inputs` and `targets`.
        torch_outputs: How many outputs the network needs for `targets`, in PyTorch.
        torch_own: PyTorch's own loss, and in what it differs but for dividing by the outputs.
        torch_factor: What its learning rates are to be multiplied by, for each output, to be
            ours; None where it is the same loss.
    """

    name: str
    _: KW_ONLY
    formula: Callable[[Array, Array], Array]
    output_hessian: Callable[[Array, Array], Callable[[Array], Array]]
    baseline: Callable[[Array], float]
    of_classes: bool
    one_unit: bool = False
    bounded_residual: bool
    saturates: bool = False
    torch: str
    torch_outputs: str = "targets.shape[1]"
    torch_own: str = "torch.nn.MSELoss(), which divides by the outputs and has no 1/2"
    torch_factor: float | None = 0.5

    def __call__(self, outputs: Array, targets: Array) -> Array:
        """The losses, (networks,); `outputs` become residuals."""
        return self.formula(outputs, targets)

    def units(self, outputs: int) -> int:
        """The outputs of a network for targets of so many numbers, one for each class."""
        return 1 if self.one_unit and outputs == 2 else outputs

    def encoded(self, targets: Array) -> Array:
        """The targets (numbers, examples) of a task as those of the network's outputs."""
        return targets[-self.units(len(targets)) :]


def named_classes(outputs: Array) -> NDArray[np.intp]:
    """The class that each example's outputs, (outputs, examples), name: (examples,)."""
    return outputs.argmax(axis=0) if len(outputs) > 1 else (outputs[0] > 0).astype(np.intp)


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


def binary_cross_entropy(outputs: Array, targets: Array) -> Array:
    """Cross-entropy of sigmoids in nats, summed over outputs, mean over examples.

    With z = h of a class that is not the example's, and -h of the one that is:
    ln(1 + exp(z)), and the residual is sigmoid(z) with the sign of dz/dh.

    Args:
        outputs: (networks, outputs, examples), logits; becomes sigmoid(h) - y.
        targets: (outputs, examples), 0 or 1.

    Returns:
        The losses, (networks,).
    """
    sign = 1 - 2 * targets
    outputs *= sign
    wrong, _, tail = _sigmoids(outputs)
    losses = (outputs + np.abs(outputs)) / 2 + np.log1p(tail)
    np.multiply(sign, wrong, out=outputs)
    return losses.sum(axis=(1, 2)) / outputs.dtype.type(outputs.shape[2])


def sigmoid_mse(outputs: Array, targets: Array) -> Array:
    """1/2 squared error of sigmoids, summed over outputs, mean over examples.

    Args:
        outputs: (networks, outputs, examples), logits; becomes (s - y) s (1 - s) with s their
            sigmoid.
        targets: (outputs, examples), 0 or 1.

    Returns:
        The losses, (networks,); not finite for an infinite logit, though its sigmoid is.
    """
    sign = 1 - 2 * targets
    outputs *= sign
    wrong, right, _ = _sigmoids(outputs)
    losses = (wrong * wrong + 0 * outputs).sum(axis=(1, 2))
    np.multiply(sign, wrong * wrong * right, out=outputs)
    return np.asarray(losses / outputs.dtype.type(2 * outputs.shape[2]))


def softmax_mse(outputs: Array, targets: Array) -> Array:
    """1/2 squared error of the softmax, summed over classes, mean over examples.

    Args:
        outputs: (networks, classes, examples), logits; becomes p (p - y - sum of p (p - y)) with
            p their softmax.
        targets: (classes, examples), one-hot.

    Returns:
        The losses, (networks,).
    """
    examples = outputs.shape[2]
    likeliest = outputs.argmax(axis=1, keepdims=True)
    outputs -= outputs.max(axis=1, keepdims=True)
    p = np.exp(outputs, out=outputs)
    p /= p.sum(axis=1, keepdims=True)
    errors = p - targets
    losses = (errors * errors).sum(axis=(1, 2)) / outputs.dtype.type(2 * examples)
    # A shift changes nothing but rounding: for p close to one-hot it avoids 1 - 1.
    errors -= np.take_along_axis(errors, likeliest, axis=1)
    errors -= (p * errors).sum(axis=1, keepdims=True)
    outputs *= errors
    return np.asarray(losses)


def _sigmoids(z: Array) -> tuple[Array, Array, Array]:
    """sigmoid(z), sigmoid(-z), each to rounding of itself, and exp(-|z|)."""
    tail = np.exp(-np.abs(z))
    larger = 1 / (1 + tail)
    smaller = tail * larger
    return np.where(z > 0, larger, smaller), np.where(z > 0, smaller, larger), tail


def half_variance(targets: Array) -> float:
    """Half the variance of the targets (outputs, examples), summed over outputs."""
    return float(targets.var(axis=1).sum() / 2)


def entropy(targets: Array) -> float:
    """The entropy of the labels' frequencies, in nats; targets are one-hot."""
    frequencies = targets.mean(axis=1)
    frequencies = frequencies[frequencies > 0]
    # Subtracted from 0, so that a single class has 0 and not -0.
    return 0.0 - float((frequencies * np.log(frequencies)).sum())


def binary_entropy(targets: Array) -> float:
    """The entropy of each output's frequency of 1, in nats, summed over outputs."""
    return sum(entropy(np.stack([row, 1 - row])) for row in targets)


def mse_hessian(outputs: Array, targets: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta of the squared error: the identity."""
    return np.positive


def cross_entropy_hessian(outputs: Array, targets: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta = p * (R h - sum of p * R h), p = softmax(h)."""
    p = np.exp(outputs - outputs.max(axis=0))
    p /= p.sum(axis=0)
    likeliest = p.argmax(axis=0)[None]

    def product(r_h: Array) -> Array:
        # A shift changes nothing but rounding: for p close to one-hot it avoids 1 - 1.
        r_h = r_h - np.take_along_axis(r_h, likeliest, axis=0)
        return p * (r_h - (p * r_h).sum(axis=0))

    return product


def binary_cross_entropy_hessian(outputs: Array, targets: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta = s (1 - s) R h, s = sigmoid(h)."""
    one, other, _ = _sigmoids(outputs)
    slope = one * other
    return lambda r_h: slope * r_h


def sigmoid_mse_hessian(outputs: Array, targets: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta = s (1 - s) (s (1 - s) + (s - y) (1 - 2 s)) R h, s = sigmoid(h).

    With s = sigmoid(z) of the wrong side, as in binary_cross_entropy, s - y is s or -s.
    """
    wrong, right, _ = _sigmoids((1 - 2 * targets) * outputs)
    bend = wrong**2 * right * (2 * right - wrong)
    return lambda r_h: bend * r_h


def softmax_mse_hessian(outputs: Array, targets: Array) -> Callable[[Array], Array]:
    """R h -> examples x R delta = R p (e - p . e) + p (R p - R(p . e)), e = p - y.

    p = softmax(h) and R p = p (R h - p . R h), the dot a sum over classes.
    """
    of_softmax = cross_entropy_hessian(outputs, targets)
    p = np.exp(outputs - outputs.max(axis=0))
    p /= p.sum(axis=0)
    errors = p - targets
    errors -= np.take_along_axis(errors, p.argmax(axis=0)[None], axis=0)
    centered = errors - (p * errors).sum(axis=0)

    def product(r_h: Array) -> Array:
        r_p = of_softmax(r_h)
        return r_p * centered + p * (r_p - (r_p * errors + p * r_p).sum(axis=0))

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
            torch_own="torch's cross_entropy",
            torch_factor=None,
        ),
        Loss(
            "binary_cross_entropy",
            formula=binary_cross_entropy,
            output_hessian=binary_cross_entropy_hessian,
            baseline=binary_entropy,
            of_classes=True,
            one_unit=True,
            bounded_residual=True,
            torch="loss = torch.nn.BCEWithLogitsLoss(reduction='none')(net(inputs), targets)"
            ".sum(1).mean()",
            torch_own="its default reduction, which divides by the outputs",
            torch_factor=1.0,
        ),
        Loss(
            "sigmoid_mse",
            formula=sigmoid_mse,
            output_hessian=sigmoid_mse_hessian,
            baseline=half_variance,
            of_classes=True,
            one_unit=True,
            bounded_residual=True,
            saturates=True,
            torch="loss = (net(inputs).sigmoid() - targets).square().sum(1).mean() / 2",
        ),
        Loss(
            "softmax_mse",
            formula=softmax_mse,
            output_hessian=softmax_mse_hessian,
            baseline=half_variance,
            of_classes=True,
            bounded_residual=True,
            saturates=True,
            torch="loss = (net(inputs).softmax(1) - targets).square().sum(1).mean() / 2",
        ),
    )
}

# For numbers as targets.
REGRESSION_LOSS = next(name for name, loss in LOSSES.items() if not loss.of_classes)
