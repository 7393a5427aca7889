"""How signals run forward and gradients backward through each layer, measured.

In a deep network both grow or shrink by a factor per layer, far beyond what a float64 can
hold. So every array here is a mantissa with one binary exponent per network: a layer that
leaves the safe range is multiplied by a power of two, which changes no digit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.functions.activations import Activation
from core.gradient_descent import Problem
from core.hidden_layers import HiddenLayers, Slope, skips
from core.losses import LOSSES
from core.network import gradient, pre_activation, weighted_back
from core.outcomes import THRESHOLDS

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

LOG10_2 = np.log10(2.0)
# A mantissa's root mean square stays within 2^+-64, so its squares cannot over- or underflow.
SAFE_EXPONENT = 64
# Beyond 2^+-400 every activation equals its asymptote to rounding, which is homogeneous or
# constant, and a constant one never grows that large. So phi may be evaluated at the bound and
# scaled.
ASYMPTOTIC_EXPONENT = 400
# Numbers measured at once: with fewer a call of NumPy costs more than the work, with more they
# leave the cache.
BUFFER_BYTES = 8_000_000


@dataclass(frozen=True)
class LayerSignals:
    """The signals of each layer, (networks, L) arrays; NaN where there is no such number.

    A hidden layer's numbers describe h_l, what it makes of it, a_l, and delta_l; the last layer
    makes nothing of it. Logarithms are of base 10, -inf where a norm is 0.

    Attributes:
        log10_mean_square_h: Mean over units and examples of h_l^2.
        log10_mean_square_a: Likewise of a_l^2.
        correlation: Cosine of the h_l of two examples, the mean over pairs of examples.
        mean_slope: Mean |phi'(h_l)|.
        saturated_fraction: Share of units and examples whose slope is below a tenth of
            phi'(0); for activations that saturate.
        dead_fraction: Share of units that pass no gradient for any example; for
            activations that do not saturate. Beside a residual connection every unit passes it.
        log10_delta_norm: Root mean square over examples of |examples x dLoss/dh_l|.
        log10_gradient_norm: |dLoss/dW_l|, the biases left out.
        log10_bias_gradient_norm: |dLoss/db_l|.
        log10_example_gradient_norm: Root mean square over examples of the norm that
            examples x dLoss/dW_l has for one of them: |delta_l| |a_(l-1)|.
    """

    log10_mean_square_h: Floats
    log10_mean_square_a: Floats
    correlation: Floats
    mean_slope: Floats
    saturated_fraction: Floats
    dead_fraction: Floats
    log10_delta_norm: Floats
    log10_gradient_norm: Floats
    log10_bias_gradient_norm: Floats
    log10_example_gradient_norm: Floats

    @property
    def depth(self) -> int:
        """The number of layers, L."""
        return self.log10_gradient_norm.shape[1]

    @property
    def last_hidden(self) -> int:
        """The index of the last hidden layer, or of the only layer."""
        return max(self.depth - 2, 0)


def signal_propagation(params: list[NDArray[Any]], problem: Problem) -> LayerSignals:
    """Measure every layer of a stack of networks, in float64.

    A network's numbers are the same bits, whichever networks it is measured with.

    Args:
        params: One array per layer, (networks, fan_out, fan_in + 1), last column the bias.
        problem: The data, the activation and the loss.
    """
    networks, examples = len(params[0]), problem.inputs.shape[1]
    bytes_each = 16 * examples * sum(p.shape[1] for p in params)
    size = max(1, BUFFER_BYTES // bytes_each)
    with np.errstate(all="ignore"):  # A network that overflowed has no numbers: a result.
        parts = [
            _measured([p[start : start + size].astype(np.float64) for p in params], problem)
            for start in range(0, networks, size)
        ]
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return LayerSignals(*(np.concatenate(column) for column in columns))


def interior_growths(growths: Floats, factor: float | None) -> Floats:
    """The growths of |delta|^2 over which chi is a mean, of those between neighboring layers.

    The first quarter of the layers is left out, where the variance still approaches its
    fixed point, and so is the pair with the outputs, unless it is the only one. The factor that
    the delta of branches has, and that of the first layer has not, is divided out.

    Args:
        growths: |delta_l|^2 / |delta_(l+1)|^2, (..., L - 1).
        factor: f of the branches; None without residual connections.
    """
    depth = growths.shape[-1] + 1
    first = depth // 4
    if first == 0 and factor is not None and skips(1, depth):
        growths = growths * np.where(np.arange(depth - 1) == 0, factor**2, 1.0)
    return growths[..., first : max(depth - 2, first + 1)]


def chi_measured(signals: LayerSignals, factor: float | None = None) -> tuple[Floats, Floats]:
    """Each network's chi, and its standard error, from the interior layers.

        chi = mean over l of |delta_(l-1)|^2 / |delta_l|^2

    Ratios are averaged, not their logarithms: with Gaussian weights the expected ratio is the
    layer's chi_l at any width.

    Args:
        signals: The networks'.
        factor: As of `interior_growths`, which says what is left out.

    Returns:
        Both (networks,). NaN without a hidden layer or with a dead one; the error is NaN where
        there is only one ratio.
    """
    with np.errstate(all="ignore"):  # a dead layer's norm is 10^-inf
        ratios = 10.0 ** (-2 * np.diff(signals.log10_delta_norm, axis=1))
        within = interior_growths(ratios, factor)
        chi, error = np.full((2, len(within)), np.nan)
        count = within.shape[1]
        if count:
            chi = within.mean(axis=1)
        if count > 1:
            error = within.std(axis=1, ddof=1) / np.sqrt(count)
    alive = np.isfinite(within).all(axis=1)
    return np.where(alive, chi, np.nan), np.where(alive, error, np.nan)


def _measured(params: list[Floats], problem: Problem) -> LayerSignals:
    passes = _ScaledPasses(params, problem)
    passes.forward(problem.hidden)
    passes.backward(*passes.residuals(problem))
    return LayerSignals(**passes.columns)


class _ScaledPasses:
    """The forward and backward pass of a small stack, its arrays as mantissa and exponent.

    Attributes:
        columns: The fields of LayerSignals, filled layer by layer.
    """

    def __init__(self, params: list[Floats], problem: Problem):
        self._params = params
        self._networks, self._examples = len(params[0]), problem.inputs.shape[1]
        inputs = problem.inputs[:-1].astype(np.float64)
        self._activations: list[Floats] = [np.broadcast_to(inputs, (self._networks, *inputs.shape))]
        self._exponents = [np.zeros(self._networks, dtype=np.int64)]
        self._slopes: list[Slope] = []
        self._inverse_exponents: dict[int, Ints] = {}  # of a normalization's 1 / sqrt(variance)
        shape = (self._networks, len(params))
        self.columns = {name: np.full(shape, np.nan) for name in LayerSignals.__annotations__}

    def forward(self, hidden: HiddenLayers) -> None:
        """Fill the forward columns; keeps a_l and the slopes of hidden layers, and h_L."""
        for layer, p in enumerate(self._params):
            h, exponent = self._pre_activations(p)
            self.columns["log10_mean_square_h"][:, layer] = _log10_mean_square(h, exponent)
            self.columns["correlation"][:, layer] = _pair_correlation(h)
            if layer == len(self._params) - 1:
                self._outputs, self._output_exponent = h, exponent
                return
            bounded = np.clip(exponent, -ASYMPTOTIC_EXPONENT, ASYMPTOTIC_EXPONENT)
            h, rest = _scaled(h, bounded), exponent - bounded
            slope = hidden.slope(h, hidden.factor_of(layer, len(self._params)))
            self._describe_slopes(slope, layer, hidden.activation)
            if slope.normalized is not None:
                # A power of two above the bound is gone from u; below it EPSILON outweighs h.
                h, above = slope.normalized.values, np.maximum(rest, 0)
                rest = rest - above
                self._inverse_exponents[layer] = -above
            a = hidden.activation.value(h.copy())
            if slope.factor is not None:
                given = self._activations[-1], self._exponents[-1]
                a, rest = _sum(given, (slope.factor * a, rest))
            self.columns["log10_mean_square_a"][:, layer] = _log10_mean_square(a, rest)
            self._slopes.append(slope)
            self._activations.append(a)
            self._exponents.append(rest)

    def _pre_activations(self, p: Floats) -> tuple[Floats, Ints]:
        exponent = self._exponents[-1]
        if exponent.any():
            p = np.concatenate([p[:, :, :-1], _scaled(p[:, :, -1:], -exponent)], axis=2)
        return _rescaled(pre_activation(p, self._activations[-1]), exponent)

    def _describe_slopes(self, slope: Slope, layer: int, activation: Activation) -> None:
        size = np.abs(slope.values)
        self.columns["mean_slope"][:, layer] = size.mean(axis=(1, 2))
        if activation.saturates:
            bound = THRESHOLDS.saturated_unit * activation.derivative(np.zeros(1))[0]
            self.columns["saturated_fraction"][:, layer] = (size < bound).mean(axis=(1, 2))
        else:
            dead = (size.max(axis=2) < THRESHOLDS.dead_unit) & (slope.factor is None)
            self.columns["dead_fraction"][:, layer] = dead.mean(axis=1)

    def residuals(self, problem: Problem) -> tuple[Floats, Ints]:
        """examples x dLoss/dh_L, which is bounded for some losses and grows with h for others."""
        exponent = self._output_exponent
        if not LOSSES[problem.loss].bounded_residual:
            kept = np.maximum(exponent, 0) if problem.targets.any() else exponent
            targets = np.broadcast_to(problem.targets, self._outputs.shape)
            outputs, targets = _scaled(self._outputs, exponent - kept), _scaled(targets, -kept)
        else:
            kept, targets = np.zeros_like(exponent), problem.targets
            outputs = _scaled(self._outputs, np.minimum(exponent, ASYMPTOTIC_EXPONENT))
        LOSSES[problem.loss](outputs, targets)
        return outputs, kept

    def backward(self, delta: Floats, exponent: Ints) -> None:
        """Fill the backward columns from delta = examples x dLoss/dh_L."""
        carried: tuple[Floats, Ints] | None = None
        for layer in range(len(self._params) - 1, -1, -1):
            delta, exponent = _rescaled(delta, exponent)
            squares = _log10(np.square(delta).sum(axis=(1, 2)) / self._examples, 2 * exponent)
            self.columns["log10_delta_norm"][:, layer] = squares / 2
            self._describe_gradients(delta, exponent, layer)
            if layer:
                above, slope = weighted_back(self._params[layer], delta), self._slopes[layer - 1]
                if carried is not None:
                    above, exponent = _sum((above, exponent), carried)
                carried = None if slope.factor is None else (above, exponent)
                delta = slope.delta(above)
                exponent = exponent + self._inverse_exponents.get(layer - 1, 0)

    def _describe_gradients(self, delta: Floats, exponent: Ints, layer: int) -> None:
        below, both = self._activations[layer], exponent + self._exponents[layer]
        both_gradients = gradient(delta, below)
        of_weights, bias = both_gradients[:, :, :-1], both_gradients[:, :, -1]
        norm = np.sqrt(np.square(of_weights).sum(axis=(1, 2))) / self._examples
        bias_norm = np.sqrt(np.square(bias).sum(axis=1)) / self._examples
        squares = np.square(delta).sum(axis=1) * np.square(below).sum(axis=1)
        self.columns["log10_gradient_norm"][:, layer] = _log10(norm, both)
        self.columns["log10_bias_gradient_norm"][:, layer] = _log10(bias_norm, exponent)
        self.columns["log10_example_gradient_norm"][:, layer] = (
            _log10(squares.mean(axis=1), 2 * both) / 2
        )


def _rescaled(mantissa: Floats, exponent: Ints) -> tuple[Floats, Ints]:
    """The same numbers with a mantissa in the safe range; zeros get the exponent 0."""
    largest = np.abs(mantissa).max(axis=(1, 2))
    shift = np.frexp(largest)[1].astype(np.int64)
    shift[np.abs(shift) <= SAFE_EXPONENT] = 0
    shift[~np.isfinite(largest)] = 0
    exponent = np.where(largest == 0, 0, exponent + shift)
    return _scaled(mantissa, -shift), exponent


def _sum(one: tuple[Floats, Ints], other: tuple[Floats, Ints]) -> tuple[Floats, Ints]:
    """The sum of two arrays, rescaled; the smaller may vanish beside the larger."""
    exponents = [np.where(m.any(axis=(1, 2)), e, np.iinfo(np.int64).min) for m, e in (one, other)]
    larger = np.maximum(*exponents)
    larger = np.where(larger == np.iinfo(np.int64).min, 0, larger)  # zeros have any exponent
    parts = [_scaled(mantissa, exponent - larger) for mantissa, exponent in (one, other)]
    return _rescaled(parts[0] + parts[1], larger)


def _scaled(mantissa: Floats, shift: Ints) -> Floats:
    """The mantissa times 2^shift, network by network."""
    if not shift.any():
        return mantissa
    # ldexp takes C integers; beyond the bound every number is 0 or inf anyway.
    bounded = np.clip(shift, -5000, 5000).astype(np.int32)[:, None, None]
    return np.asarray(np.ldexp(mantissa, bounded))


def _log10_mean_square(mantissa: Floats, exponent: Ints) -> Floats:
    return _log10(np.square(mantissa).mean(axis=(1, 2)), 2 * exponent)


def _log10(mantissa: Floats, exponent: Ints) -> Floats:
    return np.asarray(np.log10(mantissa) + exponent * LOG10_2)


def _pair_correlation(h: Floats) -> Floats:
    """Mean cosine of examples (0, 1), (2, 3) ...: (networks,); NaN where every h is 0."""
    pairs = h.shape[2] // 2
    first, second = h[:, :, 0 : 2 * pairs : 2], h[:, :, 1 : 2 * pairs : 2]
    products = (first * second).sum(axis=1)
    norms = np.sqrt(np.square(first).sum(axis=1) * np.square(second).sum(axis=1))
    alive = norms > 0
    cosines = np.where(alive, products / np.where(alive, norms, 1), 0)
    return np.asarray(cosines.sum(axis=1) / alive.sum(axis=1))
