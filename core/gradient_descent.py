"""The inputs of full-batch gradient descent, and its records.

The descent itself is compiled, in core.descent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import ACTIVATIONS
from core.hidden_layers import NO_NORMALIZATION, NORMALIZATIONS, HiddenLayers

Array = NDArray[np.floating]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CURVE_POINTS = 24

# The version of what trains, which decides the last bits, and that of rows that name none.
TRAINER = "2"
FIRST_TRAINER = "1"


@dataclass(frozen=True)
class Problem:
    """The problem on which networks are trained, and the function of their hidden layers.

    Attributes:
        inputs: (features + 1, examples); the last row is ones.
        targets: (outputs, examples).
        activation: A name in ACTIVATIONS.
        loss: A name in LOSSES.
        baseline: The best constant predictor's loss.
        factor: f of the branches beside residual connections; None without them.
        normalization: A name in NORMALIZATIONS, or NO_NORMALIZATION.
    """

    inputs: Array
    targets: Array
    activation: str
    loss: str
    baseline: float
    factor: float | None = None
    normalization: str = NO_NORMALIZATION

    @property
    def hidden(self) -> HiddenLayers:
        """The function of the hidden layers."""
        normalization = NORMALIZATIONS.get(self.normalization)
        return HiddenLayers(ACTIVATIONS[self.activation], self.factor, normalization)

    @property
    def is_plain(self) -> bool:
        """Whether the hidden layers are activations alone."""
        return self.factor is None and self.normalization == NO_NORMALIZATION


@dataclass(frozen=True)
class Descent:
    """The records of gradient descent on one network.

    Attributes:
        losses: (steps_run + 1,), losses[t] after t steps.
        logged_steps: (points,), log-spaced, from 0 to the last step that was taken.
        gradient_norms: (points,), norm of dLoss/d(all parameters); NaN where it diverged.
        params: The parameters at the end, one (fan_out, fan_in + 1) a layer; None where the
            network was decided to have diverged or overflowed.
        outputs: The outputs there, (outputs, examples); None likewise.
    """

    losses: Floats
    logged_steps: Ints
    gradient_norms: Floats
    params: list[Array] | None
    outputs: Array | None

    @property
    def steps_run(self) -> int:
        """Steps taken."""
        return len(self.losses) - 1


def logged_steps(steps: int) -> Ints:
    """Log-spaced steps from 0 to `steps` at which curves keep a point."""
    spaced = np.geomspace(1, max(steps, 1), CURVE_POINTS).round().astype(np.int64)
    return np.unique(np.concatenate([[0], spaced[spaced <= steps], [steps]]))
