"""The settings of a training of a fully connected network: each is described here, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.datasets import SCALINGS, DatasetInfo
from core.dtypes import DTYPES
from core.functions.activations import ACTIVATIONS, canonical_activation
from core.hidden_layers import (
    NO_NORMALIZATION,
    NO_RESIDUAL,
    NORMALIZATIONS,
    RESIDUAL_NAMES,
    residual_text,
)
from core.initializers import INITIALIZERS, NAMED_SCALES, named_scale
from core.losses import LOSSES, REGRESSION_LOSS
from core.settings import defaults, setting, settings_of, trial_from


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A measurement's cost, in training steps of float64.

    Attributes:
        at_start: Of a start, which learning rates share.
        at_end: After the last step.
        at_logged_step: At each logged step.
        if_not_plain: Times as much where hidden layers are not activations alone.
    """

    at_start: int = 0
    at_end: int = 0
    at_logged_step: int = 0
    if_not_plain: int = 1


# What a sweep may measure beside the losses. signal: each layer's forward and backward norms.
# sharpness: the Hessian's extreme eigenvalues at step 0, by some 75 products of three steps
# each, or by complex steps of thrice that; sharpness_curve: the largest one at every logged step
# too. ntk: the tangent kernel of
# each example with itself at step 0, by a backward pass for each output.
MEASUREMENTS = {
    "signal": Measurement(at_start=6, at_end=6),
    "sharpness": Measurement(at_start=250, if_not_plain=3),
    "sharpness_curve": Measurement(at_logged_step=250, if_not_plain=3),
    "ntk": Measurement(at_start=10),
}


@dataclass(frozen=True, kw_only=True)
class Stop:
    """What may end a training before its last step, besides an overflow or a divergence.

    Attributes:
        once_trained: Whether it ends once it has trained beyond doubt.
    """

    once_trained: bool


STOPS = {"full": Stop(once_trained=False), "decided": Stop(once_trained=True)}


def _too_many(examples: int, data: DatasetInfo) -> str | None:
    if data.examples is None or examples <= data.examples:
        return None
    return (
        f"has {data.examples:,} examples, got {examples:,}; set examples: {data.examples} or "
        "fewer, or examples: all"
    )


def _without_classes(loss: str, data: DatasetInfo) -> str | None:
    if data.classes is not None or not LOSSES[loss].of_classes:
        return None
    return f"has numbers as targets, no classes, got {loss}; set loss: {REGRESSION_LOSS}"


def _without_scale(targets: str, data: DatasetInfo) -> str | None:
    if data.classes is None or targets == SETTINGS["targets"].written:
        return None
    return (
        f"has classes as targets, which are one-hot and have no scale, got {targets}; leave out "
        "targets"
    )


