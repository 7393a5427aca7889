"""The memory of one network's training: parameters, gradients, activations, deltas."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.descent.batches import Examples
from core.descent.passes import keeps_slopes
from core.descent.steps import Parameters, Parts
from core.gradient_descent import Problem

Array = NDArray[np.floating]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALIGNMENT = 64  # bytes: a cache line, and the longest vector


class Shape(NamedTuple):
    """Sizes of a network and its data, and how its hidden layers are connected.

    Attributes:
        depth: Weight matrices.
        widest: Units of the widest hidden layer; 0 without one.
        examples: Their number.
        residual: 1 where hidden layers are branches beside residual connections; else 0.
        normalized: 1 where hidden layers are normalized; else 0.
    """

    depth: int
    widest: int
    examples: int
    residual: int
    normalized: int


def shape_of(widths: Sequence[int], problem: Problem) -> Shape:
    """The shape of networks that are trained on a problem.

    Args:
        widths: (features, hidden ..., outputs).
        problem: The data and the function of the hidden layers.
    """
    sizes = len(widths) - 1, max(widths[1:-1], default=0), problem.inputs.shape[1]
    hidden = problem.factor is not None, problem.hidden.normalization is not None
    return Shape(*sizes, *map(int, hidden))


class Places(NamedTuple):
    """The addresses of all arrays.

    Weights of all layers follow each other, and so do the biases, their gradients, and of all
    hidden layers the values phi(h), what the layer hands on, `hidden`, and the slopes. Without
    residual connections values and `hidden` are the same. `delta` and `other` take turns; with
    residual connections one is dLoss/da, the other dLoss/dh. A normalization has, of all hidden
    layers, what it made of h, `normalized`, and its statistics, `inverse`; then the activation's
    biases are `zeros`.

    Three arrays are of int64: `units` has the features, the units of each hidden layer, and the
    outputs; `units_below` and `weights_below` have for each layer how many units, and weights, all
    layers below have, features left out.
    """

    units: int
    units_below: int
    weights_below: int
    weights: int
    biases: int
    gradients: int
    bias_gradients: int
    inputs: int
    inputs_t: int
    targets: int
    values: int
    hidden: int
    slopes: int
    factor: int
    normalized: int
    inverse: int
    zeros: int
    delta: int
    other: int
    outputs: int
    residuals: int
    scratch: int


class Memory:
    """The arrays in which networks of one shape are trained, one after the other.

    Attributes:
        weights, biases: (parameters,) of all layers, one after the other.
        gradients, bias_gradients: Of the same shape.
        outputs: (outputs, examples).
        examples: What the networks are trained on.
        places: Addresses of these and all other arrays.
    """

    def __init__(self, widths: Sequence[int], shape: Shape, problem: Problem, dtype: np.dtype[Any]):
        """Allocate the arrays for networks (features, hidden ..., outputs) on this problem."""
        inputs, targets, examples = problem.inputs[:-1], problem.targets, shape.examples
        self._fans = list(zip(widths[1:], widths[:-1], strict=True))
        weights, biases = sum(a * b for a, b in self._fans), sum(widths[1:])
        layer, hidden = (shape.widest, examples), (sum(widths[1:-1]), examples)
        sizes: dict[str, int | tuple[int, ...]] = {
            "weights": weights,
            "biases": biases,
            "gradients": weights,
            "bias_gradients": biases,
            "inputs": inputs.shape,
            "inputs_t": inputs.T.shape,
            "targets": targets.shape,
            "values": hidden,
            "factor": 1,
            "delta": layer,
            "other": layer,
            "outputs": targets.shape,
            "residuals": targets.shape,
            "scratch": (2, examples),
        }
        if keeps_slopes(problem.activation):
            sizes["slopes"] = hidden
        if shape.residual:
            sizes["hidden"] = hidden
        if shape.normalized:
            sizes["normalized"], sizes["zeros"] = hidden, shape.widest
            sizes["inverse"] = (shape.depth - 1, max(shape.widest, examples))
        arrays = {name: aligned(size, dtype) for name, size in sizes.items()}
        arrays["inputs"][...], arrays["inputs_t"][...] = inputs, inputs.T
        arrays["targets"][...] = targets
        arrays["factor"][...] = 0.0 if problem.factor is None else problem.factor
        for name in ("slopes", "hidden", "normalized", "inverse", "zeros"):
            arrays.setdefault(name, arrays["values"])  # where they are not used, or are the same
        if shape.normalized:
            arrays["zeros"][...] = 0.0
        self._arrays, self._dtype = {**arrays, **_sizes_of_layers(widths)}, dtype
        self.examples = Examples(*(arrays[name] for name in Examples._fields))
        self.weights, self.biases = arrays["weights"], arrays["biases"]
        self.gradients, self.bias_gradients = arrays["gradients"], arrays["bias_gradients"]
        self.outputs = arrays["outputs"]
        self._batches: dict[int, Examples] = {}
        self._moments: list[Array] = []
        self.places = Places(**{name: array.ctypes.data for name, array in self._arrays.items()})

    def of_batch(self, size: int) -> tuple[Places, Examples]:
        """The same memory, but with room for a batch of the examples in the place of all."""
        if size not in self._batches:
            features, outputs = len(self.examples.inputs), len(self.outputs)
            shapes = (features, size), (size, features), (outputs, size)
            batch = Examples(*(aligned(shape, self._dtype) for shape in shapes))
            self._batches[size] = batch
        batch = self._batches[size]
        own = {name: array.ctypes.data for name, array in batch._asdict().items()}
        return self.places._replace(**own), batch

    def parameters(self, moments: int) -> Parameters:
        """The parameters and gradients, with `moments` running sums or means of them, all 0."""
        while len(self._moments) < 2 * moments:
            self._moments += [np.empty_like(self.weights), np.empty_like(self.biases)]
        kept = self._moments[: 2 * moments]
        for each in kept:
            each[...] = 0
        none = [np.empty(0, self._dtype)] * (4 - len(kept))
        held = (self.weights, self.biases, self.gradients, self.bias_gradients)
        return Parameters(*held, *kept, *none)

    def parts(self, rates: Floats, bias_rates: Floats) -> Parts:
        """The layers' parts of the parameters, by what each takes of the rate, (depth,) each."""
        ends = np.cumsum([fan_out * fan_in for fan_out, fan_in in self._fans])
        bias_ends = np.cumsum([fan_out for fan_out, _ in self._fans])
        # Layers that are alike are one part: a loop over few numbers costs as much as over many.
        pairs = np.column_stack([rates, bias_rates])
        last = np.append((pairs[1:] != pairs[:-1]).any(axis=1), True)
        return Parts(ends[last], bias_ends[last], rates[last], bias_rates[last])

    def load(self, params: Sequence[Array]) -> None:
        """Copy a network's parameters into the memory, one (fan_out, fan_in + 1) per layer."""
        np.concatenate([p[:, :-1].ravel() for p in params], out=self.weights, casting="same_kind")
        np.concatenate([p[:, -1] for p in params], out=self.biases, casting="same_kind")

    def params(self) -> list[Array]:
        """A copy of the network's parameters in the same shapes."""
        return self.by_layer(self.weights, self.biases)

    def by_layer(self, weights: Array, biases: Array) -> list[Array]:
        """A copy of numbers of all weights and biases, one (fan_out, fan_in + 1) per layer."""
        layers, weight, bias = [], 0, 0
        for fan_out, fan_in in self._fans:
            p = np.empty((fan_out, fan_in + 1), weights.dtype)
            p[:, :-1] = weights[weight : weight + fan_out * fan_in].reshape(fan_out, fan_in)
            p[:, -1] = biases[bias : bias + fan_out]
            layers.append(p)
            weight, bias = weight + fan_out * fan_in, bias + fan_out
        return layers


def _sizes_of_layers(widths: Sequence[int]) -> dict[str, Ints]:
    """The arrays of Places that say where each layer's numbers lie."""
    units = np.array(widths, np.int64)
    of_layers = {"units_below": units[1:], "weights_below": units[1:] * units[:-1]}
    below = {name: np.cumsum(each) - each for name, each in of_layers.items()}
    return {"units": units, **below}


def aligned(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An empty array that begins at a multiple of ALIGNMENT."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
