"""Initial weights of a network: gaussian, orthogonal, scaled identity.

A layer's random numbers depend on (seed, layer, fan_out, fan_in) alone. Networks that
differ only in init scale or learning rate therefore start from the same draw times
their own scale (common random numbers): neighboring cells of a map differ by their
setting, not by luck, and no batch, order or worker can change a bit.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Stream(IntEnum):
    """What a generator is for; part of its seed."""

    WEIGHTS = 0
    BIASES = 1


def generator(
    seed: int, layer: int, fan_out: int, fan_in: int, stream: Stream
) -> np.random.Generator:
    """The random numbers of one layer of one network (Philox, counter-based)."""
    entropy = np.random.SeedSequence([seed, layer, fan_out, fan_in, stream])
    return np.random.Generator(np.random.Philox(entropy))


def gaussian(rng: np.random.Generator, fan_out: int, fan_in: int) -> Matrix:
    """Independent N(0, 1 / fan_in) entries, (fan_out, fan_in)."""
    return rng.standard_normal((fan_out, fan_in)) / np.sqrt(fan_in)


def orthogonal(rng: np.random.Generator, fan_out: int, fan_in: int) -> Matrix:
    """Haar-random with every singular value 1, (fan_out, fan_in).

    Where the layer widens, its columns are orthonormal; where it narrows, its rows.
    Mezzadri (2007), arXiv:math-ph/0609050: QR, with the signs of R's diagonal moved
    into Q so that the distribution is uniform.
    """
    tall = rng.standard_normal((max(fan_out, fan_in), min(fan_out, fan_in)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))
    return q if fan_out >= fan_in else q.T


def scaled_identity(rng: np.random.Generator, fan_out: int, fan_in: int) -> Matrix:
    """The identity, cut or padded with zeros to (fan_out, fan_in)."""
    return np.eye(fan_out, fan_in)


INITIALIZERS: dict[str, Callable[[np.random.Generator, int, int], Matrix]] = {
    "gaussian": gaussian,
    "orthogonal": orthogonal,
    "scaled_identity": scaled_identity,
}


@lru_cache(maxsize=1)  # a sweep's neighbors differ in their scales or their learning rate
def unit_draw(
    initializer: str, widths: tuple[int, ...], seed: int
) -> tuple[tuple[Matrix, Matrix], ...]:
    """Each layer's weights and biases before any scale: (fan_out, fan_in) and (fan_out,)."""
    layers = []
    for layer, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        shape = (layer, fan_out, fan_in)
        weights = INITIALIZERS[initializer](
            generator(seed, *shape, Stream.WEIGHTS), fan_out, fan_in
        )
        layers.append((weights, generator(seed, *shape, Stream.BIASES).standard_normal(fan_out)))
    return tuple(layers)


def initial_params(
    initializer: str, widths: tuple[int, ...], seed: int, init_scale: float, bias_scale: float
) -> list[Matrix]:
    """Weights and biases of a network before training.

    Args:
        initializer: A name in INITIALIZERS.
        widths: (features, hidden ..., outputs).
        seed: Of the draw.
        init_scale: sigma_w: multiplies the unit draw.
        bias_scale: sigma_b: standard deviation of the biases.

    Returns:
        One array per layer, (fan_out, fan_in + 1); the last column is the bias.
    """
    draw = unit_draw(initializer, widths, seed)
    return [np.column_stack([w * init_scale, b * bias_scale]) for w, b in draw]
