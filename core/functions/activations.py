"""The facts about each activation, and its functions of arrays: name -> Activation.

The formulas are in core.functions.activation_formulas, under the same names. They are imported and
compiled when an array is first given to one, so that looking up a name costs nothing.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from types import FunctionType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Elementwise(Protocol):
    """A function of each element; `out` may be the argument itself."""

    def __call__(self, x: Array, /, out: Array | None = None) -> Array:
        """Apply the function to each element.

        Args:
            x: Any shape.
            out: Where to write, of the same shape.
        """


@dataclass(frozen=True)
class Activation:
    """phi, phi' and phi'' as functions of the pre-activation h, with the facts about phi.

    The functions keep float32 and float64. They take NaN to NaN and give the limits at
    infinity; at a kink phi' is the derivative from the left.

    Attributes:
        name: Its name in ACTIVATIONS and in core.functions.activation_formulas.
        cost: Time of an element in a training step, bias, phi and phi' together, of tanh's.
        kinks: Where phi' or phi'' jumps: a quadrature must not integrate across them.
        homogeneous: Whether phi(k h) = k phi(h) for every k > 0.
        odd: Whether phi(-h) = -phi(h).
        straight_from: From this |h| on phi is a straight line to rounding, with
            `asymptotic_slopes`. Infinite for an activation such as softsign, which approaches its
            line only as a power of h. Before that, phi bends on a scale of 1 up to |h| = 40,
            and on the scale of h itself beyond: core.theory.quadrature resolves exactly
            that, and core.theory.variance_limits relies on it.
        torch: The layer of PyTorch that computes it.
    """

    name: str
    _: KW_ONLY
    cost: float
    kinks: tuple[float, ...] = ()
    homogeneous: bool = False
    odd: bool = False
    straight_from: float = 40.0
    torch: str

    @cached_property
    def value(self) -> Elementwise:
        """phi."""
        return _array_function(f"{self.name}_value", _value, self._formula)

    @cached_property
    def derivative(self) -> Elementwise:
        """phi'."""
        return _array_function(f"{self.name}_derivative", _derivative, self._formula)

    @cached_property
    def second_derivative(self) -> Elementwise:
        """phi''."""
        return _array_function(f"{self.name}_second", _second_derivative, self._formula)

    @cached_property
    def slope_from_output(self) -> Elementwise | None:
        """phi' as a function of phi(h), where that determines it: h need not be kept."""
        from core.functions.activation_formulas import SLOPES_FROM_VALUES

        if self.name not in SLOPES_FROM_VALUES:
            return None
        formula = SLOPES_FROM_VALUES[self.name]
        return _array_function(f"{self.name}_slope", _slope_from_output, formula)

    @cached_property
    def asymptotic_slopes(self) -> tuple[float, float]:
        """The limits of phi' at -infinity and at infinity."""
        below, above = self.derivative(np.array([-np.inf, np.inf]))
        return float(below), float(above)

    @property
    def is_linear(self) -> bool:
        """Whether a network with this activation is a linear model."""
        return self.homogeneous and not self.kinks

    @property
    def saturates(self) -> bool:
        """Whether phi' vanishes at both ends."""
        return self.asymptotic_slopes == (0, 0)

    @property
    def _formula(self) -> Any:
        from core.functions.activation_formulas import FORMULAS

        return FORMULAS[self.name]


def _array_function(name: str, template: Callable[[Any], Any], formula: Any) -> Elementwise:
    """A ufunc that applies `template` to each element, with `formula` in it.

    Numba stores compiled code under the function's name. `formula` is a global of the function:
    as a variable of an enclosing function it would differ from process to process, and the
    stored code would not be found.
    """
    from numba import vectorize

    scope = {"__name__": __name__, "formula": formula}
    function = FunctionType(template.__code__, scope, name)
    function.__qualname__ = name
    # Without signatures, the type of the first call would be used for all.
    ufunc = vectorize(["float32(float32)", "float64(float64)"], cache=True)(function)

    def of_array(x: Array, /, out: Array | None = None) -> Array:
        # Branches that are not selected may overflow, and NaN may be compared.
        with np.errstate(all="ignore"):
            return ufunc(x, out=out)

    return of_array


def _value(h: Any) -> Any:
    return formula(h)[0]  # type: ignore[name-defined]  # noqa: F821 - in _array_function's scope


def _derivative(h: Any) -> Any:
    return formula(h)[1]  # type: ignore[name-defined]  # noqa: F821


def _second_derivative(h: Any) -> Any:
    return formula(h)[2]  # type: ignore[name-defined]  # noqa: F821


def _slope_from_output(a: Any) -> Any:
    return formula(a)  # type: ignore[name-defined]  # noqa: F821


# Costs are from `make bench`, tests/benchmarks/bench_profile.py and bench_activations.py.
ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("linear", cost=0.3, homogeneous=True, odd=True, torch="torch.nn.Identity()"),
        Activation("sigmoid", cost=1.2, torch="torch.nn.Sigmoid()"),
        Activation("tanh", cost=1.0, odd=True, torch="torch.nn.Tanh()"),
        Activation("erf", cost=1.7, odd=True, torch="Erf()"),
        Activation("relu", cost=0.3, kinks=(0.0,), homogeneous=True, torch="torch.nn.ReLU()"),
        Activation(
            "leaky_relu", cost=0.3, kinks=(0.0,), homogeneous=True, torch="torch.nn.LeakyReLU()"
        ),
        Activation("elu", cost=0.7, kinks=(0.0,), torch="torch.nn.ELU()"),
        Activation("selu", cost=0.7, kinks=(0.0,), torch="torch.nn.SELU()"),
        Activation("gelu", cost=2.5, torch="torch.nn.GELU()"),
        Activation("silu", cost=1.5, torch="torch.nn.SiLU()"),
        Activation("softplus", cost=1.5, torch="torch.nn.Softplus()"),
    )
}

# Other names that people know, spelled as canonical_activation reads them.
SYNONYMS = {"swish": "silu", "identity": "linear", "logistic": "sigmoid"}


def canonical_activation(written: str) -> str:
    """The name in ACTIVATIONS of the activation that is meant, as `silu` for `Swish`.

    Case, spaces, hyphens and underscores do not matter, so `ReLU` and `LeakyReLU` are known
    too, and SYNONYMS are. An unknown name comes back as it is.
    """
    read = _letters(written)
    names = {_letters(name): name for name in ACTIVATIONS} | SYNONYMS
    return names.get(read, written)


def _letters(name: str) -> str:
    return name.lower().replace(" ", "").replace("-", "").replace("_", "")
