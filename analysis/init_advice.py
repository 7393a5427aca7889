"""The init scales that infinite width advises for an activation and a depth."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from core.mean_field import critical_weight_variance, mean_field

# Networks train to about six depth scales: Schoenholz et al. (2017), arXiv:1611.01232, fig. 5.
TRAINABLE_SCALES = 6
SCALES = np.geomspace(0.05, 20, 600)


@dataclass(frozen=True)
class InitAdvice:
    """What infinite width says of an activation at a depth, without biases.

    Attributes:
        critical: The init scale at which gradients neither vanish nor explode; None if none.
        lowest, highest: The init scales between which signals pass all layers; None if none.
    """

    critical: float | None
    lowest: float | None
    highest: float | None

    @property
    def start(self) -> float | None:
        """The init scale to start from: the critical one, else the middle of those that pass."""
        if self.critical is not None or self.lowest is None or self.highest is None:
            return self.critical
        return sqrt(self.lowest * self.highest)


def init_advice(activation: str, depth: int) -> InitAdvice:
    """The init scales that suit an activation and a depth, without biases.

    Signals pass where the depth is at most TRAINABLE_SCALES times both xi_correlation, over
    which inputs become alike, and xi_gradient, over which gradients vanish or explode.

    Raises:
        ValueError: The activation is unknown.
    """
    variance = critical_weight_variance(activation, 0.0)
    critical = None if variance is None else sqrt(variance)
    around = SCALES if critical is None else np.append(SCALES, critical)
    passing = [scale for scale in around if _passes(activation, float(scale), depth)]
    if not passing:
        return InitAdvice(critical, None, None)
    return InitAdvice(critical, float(min(passing)), float(max(passing)))


def _passes(activation: str, init_scale: float, depth: int) -> bool:
    theory = mean_field(activation, init_scale**2, 0.0)
    scales = [xi for xi in (theory.xi_correlation, theory.xi_gradient) if xi is not None]
    return all(TRAINABLE_SCALES * abs(xi) >= depth for xi in scales)
