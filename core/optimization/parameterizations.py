"""How each layer's initial weights and learning rate depend on the width.

With m = width / base_width, a network of width base_width trains as in the standard
parameterization; each factor below is a power of m. An optimizer that divides by the size
of the gradient, as Adam does, has exponents of its own.

Maximal update: Yang et al. (2021), Tensor Programs V, arXiv:2203.03466, table 3: as the width
grows every layer's activations change by as much in a step, so that a learning rate that suits
one width suits all. Neural tangent: Jacot et al. (2018), arXiv:1806.07572: weights are
W = w / sqrt(fan_in), and the steps are those of w.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of the first, the hidden and the last layer.
Exponents = tuple[float, float, float]
NONE: Exponents = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Parameterization:
    """Exponents of m, for the first layer, those between, and the last one.

    Attributes:
        name: As a sweep file has it.
        init: Of the initial weights' standard deviation.
        rate, bias_rate: Of the learning rate, of weights and of biases.
        adaptive_rate, adaptive_bias_rate: Likewise with an adaptive optimizer.
    """

    name: str
    init: Exponents = NONE
    rate: Exponents = NONE
    bias_rate: Exponents = NONE
    adaptive_rate: Exponents = NONE
    adaptive_bias_rate: Exponents = NONE


PARAMETERIZATIONS = {
    each.name: each
    for each in (
        Parameterization(name="standard"),
        Parameterization(name="ntk", rate=(0, -1, -1), adaptive_rate=(0, -0.5, -0.5)),
        Parameterization(
            name="mup",
            init=(0, 0, -0.5),
            rate=(1, 0, -1),
            bias_rate=(1, 1, 0),
            adaptive_rate=(0, -1, -1),
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class LayerFactors:
    """Factors of the first layer, those between, and the last one.

    Attributes:
        parameterization: A name in PARAMETERIZATIONS.
        base_width: Where it does not differ from the standard one.
        first, last: What the first and the last layer's are also multiplied by.
    """

    parameterization: str = "standard"
    base_width: int = 32
    first: float = 1.0
    last: float = 1.0

    def of_init(self, widths: Sequence[int]) -> Floats:
        """Of each layer's initial weights, (depth,), of a network (features, hidden ..., outputs).

        The m of weights is that of the layer's fan-in, of the first layer's that of its fan-out.
        """
        init = PARAMETERIZATIONS[self.parameterization].init
        return self._each(init, _of_weights(widths))

    def of_rates(self, widths: Sequence[int], adaptive: bool) -> tuple[Floats, Floats]:
        """Of the learning rates of weights and of biases, (depth,) each.

        The m of weights is as of `of_init`, that of biases is their layer's.
        """
        known = PARAMETERIZATIONS[self.parameterization]
        rate, bias_rate = known.rate, known.bias_rate
        if adaptive:
            rate, bias_rate = known.adaptive_rate, known.adaptive_bias_rate
        return self._each(rate, _of_weights(widths)), self._each(bias_rate, widths[1:])

    def _each(self, exponents: Exponents, sizes: Sequence[int]) -> Floats:
        """Each layer's factor, by the size that its m goes with."""
        depth = len(sizes)
        if depth == 1:  # no layer's size goes with the width
            return np.array([self.first * self.last])
        first, hidden, last = exponents
        each = [first, *[hidden] * (depth - 2), last]
        pairs = zip(sizes, each, strict=True)
        found = np.array([(size / self.base_width) ** exponent for size, exponent in pairs])
        found[0] *= self.first
        found[-1] *= self.last
        return found


def _of_weights(widths: Sequence[int]) -> Sequence[int]:
    """The size that each layer's weights go with: never that of the features or the outputs."""
    return widths[1:2] if len(widths) == 2 else (widths[1], *widths[1:-1])
