"""The order in which the steps of a training take the examples."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# Apart from the draws of the initial weights, which have the same seed.
ORDER_KEY = 0x0DE5


class Orders:
    """The examples of each step in turn: passes over all, each in an order of its own.

    A batch that one pass leaves incomplete is filled from the next one, so that after any
    number of steps every example was taken as often as any other, or once more.
    """

    def __init__(self, seed: int, examples: int, batch: int):
        sequence = np.random.SeedSequence([ORDER_KEY, seed])
        self._random = np.random.Generator(np.random.Philox(sequence))
        self._examples, self._batch = examples, batch
        self._left = np.empty(0, np.int64)

    def next(self, steps: int) -> Ints:
        """The places of the examples of the next steps, (steps, batch)."""
        asked = steps * self._batch
        stream = np.concatenate([self._left, self._passes(asked - len(self._left))])
        self._left = stream[asked:]
        return stream[:asked].reshape(steps, self._batch)

    def _passes(self, asked: int) -> Ints:
        """As many whole passes as so many examples take, one after the other."""
        passes = max(0, -(-asked // self._examples))
        in_order = np.tile(np.arange(self._examples), (passes, 1))
        return self._random.permuted(in_order, axis=1).ravel()
