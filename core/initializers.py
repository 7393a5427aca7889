"""Initial weights of a network: gaussian, uniform, orthogonal, identity, of a given deviation.

`init_scale` multiplies a unit draw, so its meaning depends on the initializer. The standard
deviation of the weights of a layer from fan_in to fan_out units:

- gaussian, uniform: sigma_w / sqrt(fan_in), with sigma_w = init_scale
- orthogonal: init_scale / sqrt(max(fan_in, fan_out)), each singular value init_scale. The
  std times sqrt(fan_in) is init_scale where a layer keeps or narrows its width, and
  init_scale * sqrt(fan_in / fan_out) where it widens
- scaled_identity: init_scale is the k of k*I
- weight_std: init_scale, whatever the fan_in, of gaussian draws

A layer's random numbers depend on (seed, layer, fan_out, fan_in) alone. Networks that
differ only in init scale or learning rate therefore start from the same draw times
their own scale (common random numbers): neighboring cells of a map differ by their
setting, not by luck, and no batch, order or worker can change a bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.hidden_widths import EQUAL

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


def uniform(rng: np.random.Generator, fan_out: int, fan_in: int) -> Matrix:
    """Independent entries, uniform over +-sqrt(3 / fan_in), (fan_out, fan_in).

    Their variance is 1 / fan_in. Times 1 / sqrt(3) they lie between +-1 / sqrt(fan_in), as
    torch.nn.Linear draws them.
    """
    return rng.uniform(-1.0, 1.0, (fan_out, fan_in)) * np.sqrt(3 / fan_in)


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


def standard_gaussian(rng: np.random.Generator, fan_out: int, fan_in: int) -> Matrix:
    """Independent N(0, 1) entries, (fan_out, fan_in): those of gaussian without their share."""
    return rng.standard_normal((fan_out, fan_in))


def same_variance(fan_in: int, fan_out: int) -> float:
    """1, whatever the widths."""
    return 1.0


def orthogonal_variance(fan_in: int, fan_out: int) -> float:
    """1, but fan_in / fan_out for a layer that widens."""
    return min(1.0, fan_in / fan_out)


def unscaled_variance(fan_in: int, fan_out: int) -> float:
    """fan_in."""
    return float(fan_in)


@dataclass(frozen=True)
class Initializer:
    """A distribution of weights.

    Attributes:
        name: Its name in INITIALIZERS.
        draw: A layer's weights at init_scale 1, (fan_out, fan_in), from a generator, fan_out
            and fan_in.
        is_random: Whether a draw is a random matrix, as the theory of wide networks assumes.
        unit_variance: From fan_in and fan_out, Var W times fan_in at init_scale 1. For weights
            that are not random, the value that theory would use.
        torch: The line of PyTorch that draws `layer.weight`, with {0} for the init scale.
    """

    name: str
    _: KW_ONLY
    draw: Callable[[np.random.Generator, int, int], Matrix]
    is_random: bool = True
    unit_variance: Callable[[int, int], float] = same_variance
    torch: str


WEIGHT_STD = "weight_std"

INITIALIZERS = {
    initializer.name: initializer
    for initializer in (
        Initializer(
            "gaussian",
            draw=gaussian,
            torch="torch.nn.init.normal_(layer.weight, 0, {0:.4g} / layer.in_features**0.5)",
        ),
        Initializer(
            "uniform",
            draw=uniform,
            torch="torch.nn.init.uniform_(layer.weight, -1, 1).data.mul_("
            "{0:.4g} * (3 / layer.in_features) ** 0.5)",
        ),
        Initializer(
            "orthogonal",
            draw=orthogonal,
            unit_variance=orthogonal_variance,
            torch="torch.nn.init.orthogonal_(layer.weight, gain={0:.4g})",
        ),
        Initializer(
            "scaled_identity",
            draw=scaled_identity,
            is_random=False,
            torch="torch.nn.init.eye_(layer.weight).data.mul_({0:.4g})",
        ),
        Initializer(
            WEIGHT_STD,
            draw=standard_gaussian,
            unit_variance=unscaled_variance,
            torch="torch.nn.init.normal_(layer.weight, 0, {0:.4g})",
        ),
    )
}


def unit_variance(initializer: str, fan_in: int, fan_out: int) -> float:
    """Var W times fan_in at init_scale 1, by the initializer's name."""
    return INITIALIZERS[initializer].unit_variance(fan_in, fan_out)


