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
from core.hidden_widths import (
    EQUAL,
    LARGEST_WIDTH,
    goes_with,
    hidden_widths_text,
    listed_widths,
)
from core.initializers import INITIALIZERS, NAMED_SCALES, WEIGHT_STD, named_scale
from core.losses import LOSSES, REGRESSION_LOSS
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.parameterizations import PARAMETERIZATIONS
from core.optimization.rate_units import ABSOLUTE, RATE_UNITS
from core.optimization.schedules import SCHEDULES
from core.settings import defaults, setting, settings_of, trial_from

FULL_BATCH = 0  # in the column batch_size


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
# too, by some 25; preconditioned_sharpness: at the end, of P^-1 H with the optimizer's P. ntk: the
# tangent kernel and the Jacobian at step 0, by a backward pass for each output; a kernel that is
# formed costs more than these, see core.costs.
MEASUREMENTS = {
    "signal": Measurement(at_start=6, at_end=6),
    "sharpness": Measurement(at_start=250, if_not_plain=3),
    "sharpness_curve": Measurement(at_logged_step=80, if_not_plain=3),
    "preconditioned_sharpness": Measurement(at_end=80, if_not_plain=3),
    "ntk": Measurement(at_start=10),
}
# Outputs x examples, up to which the kernel is formed; at 4,096 it takes 134 MB and some seconds.
LARGEST_KERNEL = 4096


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


def _too_many_in_a_batch(batch_size: int, data: DatasetInfo, examples: int) -> str | None:
    if batch_size <= examples:
        return None
    return (
        f"gives {examples:,} examples, got batches of {batch_size:,}; set batch_size: {examples} "
        "or fewer, or batch_size: full"
    )


