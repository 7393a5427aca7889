"""The init scales that suit an activation and a depth: from theory, with what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from analysis.advising.measured_starts import share_sentence
from core.functions.activations import ACTIVATIONS
from core.theory.mean_field import critical_weight_variance, mean_field

# Networks train to about four depth scales: the shipped sweep trainable_depth, tanh, 200 steps,
# fits 4.0 with a standard error of 10%. With more steps it is more: six in Schoenholz et al.
# (2017), arXiv:1611.01232, fig. 5.
TRAINABLE_SCALES = 4
SCALES = np.geomspace(0.05, 20, 600)
MOST_BIAS_VARIANCE = 100.0
# At the least bias variance that opens a critical line its fixed point is unstable on one side.
BIAS_MARGIN = 1.15
# Shallower networks get the start for so many layers: their band has no definite upper end.
DEEP = 20
# Up to this depth over width, networks scatter little about the theory.
WIDE = 1 / 4


@dataclass(frozen=True)
class InitAdvice:
    """What the infinite-width theory says about an activation at a depth.

    Attributes:
        activation, depth, width: Of the network; width None where it is not known.
        bias_scale: sigma_b, which goes with every scale here: 0, but for activations that
            only biases make critical.
        critical: The init scale at which gradients neither vanish nor explode; None if none.
        lowest, highest: The init scales between which signals pass all layers; None if none.
        start: The init scale to start from: for linear, ReLU and leaky ReLU the critical one,
            for the others the middle between it and the highest; where none is critical, the
            middle of those that pass. None if none does.
    """

    activation: str
    depth: int
    width: int | None
    bias_scale: float
    critical: float | None
    lowest: float | None
    highest: float | None
    start: float | None


@lru_cache(maxsize=256)
def init_advice(activation: str, depth: int, width: int | None = None) -> InitAdvice:
    """The init scale and bias scale that suit an activation and a depth.

    Signals pass where the depth is at most TRAINABLE_SCALES times both xi_correlation, over
    which inputs become alike, and xi_gradient, over which gradients vanish or explode.

    Raises:
        ValueError: The activation is unknown.
    """
    bias_variance = critical_bias_variance(activation) or 0.0
    variance = critical_weight_variance(activation, bias_variance)
    critical = None if variance is None else sqrt(variance)
    passing = _passing(activation, bias_variance, depth, critical)
    return InitAdvice(
        activation=activation,
        depth=depth,
        width=width,
        bias_scale=sqrt(bias_variance),
        critical=critical,
        lowest=min(passing, default=None),
        highest=max(passing, default=None),
        start=_start(activation, bias_variance, depth, critical),
    )


def _start(
    activation: str, bias_variance: float, depth: int, critical: float | None
) -> float | None:
    """The init scale that InitAdvice advises to start from.

    A little above the critical scale signals do not die out. This was measured as in
    analysis.advising.measured_starts. Of 24 runs at depth 30, so many trained from the middle of
    the band and from the critical scale: tanh 12 and 7, erf 12 and 6, ELU 12 and 6, SELU 15 and 2,
    GELU 8 and 0, SiLU 3 and 1; but linear 10 and 13, ReLU 0 and 0, leaky ReLU 2 and 1, whose
    signals grow in every layer.
    """
    if critical is not None and ACTIVATIONS[activation].homogeneous:
        return critical
    if critical is None:
        passing = _passing(activation, bias_variance, depth, critical)
        return sqrt(min(passing) * max(passing)) if passing else None
    return sqrt(critical * max(_passing(activation, bias_variance, max(depth, DEEP), critical)))


@lru_cache(maxsize=64)
def critical_bias_variance(activation: str) -> float | None:
    """A sigma_b^2 for which a critical sigma_w^2 exists: 0 if possible, else just above the least.

    Returns:
        None where there is none up to MOST_BIAS_VARIANCE.

    Raises:
        ValueError: The activation is unknown.
    """
    if critical_weight_variance(activation, 0.0) is not None:
        return 0.0
    without, opening = 0.0, MOST_BIAS_VARIANCE
    if critical_weight_variance(activation, opening) is None:
        return None
    while opening - without > 1e-3 * opening:
        middle = (without + opening) / 2
        if critical_weight_variance(activation, middle) is None:
            without = middle
        else:
            opening = middle
    return BIAS_MARGIN * opening


def _passing(
    activation: str, bias_variance: float, depth: int, critical: float | None
) -> list[float]:
    """The init scales that pass signals and gradients through all layers."""
    scales = [*SCALES.tolist(), *([] if critical is None else [critical])]
    return [scale for scale in scales if _passes(activation, scale**2, bias_variance, depth)]


def _passes(activation: str, weight_variance: float, bias_variance: float, depth: int) -> bool:
    theory = mean_field(activation, weight_variance, bias_variance)
    scales = [xi for xi in (theory.xi_correlation, theory.xi_gradient) if xi is not None]
    return all(TRAINABLE_SCALES * abs(xi) >= depth for xi in scales)


def init_lines(advice: InitAdvice) -> Iterator[str]:
    """The advice in sentences: where to start, what range still works, and how sure that is."""
    if advice.start is None:
        yield (
            f"No init scale passes a signal through {advice.depth} layers; "
            "choose another activation."
        )
        return
    biases = f" and bias_scale {advice.bias_scale:.4g}" if advice.bias_scale else ""
    yield f"Start from init_scale {advice.start:.4g}{biases}. {_why(advice)}"
    if advice.lowest is not None:
        yield (
            f"Init scales from {advice.lowest:.4g} to {advice.highest:.4g} pass signals and "
            f"gradients through {advice.depth} layers: no more than {TRAINABLE_SCALES} of theory's "
            "depth scales, which is how deep the shipped sweep trainable_depth trained tanh in "
            "200 steps."
        )
    yield share_sentence(advice.activation, advice.depth)
    yield _how_sure(advice)


def _why(advice: InitAdvice) -> str:
    if advice.critical is None:
        return (
            "It is the middle of those that pass; none is critical, with or without biases: "
            "gradients never keep their size exactly."
        )
    only = "; without biases there is no such scale" if advice.bias_scale else ""
    if advice.critical == advice.start:
        return f"It is critical: gradients neither vanish nor explode{only}."
    return (
        f"At {advice.critical:.4g} gradients neither vanish nor explode{only}. The start lies "
        "between there and the largest that passes: most activations trained more often there."
    )


def _how_sure(advice: InitAdvice) -> str:
    if advice.width is None:
        return "How sure: exact for infinite width; give --width to hear how far off yours may be."
    if advice.depth > advice.width * WIDE:
        return (
            f"How sure: not very. {advice.depth} layers of {advice.width} units scatter from draw "
            "to draw (depth / width above 1/4), so try several seeds."
        )
    return f"How sure: well. {advice.width} units are wide for {advice.depth} layers."