def first_layer_factor(initializer: str, feature_count: int, width: int) -> float:
    """What the features' mean square counts, beside a first layer with the hidden ones' sigma_w^2.

    With that much more of it, such a layer would have the same signal.
    """
    of_hidden = unit_variance(initializer, width, width)
    return unit_variance(initializer, feature_count, width) / of_hidden


def weight_variance(initializer: str, init_scale: float, width: int) -> float:
    """sigma_w^2 of the layers between equally wide ones: Var W times fan_in."""
    return init_scale**2 * unit_variance(initializer, width, width)


def has_one_sigma(initializer: str, hidden_widths: str) -> bool:
    """Whether all layers between hidden ones have the sigma_w of `weight_variance`.

    Args:
        initializer: A name in INITIALIZERS.
        hidden_widths: A setting of core.trials.
    """
    return hidden_widths == EQUAL or INITIALIZERS[initializer].unit_variance is same_variance


# Well-known gains as values of init_scale, with 12 digits like the values of an axis' range. A gain
# is a constant where its formula has only the fan-in. Xavier's std is
# sqrt(2 / (fan_in + fan_out)): sigma_w = sqrt(2 fan_in / (fan_in + fan_out)), which is 1 for
# the square layers between equally wide ones, and taken as 1 for the first and last, too.
NAMED_SCALES = {
    "he": 1.41421356237,  # sqrt(2): He et al. (2015), arXiv:1502.01852
    "kaiming": 1.41421356237,  # the same, by its author's first name
    "lecun": 1.0,  # std 1 / sqrt(fan_in): LeCun et al. (1998), "Efficient BackProp"
    "xavier": 1.0,  # Glorot and Bengio (2010), "Understanding the difficulty of training ..."
    "glorot": 1.0,  # the same, by its author's last name
    # torch.nn.Linear draws from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), whose std has 1 / sqrt(3).
    "pytorch": 0.57735026919,
}


def named_scale(written: str) -> float | None:
    """The init scale by one of NAMED_SCALES, in any case; None for another name."""
    return NAMED_SCALES.get(written.strip().lower())


@lru_cache(maxsize=1)  # neighboring trials differ in their scales or learning rate
def unit_draw(
    initializer: str, widths: tuple[int, ...], seed: int
) -> tuple[tuple[Matrix, Matrix], ...]:
    """Each layer's weights and biases before any scale: (fan_out, fan_in) and (fan_out,)."""
    layers = []
    for layer, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        shape = (layer, fan_out, fan_in)
        rng = generator(seed, *shape, Stream.WEIGHTS)
        weights = INITIALIZERS[initializer].draw(rng, fan_out, fan_in)
        layers.append((weights, generator(seed, *shape, Stream.BIASES).standard_normal(fan_out)))
    return tuple(layers)


def initial_params(
    initializer: str,
    widths: tuple[int, ...],
    seed: int,
    init_scale: float,
    bias_scale: float,
    factors: Sequence[float] | None = None,
) -> list[Matrix]:
    """Weights and biases of a network before training.

    Args:
        initializer: A name in INITIALIZERS.
        widths: (features, hidden ..., outputs).
        seed: Of the draw.
        init_scale: Multiplies the unit draw.
        bias_scale: sigma_b: standard deviation of the biases.
        factors: What each layer's init scale is multiplied by; None for 1.

    Returns:
        One array per layer, (fan_out, fan_in + 1); the last column is the bias.
    """
    draw = unit_draw(initializer, widths, seed)
    scales = init_scale * np.asarray([1.0] * len(draw) if factors is None else factors)
    return [
        np.column_stack([w * scale, b * bias_scale])
        for (w, b), scale in zip(draw, scales.tolist(), strict=True)
    ]
