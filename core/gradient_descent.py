"""The inputs of a descent, and its records.

The descent itself is compiled, in core.descent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import ACTIVATIONS
from core.hidden_layers import NO_NORMALIZATION, NORMALIZATIONS, HiddenLayers
from core.outcomes import THRESHOLDS

Array = NDArray[np.floating]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CURVE_POINTS = 24
# The last losses that descent in batches finds: the tail, and as many before it.
LAST_POINTS = 2 * THRESHOLDS.tail_losses

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
        biases: Whether biases are parameters; else they are 0 and stay so.
    """

    inputs: Array
    targets: Array
    activation: str
    loss: str
    baseline: float
    factor: float | None = None
    normalization: str = NO_NORMALIZATION
    biases: bool = True

    @property
    def hidden(self) -> HiddenLayers:
        """The function of the hidden layers."""
        normalization = NORMALIZATIONS.get(self.normalization)
        return HiddenLayers(ACTIVATIONS[self.activation], self.factor, normalization)

    @property
    def is_plain(self) -> bool:
        """Whether the hidden layers are activations alone."""
        return self.factor is None and self.normalization == NO_NORMALIZATION


@dataclass(frozen=True, kw_only=True)
class Update:
    """The rule by which a step changes the parameters: settings of core.trials.

    Attributes:
        optimizer: A name in OPTIMIZERS.
        momentum, beta2, epsilon: Of those optimizers that have them.
        weight_decay: Times each weight is added to its gradient; nothing to a bias'.
        clip_norm: The largest norm of the whole gradient; 0 for any.
        schedule: A name in SCHEDULES.
        warmup_steps, decay_steps, decay_factor: Of those schedules that have them.
        batch_size: Examples of a step's gradient; 0 for all.
        parameterization, base_width: Of core.optimization.parameterizations.
        learning_rate_first, learning_rate_last: What the rates of the first and of the last layer
            are multiplied by.
        order_seed: Of the order in which batches take the examples.
    """

    optimizer: str = "gd"
    momentum: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: str = "constant"
    warmup_steps: int = 10
    decay_steps: int = 30
    decay_factor: float = 0.1
    batch_size: int = 0
    parameterization: str = "standard"
    base_width: int = 32
    learning_rate_first: float = 1.0
    learning_rate_last: float = 1.0
    order_seed: int = 0


@dataclass(frozen=True)
class Descent:
    """The records of a descent of one network.

    Attributes:
        losses: (points,), of all examples, after `loss_steps` steps.
        loss_steps: (points,), increasing, the last one that of the last step taken: every step
            from 0 on, or with smaller batches the logged ones and the last ones.
        logged_steps: (points,), log-spaced, from 0 to the last step that was taken.
        gradient_norms: (points,), norm of dLoss/d(all parameters); NaN where it diverged.
        params: The parameters at the end, one (fan_out, fan_in + 1) a layer; None where the
            network was decided to have diverged or overflowed.
        outputs: The outputs there, (outputs, examples); None likewise.
        preconditioner: P of the last steps, eta P^-1 times the gradient or a running sum or mean
            of gradients, shaped like `params`; None where it is 1 for all, and likewise.
    """

    losses: Floats
    loss_steps: Ints
    logged_steps: Ints
    gradient_norms: Floats
    params: list[Array] | None
    outputs: Array | None
    preconditioner: list[Array] | None = None

    @property
    def steps_run(self) -> int:
        """Steps taken."""
        return int(self.loss_steps[-1])


def logged_steps(steps: int) -> Ints:
    """Log-spaced steps from 0 to `steps` at which curves keep a point."""
    spaced = np.geomspace(1, max(steps, 1), CURVE_POINTS).round().astype(np.int64)
    return np.unique(np.concatenate([[0], spaced[spaced <= steps], [steps]]))


def measured_steps(steps: int) -> Ints:
    """The steps at which descent in batches finds the loss of all examples.

    They are the logged ones and LAST_POINTS at the end, which say how a training ended.
    """
    last = np.arange(max(0, steps - LAST_POINTS), steps + 1)
    return np.union1d(logged_steps(steps), last)
