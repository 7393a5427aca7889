"""Minibatches: the examples of a step, gathered where the passes look for them."""

from typing import NamedTuple

import numpy as np

from core.compilation import compiled


class Examples(NamedTuple):
    """The examples of a step.

    Attributes:
        inputs: (features, examples).
        inputs_t: (examples, features), the same.
        targets: (outputs, examples).
    """

    inputs: np.ndarray
    inputs_t: np.ndarray
    targets: np.ndarray


@compiled
def gather(places, given, batch):
    """Copy the examples at some places."""
    for j in range(len(places)):
        place = places[j]
        for i in range(given.inputs_t.shape[1]):
            batch.inputs_t[j, i] = given.inputs_t[place, i]
            batch.inputs[i, j] = given.inputs_t[place, i]
        for i in range(given.targets.shape[0]):
            batch.targets[i, j] = given.targets[i, place]
