"""Two backward steps on the same networks, each held against finite differences.

The trainer multiplies by the slope, delta_(l-1) = (W_l^T delta_l) * phi'(h_(l-1)). The claim
that it should be the value, * a_(l-1), is tried out here and nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.theory.redrawn import params_of, task_of
from core.datasets import Task
from core.functions.activations import ACTIVATIONS, Activation
from core.hidden_layers import HiddenLayers, Slope
from core.losses import LOSSES
from core.network import backward as network_backward
from core.network import forward, gradient
from core.trials import TRIAL_FIELDS

Array = NDArray[np.floating]

# Of each layer's weights; the loss is differentiated along them.
DIRECTIONS = 8
# Large against the loss's rounding, small against its curvature and the distance to kinks.
STEP = 1e-5

FACTORS: dict[str, Callable[[Activation, Array, Array], Array]] = {
    "slope": lambda phi, h, a: phi.derivative(h.copy()),
    "value": lambda phi, h, a: a,
}


@dataclass(frozen=True)
class Net:
    """A network, its data and its loss.

    Attributes:
        params: One array per layer, (fan_out, fan_in + 1) or a stack of such.
        phi: Its activation.
        loss: A name in LOSSES.
        task: What it would be trained on.
    """

    params: Sequence[Array]
    phi: Activation
    loss: str
    task: Task


def backward_steps(runs: pd.DataFrame) -> pd.DataFrame:
    """Try both backward steps on each run's initial network.

    Args:
        runs: The settings, and whatever else is to be kept beside them.

    Returns:
        A row for each run and `factor`, "slope" or "value": the run's columns,

        - `gradient_error`: the relative error of the gradient that this step gives, compared with
          finite differences of the loss, in the layer where it is largest
        - `growth_per_layer`: of |delta|^2 under this step, over the layers of chi_measured
    """
    rows = []
    for _, run in runs.iterrows():
        settings = {name: run[name] for name in TRIAL_FIELDS if name in run}
        phi = ACTIVATIONS[settings["activation"]]
        net = Net(params_of(settings), phi, settings["loss"], task_of(settings))
        directions = _directions(net.params)
        measured = slopes_along(net, directions)
        for factor in FACTORS:
            deltas, gradients = backward(net, factor)
            found = [
                (d * gradient).sum(axis=(1, 2))
                for d, gradient in zip(directions, gradients, strict=True)
            ]
            errors = [_relative_error(f, m) for f, m in zip(found, measured, strict=True)]
            rows.append(
                {
                    **run,
                    "factor": factor,
                    "gradient_error": max(errors),
                    "growth_per_layer": _growth_per_layer(deltas),
                }
            )
    return pd.DataFrame(rows)


def backward(net: Net, factor: str) -> tuple[list[Array], list[Array]]:
    """The deltas and gradients of every layer, by the backward step of this factor.

    Returns:
        examples x dLoss/dh_l, (fan_out, examples), and dLoss/d(params), if the step is right.
    """
    pre_activations, activations = forward(net.params, net.task.inputs[:-1], HiddenLayers(net.phi))
    delta = pre_activations[-1][None].copy()
    LOSSES[net.loss](delta, net.task.targets)
    hidden = zip(pre_activations[:-1], activations[1:], strict=True)
    factors = [Slope(FACTORS[factor](net.phi, h, a)) for h, a in hidden]
    deltas = network_backward(net.params, delta[0], factors)
    pairs = zip(deltas, activations, strict=True)
    return deltas, [gradient(*pair) / net.task.examples for pair in pairs]


def slopes_along(net: Net, directions: Sequence[Array]) -> list[Array]:
    """Central differences of the loss along each direction of each layer, (directions,) each.

    Args:
        net: Where to differentiate.
        directions: A layer each, (directions, fan_out, fan_in + 1).
    """
    slopes: list[Array] = []
    for layer, along in enumerate(directions):
        above, below = (_losses(net, layer, sign * STEP * along) for sign in (1, -1))
        slopes.append((above - below) / (2 * STEP))
    return slopes


def _losses(net: Net, layer: int, shifts: Array) -> Array:
    params = [p[None] for p in net.params]
    params[layer] = params[layer] + shifts
    outputs = forward(params, net.task.inputs[:-1], HiddenLayers(net.phi))[0][-1]
    return LOSSES[net.loss](
        np.array(np.broadcast_to(outputs, (len(shifts), *outputs.shape[1:]))), net.task.targets
    )


def _directions(params: Sequence[Array]) -> list[Array]:
    """Random unit vectors in each layer's parameters, the same for every network."""
    rng = np.random.Generator(np.random.Philox(DIRECTIONS))
    drawn = [rng.standard_normal((DIRECTIONS, *p.shape)) for p in params]
    return [d / np.sqrt(np.square(d).sum(axis=(1, 2), keepdims=True)) for d in drawn]


def _relative_error(found: Array, measured: Array) -> float:
    return float(np.linalg.norm(found - measured) / np.linalg.norm(measured))


def _growth_per_layer(deltas: Sequence[Array]) -> float:
    """The growth as signal_propagation's chi_measured: without the first quarter and last layer."""
    squares = np.array([np.square(delta).sum() for delta in deltas])
    ratios, depth = squares[:-1] / squares[1:], len(deltas)
    return float(ratios[depth // 4 : max(depth - 2, depth // 4 + 1)].mean())
