"""The derivatives of one network's outputs: in the parameters, and in the inputs.

The tangent kernel is the Gram matrix of the outputs' gradients in the parameters,

    Theta[(o, x), (o', x')] = d h_o(x) / d(parameters) . d h_o'(x') / d(parameters)
                            = sum over l of (delta_l^o(x) . delta_l^o'(x')) (a(x) . a(x') + 1)

with delta_l^o(x) = d h_o(x) / d h_l(x), a the layer's inputs a_(l-1), and the 1 of the biases, if
they are parameters. Jacot et al. (2018), arXiv:1806.07572, eq. 4. It has a row for each output of
each example, and each parameter counts alike: no factor of a layer's learning rate enters.
Theta / examples has the nonzero eigenvalues that the Hessian of the squared error has where all
residuals are 0.

The input-output Jacobian of an example is d h(x) / dx, (outputs, features): Pennington et al.
(2017), arXiv:1711.04735. Its inputs are those that the network is given, scaled.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.gradient_descent import Problem
from core.network import deltas_down, forward, slopes, weighted_back
from core.trials import LARGEST_KERNEL

Array = NDArray[np.floating]

COLUMNS = (
    "ntk_diagonal",
    "ntk_largest",
    "ntk_smallest",
    "jacobian_mean_square",
    "jacobian_largest",
)


def output_derivatives(params: Sequence[Array], problem: Problem) -> dict[str, float]:
    """One network's COLUMNS of `runs`, as core.results describes them, in float64.

    Not finite where the network exploded. NaN with batch normalization, where an example's outputs
    depend on the others' signals; so are the kernel's eigenvalues beyond LARGEST_KERNEL rows.

    Args:
        params: One array per layer, (fan_out, fan_in + 1), last column the bias.
        problem: The examples and the hidden layers.
    """
    if problem.normalization == "batch":
        return dict.fromkeys(COLUMNS, np.nan)
    wide = [p.astype(np.float64) for p in params]
    outputs, examples = problem.targets.shape
    size = max(1, LARGEST_KERNEL // outputs)
    with np.errstate(all="ignore"):  # that an exploded network has no such numbers is a result
        parts = [_Part(wide, problem, at, at + size) for at in range(0, examples, size)]
    diagonal = sum(part.diagonal for part in parts) / (outputs * examples)
    values = np.concatenate([part.singular_values() for part in parts])
    smallest, largest = parts[0].ends()
    with np.errstate(all="ignore"):
        square, top = np.square(values).mean(), values.max(axis=1).mean()
    return dict(zip(COLUMNS, map(float, (diagonal, largest, smallest, square, top)), strict=True))


class _Part:
    """The derivatives at some of the examples.

    Attributes:
        diagonal: The sum of the kernel's diagonal.
        kernel: Theta, (outputs, outputs, examples, examples); None where these are not all
            examples.
        jacobians: (examples, outputs, features).
    """

    def __init__(self, params: Sequence[Array], problem: Problem, begin: int, end: int):
        inputs = problem.inputs[:-1, begin:end].astype(np.float64)
        outputs, examples = len(params[-1]), inputs.shape[1]
        whole = examples == problem.inputs.shape[1]
        self.diagonal = 0.0
        self.kernel = np.zeros((outputs, outputs, examples, examples)) if whole else None
        for deltas, given in _layers(params, inputs, problem):
            bias = float(problem.biases)
            squares = np.square(given).sum(axis=0) + bias
            self.diagonal += float((np.square(deltas).sum(axis=1) * squares).sum())
            if self.kernel is not None:
                products = given.T @ given + bias
                for rows, delta in zip(self.kernel, deltas, strict=True):
                    rows += delta.T @ deltas * products
        self.jacobians = np.moveaxis(weighted_back(params[0], deltas), -1, 0)

    def ends(self) -> tuple[float, float]:
        """The kernel's smallest and largest eigenvalue; one within rounding of 0 is 0.

        NaN where it is not finite, or was not formed.
        """
        if self.kernel is None or not np.isfinite(self.kernel).all():
            return np.nan, np.nan
        outputs, _, examples, _ = self.kernel.shape
        size = outputs * examples
        values = np.linalg.eigvalsh(self.kernel.swapaxes(1, 2).reshape(size, size))
        noise = size * np.finfo(np.float64).eps * values[-1]
        return (values[0] if values[0] > noise else 0.0), values[-1]

    def singular_values(self) -> Array:
        """Of each example's Jacobian, (examples, the smaller of outputs and features)."""
        if not np.isfinite(self.jacobians).all():
            return np.full((len(self.jacobians), min(self.jacobians.shape[1:])), np.nan)
        return np.asarray(np.linalg.svd(self.jacobians, compute_uv=False))


def _layers(
    params: Sequence[Array], inputs: Array, problem: Problem
) -> Iterator[tuple[Array, Array]]:
    """From the last layer to the first: delta_l^o(x), (outputs, units, examples), and a_(l-1)."""
    hs, activations = forward(params, inputs, problem.hidden)
    outputs, examples = hs[-1].shape
    each = np.eye(outputs)[:, :, None] * np.ones(examples)
    return zip(
        deltas_down(params, each, slopes(hs, problem.hidden)), activations[::-1], strict=True
    )