# The bounds keep float32 arithmetic meaningful and one training within a machine.
SCALE: dict[str, Any] = {"least": 0, "most": 1e5, "smallest": 1e-12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One setting of everything that decides a training's numbers."""

    dataset: str = setting(
        "data set name; for a user's file its name and content hash",
        "name",
        elsewhere=("data", "data_set"),
        of_task=True,
        of_cost=True,
    )
    examples: int = setting(
        "training examples, the full batch",
        "examples",
        elsewhere=("n_examples", "n_samples", "num_examples", "num_samples", "points", "samples"),
        objection=_too_many,
        of_task=True,
        of_cost=True,
    )
    features: str = setting(
        "feature scaling",
        "name",
        written="standardized",
        choices=tuple(SCALINGS),
        elsewhere=(
            "normalize",
            "normalize_inputs",
            "preprocessing",
            "scaling",
            "standardize",
        ),
        of_task=True,
    )
    depth: int = setting(
        "weight matrices, the output layer included (L)",
        "layers",
        remedy="weight matrices, as in depth: [2, 8, 32]",
        least=1,
        most=10**5,
        elsewhere=("layers", "hidden_layers", "n_layers", "num_layers", "number_of_layers"),
        of_cost=True,
    )
    width: int = setting(
        "units in each hidden layer (N)",
        "units",
        remedy="hidden units, as in width: 32",
        written=32,
        least=1,
        most=10**5,
        elsewhere=(
            "hidden",
            "hidden_dim",
            "hidden_size",
            "hidden_units",
            "n_hidden",
            "neurons",
            "units",
        ),
        of_cost=True,
    )
    activation: str = setting(
        "activation phi of the hidden layers, outputs being linear",
        "name",
        choices=tuple(ACTIVATIONS),
        meant=canonical_activation,
        elsewhere=(
            "act",
            "activation_function",
            "activation_fn",
            "nonlinearity",
            "non_linearity",
        ),
        of_cost=True,
    )
    initializer: str = setting(
        "weight distribution",
        "name",
        written="gaussian",
        choices=tuple(INITIALIZERS),
        elsewhere=(
            "init",
            "initialisation",
            "initialization",
            "kernel_initializer",
            "weight_init",
        ),
    )
    init_scale: float = setting(
        "multiplies a unit draw. gaussian: sigma_w, weight std times sqrt(fan_in); orthogonal: "
        "every singular value; scaled_identity: the k of k*I",
        remedy="sigma_w, as in init_scale: {geomspace: [0.25, 4, 16]}, or a name: "
        + ", ".join(NAMED_SCALES),
        written=1.0,
        **SCALE,
        meant=named_scale,
        words=tuple(NAMED_SCALES),
        elsewhere=("gain", "init_std", "sigma", "sigma_w", "std", "weight_scale", "weight_std"),
        differs_within="batch",
    )
    bias_scale: float = setting(
        "sigma_b: bias standard deviation",
        remedy="sigma_b, as in bias_scale: 0.1",
        written=0.0,
        **SCALE,
        elsewhere=("bias_std", "sigma_b"),
        differs_within="batch",
    )
    learning_rate: float = setting(
        "gradient-descent step size (eta)",
        remedy="as in learning_rate: {geomspace: [1.0e-4, 10, 16]}; "
        "for an untrained baseline set steps: 0",
        least=1e-12,
        most=1e12,
        elsewhere=("alpha", "eta", "learning_rates", "lr", "rate", "step_size"),
        differs_within="start",
    )
    loss: str = setting(
        "loss, the mean over examples; mse is half of the squared error, summed over outputs",
        "name",
        written="cross_entropy",
        choices=tuple(LOSSES),
        elsewhere=("cost", "cost_function", "criterion", "loss_fn", "loss_function", "objective"),
        objection=_without_classes,
    )
    steps: int = setting(
        "full-batch gradient-descent steps asked for",
        "steps",
        remedy="gradient-descent steps, as in steps: 100",
        written=100,
        least=0,
        most=10**8,
        elsewhere=(
            "epochs",
            "iterations",
            "max_epochs",
            "max_iter",
            "n_epochs",
            "n_steps",
            "num_epochs",
            "num_steps",
            "training_steps",
        ),
        of_cost=True,
    )
    seed: int = setting(
        "seed of the initial weights",
        remedy="as in seed: [0, 1, 2]",
        written=0,
        least=0,
        below=2**63,
        elsewhere=("random_seed", "random_state", "rng", "seeds"),
        differs_within="batch",
        repeats=True,
    )
    dtype: str = setting(
        "arithmetic of the training",
        "name",
        remedy=" or ".join(DTYPES),
        written="float32",
        choices=tuple(DTYPES),
        elsewhere=("float_type", "precision"),
        of_cost=True,
    )
    measure: frozenset[str] = setting(
        "measured beside the losses",
        "name",
        remedy="no axis but a list of " + ", ".join(MEASUREMENTS) + "; or []",
        written=frozenset({"signal"}),
        choices=tuple(MEASUREMENTS),
        of_cost=True,
        decides="record",
    )
    stop: str = setting(
        "whether every step is taken: decided ends once trained beyond doubt",
        "name",
        default="full",
        choices=tuple(STOPS),
        decides="end",
    )
    trained_level: float = setting(
        "trained: the loss ended at or below this share of baseline_loss",
        default=0.1,
        remedy="the share of the best constant's loss at or below which a run has trained, "
        "as in trained_level: 0.5",
        above=0,
        below=1,
        decides="verdict",
    )
    targets: str = setting(
        "scaling of numbers as targets",
        "name",
        default="standardized",
        choices=tuple(name for name, scaling in SCALINGS.items() if scaling.of_targets),
        objection=_without_scale,
        of_task=True,
    )
    weight_decay: float = setting(
        "L2 penalty: this much of each weight is added to its gradient, none to that of a bias",
        default=0.0,
        remedy="as in weight_decay: [0, 1.0e-4, 1.0e-2]",
        **SCALE,
        elsewhere=("l2", "l2_penalty", "regularization", "wd"),
        differs_within="start",
    )
    residual: str = setting(
        "residual connections past every hidden layer but the first, a_l = a_(l-1) + f phi(h_l): "
        "f, where inverse_sqrt_depth is 1 / sqrt(depth) and inverse_depth 1 / depth; none: there "
        "are none",
        "name",
        default=NO_RESIDUAL,
        remedy="a branch's factor, as in residual: [none, 1, 0.5], or a name: "
        + ", ".join(RESIDUAL_NAMES),
        words=RESIDUAL_NAMES,
        text=residual_text,
        elsewhere=(
            "branch_scale",
            "resnet",
            "residual_connections",
            "residual_scale",
            "shortcut",
            "skip",
            "skip_connections",
        ),
        of_cost=True,
    )
    normalization: str = setting(
        "normalization of h before the activation, without a trained gain or shift: layer over a "
        "layer's units, batch over the examples",
        "name",
        default=NO_NORMALIZATION,
        remedy="one of none, layer, batch, for hidden layers; inputs are scaled by features, as in "
        "features: standardized",
        choices=(NO_NORMALIZATION, *NORMALIZATIONS),
        elsewhere=(
            "batch_norm",
            "batch_normalization",
            "batchnorm",
            "bn",
            "layer_norm",
            "layer_normalization",
            "layernorm",
            "norm",
            "norm_layer",
            "normalization_layer",
        ),
        of_cost=True,
    )


SETTINGS = settings_of(Trial)
TRIAL_FIELDS = tuple(SETTINGS)
DEFAULTS = defaults(SETTINGS)


def trial_of(row: Mapping[str, Any]) -> Trial:
    """The trial of a row of `runs`, even if the row lacks columns that were added later."""
    return trial_from(Trial, row)