def _too_many_held_out(test_examples: int, data: DatasetInfo, examples: int) -> str | None:
    if data.examples is None or test_examples <= max(data.examples - examples, 0):
        return None
    left, room = data.examples - examples, data.examples - test_examples
    remedies = [f"test_examples: {left} or fewer"] if left > 0 else []
    remedies += [f"examples: {room} or fewer"] if room > 1 else []
    return (
        f"has {data.examples:,} examples, of which examples: {examples} takes {examples:,}, got "
        f"{test_examples}; set {' or '.join(remedies) or 'both to fewer'}"
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


def _full_batch(word: str) -> int | None:
    return FULL_BATCH if word == "full" else None


def _no_clipping(word: str) -> float | None:
    return 0.0 if word == "none" else None


def _optimizers_with(name: str) -> tuple[str, tuple[str, ...]]:
    return "optimizer", tuple(each.name for each in OPTIMIZERS.values() if name in each.settings)


def _schedules_with(name: str) -> tuple[str, tuple[str, ...]]:
    return "schedule", tuple(each.name for each in SCHEDULES.values() if name in each.settings)


# The bounds keep float32 arithmetic meaningful and one training within a machine.
SCALE: dict[str, Any] = {"least": 0, "most": 1e5, "smallest": 1e-12}


def _factor(name: str, **facts: Any) -> Any:
    """A setting that multiplies another one in a single layer; its name ends in the layer's."""
    factored, layer = name.rsplit("_", 1)
    return setting(
        f"multiplies the {layer} layer's {factored.replace('_', ' ')}",
        default=1.0,
        remedy=f"a factor, as in {name}: [0.5, 1, 2]",
        **{**SCALE, **facts},
    )


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
        "units in each hidden layer (N); where hidden_widths differ, in the widest",
        "units",
        remedy="hidden units, as in width: 32; of layers that differ, from the inputs on, as in "
        "width: [[128, 64, 32]]",
        written=32,
        least=1,
        most=LARGEST_WIDTH,
        listed=listed_widths,
        elsewhere=(
            "hidden",
            "hidden_dim",
            "hidden_layer_sizes",
            "hidden_size",
            "hidden_sizes",
            "hidden_units",
            "layer_sizes",
            "n_hidden",
            "neurons",
            "units",
            "widths",
        ),
        of_cost=True,
    )
    activation: str = setting(
        "activation phi of the hidden layers; outputs are linear",
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
        called=(
            ("eye", "scaled_identity"),
            ("identity", "scaled_identity"),
            ("normal", "gaussian"),
            ("normal_", "gaussian"),
            ("random_normal", "gaussian"),
        ),
        elsewhere=(
            "init",
            "initialisation",
            "initialization",
            "kernel_initializer",
            "weight_init",
        ),
    )
    init_scale: float = setting(
        "multiplies the drawn weights; gaussian, uniform: sigma_w, weight std times sqrt(fan_in); "
        "orthogonal: every singular value; scaled_identity: the k of k*I; weight_std: weight std",
        remedy="sigma_w, as in init_scale: {geomspace: [0.25, 4, 16]}, or a name: "
        + ", ".join(NAMED_SCALES),
        written=1.0,
        **SCALE,
        meant=named_scale,
        words=tuple(NAMED_SCALES),
        words_unless=("initializer", WEIGHT_STD),
        elsewhere=("gain", "sigma", "sigma_w", "weight_scale"),
        differs_within="batch",
    )
    bias_scale: float = setting(
        "sigma_b: bias standard deviation",
        remedy="sigma_b, as in bias_scale: 0.1",
        written=0.0,
        **SCALE,
        elsewhere=("bias_std", "sigma_b"),
        used_with=("biases", ("trained",)),
        differs_within="batch",
    )
    learning_rate: float = setting(
        "step size (eta), in learning_rate_unit; the rate that a schedule begins with or rises to",
        remedy="as in learning_rate: {geomspace: [1.0e-4, 10, 16]}; "
        "for an untrained baseline set steps: 0",
        least=1e-12,
        most=1e12,
        elsewhere=("alpha", "eta", "learning_rates", "lr", "rate", "step_size"),
        differs_within="start",
    )
    loss: str = setting(
        "name of the loss, a mean over examples; mse is half of the squared error, summed over "
        "outputs; sigmoid_mse, softmax_mse and binary_cross_entropy apply to the outputs' sigmoids "
        "or softmax; with sigmoids a single output tells two classes apart",
        "name",
        written="cross_entropy",
        choices=tuple(LOSSES),
        elsewhere=("cost", "cost_function", "criterion", "loss_fn", "loss_function", "objective"),
        objection=_without_classes,
    )
    steps: int = setting(
        "steps of the optimizer that are asked for",
        "steps",
        remedy="steps of the optimizer, as in steps: 100",
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
        "what is measured besides the losses",
        "name",
        remedy="no axis but a list of " + ", ".join(MEASUREMENTS) + "; or []",
        written=frozenset({"signal"}),
        choices=tuple(MEASUREMENTS),
        of_cost=True,
        decides="record",
    )
    stop: str = setting(
        "whether all steps are taken; decided: a run ends once it has surely trained",
        "name",
        default="full",
        choices=tuple(STOPS),
        decides="end",
    )
    trained_level: float = setting(
        "a run has trained if its loss ended at or below this share of baseline_loss",
        default=0.1,
        remedy="the share of the best constant's loss at or below which a run has trained, "
        "as in trained_level: 0.5",
        above=0,
        below=1,
        decides="verdict",
    )
    targets: str = setting(
        "scaling of targets that are numbers",
        "name",
        default="standardized",
        choices=tuple(name for name, scaling in SCALINGS.items() if scaling.of_targets),
        objection=_without_scale,
        of_task=True,
    )
    weight_decay: float = setting(
        "L2 penalty: this times each weight is added to its gradient; biases have none",
        default=0.0,
        remedy="as in weight_decay: [0, 1.0e-4, 1.0e-2]",
        **SCALE,
        elsewhere=("l2", "l2_penalty", "regularization", "wd"),
        differs_within="start",
    )
    optimizer: str = setting(
        "how a step follows from the gradients",
        "name",
        default="gd",
        choices=tuple(OPTIMIZERS),
        elsewhere=("nesterov", "optim", "optimiser", "solver"),
        of_cost=True,
    )
    momentum: float = setting(
        "share of the gradients' running sum (momentum, nesterov) or running mean (adam: beta1) "
        "that each step keeps",
        default=0.9,
        remedy="as in momentum: [0, 0.9, 0.99]",
        least=0,
        below=1,
        elsewhere=("beta", "beta1", "betas"),
        used_with=_optimizers_with("momentum"),
        differs_within="start",
    )
    beta2: float = setting(
        "share of the squared gradients' running mean that each step of adam keeps",
        default=0.999,
        remedy="as in beta2: 0.99",
        least=0,
        below=1,
        used_with=_optimizers_with("beta2"),
        differs_within="start",
    )
    epsilon: float = setting(
        "added to the root of adam's running mean of squared gradients",
        default=1e-8,
        remedy="as in epsilon: 1.0e-6",
        above=0,
        most=1e5,
        elsewhere=("eps",),
        used_with=_optimizers_with("epsilon"),
        differs_within="start",
    )
    clip_norm: float = setting(
        "largest norm of the whole gradient; a longer one is shortened to it; 0: no limit",
        default=0.0,
        remedy="a norm, as in clip_norm: 1.0, or clip_norm: none",
        **SCALE,
        meant=_no_clipping,
        words=("none",),
        elsewhere=(
            "clip",
            "clip_grad",
            "clip_grad_norm",
            "clipping",
            "grad_clip",
            "gradient_clip",
            "gradient_clipping",
            "max_grad_norm",
            "max_norm",
        ),
        differs_within="start",
    )
    schedule: str = setting(
        "course of the learning rate; warmup: it rises over warmup_steps; cosine: then it falls "
        "to 0 at the last step; step: every decay_steps it is multiplied by decay_factor",
        "name",
        default="constant",
        choices=tuple(SCHEDULES),
        elsewhere=("learning_rate_schedule", "lr_schedule", "lr_scheduler", "scheduler"),
        differs_within="start",
    )
    warmup_steps: int = setting(
        "steps over which warmup and cosine rise linearly to the learning rate",
        "steps",
        default=10,
        remedy="as in warmup_steps: 10",
        least=0,
        most=10**8,
        elsewhere=("warmup",),
        used_with=_schedules_with("warmup_steps"),
        differs_within="start",
    )
    batch_size: int = setting(
        "examples of a step's gradient; each pass over the data has a new order from the seed; "
        "0: all examples. Losses are those of all examples, at the curves' steps and the last ones",
        "examples",
        default=FULL_BATCH,
        remedy="examples of a step, as in batch_size: 32, or batch_size: full",
        least=0,
        meant=_full_batch,
        words=("full",),
        elsewhere=("batch", "minibatch", "mini_batch", "minibatch_size"),
        objection=_too_many_in_a_batch,
        beside=("examples",),
        of_cost=True,
    )
    parameterization: str = setting(
        "how each layer's initial weights and learning rate depend on the width: ntk as in "
        "arXiv:1806.07572, mup as in arXiv:2203.03466, table 3",
        "name",
        default="standard",
        choices=tuple(PARAMETERIZATIONS),
        elsewhere=("mup", "parametrization"),
    )
    base_width: int = setting(
        "width at which every parameterization is the standard one",
        "units",
        default=32,
        remedy="units, as in base_width: 64",
        least=1,
        most=10**5,
        used_with=("parameterization", tuple(n for n in PARAMETERIZATIONS if n != "standard")),
    )
    learning_rate_first: float = _factor("learning_rate_first", most=1e12, differs_within="start")
    learning_rate_last: float = _factor("learning_rate_last", most=1e12, differs_within="start")
    init_scale_first: float = _factor("init_scale_first", differs_within="batch")
    init_scale_last: float = _factor("init_scale_last", differs_within="batch")
    biases: str = setting(
        "whether biases are trained; none: there are no biases",
        "name",
        default="trained",
        choices=("trained", "none"),
        elsewhere=("bias", "use_bias"),
    )
    test_examples: int = setting(
        "held-out examples, others than the training examples but scaled as these: never trained "
        "on, measured once at the end",
        "examples",
        default=0,
        remedy="a number of examples to hold out, as in test_examples: 50",
        least=0,
        most=10**7,
        elsewhere=(
            "held_out",
            "hold_out",
            "holdout",
            "n_test",
            "test",
            "test_samples",
            "test_set",
            "test_size",
            "test_split",
            "val_split",
            "validation",
            "validation_examples",
            "validation_split",
        ),
        objection=_too_many_held_out,
        beside=("examples",),
        of_task=True,
        of_cost=True,
        decides="record",
    )
    residual: str = setting(
        "f of the residual connections past every hidden layer but the first, "
        "a_l = a_(l-1) + f phi(h_l): a number, inverse_sqrt_depth for 1 / sqrt(depth), "
        "inverse_depth for 1 / depth; none: no residual connections",
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
    learning_rate_unit: str = setting(
        "unit of the learning rate: of inverse_sharpness, 1 / lambda_max at step 0, it is c = eta "
        "x lambda_max, and a quadratic diverges beyond 2",
        "name",
        default=ABSOLUTE,
        choices=tuple(RATE_UNITS),
        of_cost=True,
    )
    decay_steps: int = setting(
        "steps after which schedule step multiplies the learning rate by decay_factor, and again",
        "steps",
        default=30,
        remedy="as in decay_steps: 30",
        least=1,
        most=10**8,
        elsewhere=("decay_every", "lr_decay_steps", "lr_step_size"),
        used_with=_schedules_with("decay_steps"),
        differs_within="start",
    )
    decay_factor: float = setting(
        "what schedule step multiplies the learning rate by",
        default=0.1,
        remedy="a factor up to 1, as in decay_factor: 0.5",
        above=0,
        most=1,
        elsewhere=("decay_rate", "gamma", "lr_decay_factor", "lr_decay_rate", "lr_gamma"),
        used_with=_schedules_with("decay_factor"),
        differs_within="start",
    )
    hidden_widths: str = setting(
        "widths of hidden layers that differ, from the inputs on, as in 128-64-32; equal: all "
        "have width",
        "name",
        default=EQUAL,
        remedy="shorter as width: [[128, 64, 32]], which is width: 128, depth: 4, hidden_widths: "
        "128-64-32",
        words=(EQUAL,),
        text=hidden_widths_text,
        goes_with=goes_with,
        of_cost=True,
    )


SETTINGS = settings_of(Trial)
TRIAL_FIELDS = tuple(SETTINGS)
DEFAULTS = defaults(SETTINGS)

# With their defaults all layers have one learning rate.
OF_ONE_RATE = ("parameterization", "learning_rate_first", "learning_rate_last")
# With their defaults each step is the same multiple of the gradient of all examples.
OF_PLAIN_DESCENT = ("optimizer", "schedule", "clip_norm", "batch_size", *OF_ONE_RATE)


def measured_at_start(trial: Trial) -> frozenset[str]:
    """What is measured of a trial's start: what was asked for, and what its rate's unit takes."""
    return trial.measure | RATE_UNITS[trial.learning_rate_unit]


def trial_of(row: Mapping[str, Any]) -> Trial:
    """The trial of a row of `runs`, even if the row lacks columns that were added later."""
    return trial_from(Trial, row)
