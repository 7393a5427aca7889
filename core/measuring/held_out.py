"""Trained networks on examples that they were not trained on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets import Task
from core.gradient_descent import Problem
from core.losses import LOSSES, named_classes
from core.network import forward

Array = NDArray[Any]

# Of one network's layers at once: the examples go through it in parts of that size.
PART_BYTES = 32_000_000


def held_out_errors(params: Sequence[Array], problem: Problem, held_out: Task) -> dict[str, float]:
    """One network's columns of `runs` about held-out examples, in float64.

    Both are NaN where the loss is not finite.

    Args:
        params: One array a layer, (fan_out, fan_in + 1), last column the bias.
        problem: What it was trained on.
        held_out: The examples, laid out as the problem's are.
    """
    outputs, loss_of = _outputs(params, problem, held_out), LOSSES[problem.loss]
    accuracy = accuracy_of(outputs, held_out)
    with np.errstate(all="ignore"):
        (loss,) = loss_of(outputs[None], loss_of.encoded(held_out.targets))
    return {"test_loss": loss, "test_accuracy": accuracy if np.isfinite(loss) else np.nan}


def accuracy_of(outputs: Array, task: Task) -> float:
    """The fraction of the task's examples classified right; NaN where there are no classes.

    Args:
        outputs: A network's, (outputs, examples).
        task: Whose examples they are.
    """
    return np.nan if task.labels is None else float((named_classes(outputs) == task.labels).mean())


def _outputs(params: Sequence[Array], problem: Problem, held_out: Task) -> Array:
    wide, hidden = [p.astype(np.float64) for p in params], problem.hidden
    units = sum(len(p) for p in params)
    size = max(1, PART_BYTES // (16 * units))  # a pre-activation and an activation each
    parts = [held_out.inputs[:-1, at : at + size] for at in range(0, held_out.examples, size)]
    with np.errstate(all="ignore"):
        # The training examples' means are what a batch normalization has learned.
        trained = None if problem.is_plain else forward(wide, problem.inputs[:-1], hidden)[0]
        found = [forward(wide, part, hidden, trained)[0][-1] for part in parts]
    return np.concatenate(found, axis=1)
