"""How each layer's initial weights and learning rate depend on the width.

With m = width / base_width, a network of width base_width trains as in the standard
parameterization; each factor below is a power of m. An optimizer that divides by the size
of the gradient, as Adam does, has exponents of its own.

Maximal update: Yang et al. (2021), Tensor Programs V, arXiv:2203.03466, table 3: as the width
grows every layer's activations change by as much in a step, so that a learning rate that suits
one width suits all. Neural tangent: Jacot et al. (2018), arXiv:1806.07572: weights are
W = w / sqrt(fan_in), and the steps are those of w.
"""

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

    def of_init(self, width: int, depth: int) -> Floats:
        """Of each layer's initial weights, (depth,)."""
        return self._each(PARAMETERIZATIONS[self.parameterization].init, width, depth)

    def of_rates(self, width: int, depth: int, adaptive: bool) -> tuple[Floats, Floats]:
        """Of the learning rates of weights and of biases, (depth,) each."""
        known = PARAMETERIZATIONS[self.parameterization]
        exponents = (known.rate, known.bias_rate)
        if adaptive:
            exponents = (known.adaptive_rate, known.adaptive_bias_rate)
        weights, biases = (self._each(each, width, depth) for each in exponents)
        return weights, biases

    def _each(self, exponents: Exponents, width: int, depth: int) -> Floats:
        if depth == 1:  # no layer's size goes with the width
            return np.array([self.first * self.last])
        first, hidden, last = (float((width / self.base_width) ** each) for each in exponents)
        return np.array([first * self.first, *[hidden] * (depth - 2), last * self.last])
