"""A trial is one cell of a sweep's grid; its result is one row of the `runs` table.

The fields of Trial and TrialResult are the Parquet columns: their order, unit and
meaning are written here once, and the store's schema and the data dictionary follow.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from typing import Any, cast


def column(meaning: str, unit: str = "1", **default: Any) -> Any:
    """A dataclass field that says what its column means; unit "1" is a pure number."""
    return field(metadata={"meaning": meaning, "unit": unit}, **default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One setting of everything that decides a training's numbers."""

    dataset: str = column("data set name; for a user's file its name and content hash", "name")
    examples: int = column("training examples, the full batch", "examples")
    features: str = column("feature scaling: raw, centered or standardized", "name")
    depth: int = column("weight matrices, the output layer included (L)", "layers")
    width: int = column("units in each hidden layer (N)", "units")
    activation: str = column("activation phi of the hidden layers; outputs are linear", "name")
    initializer: str = column("weight distribution: gaussian, orthogonal, scaled_identity", "name")
    init_scale: float = column(
        "multiplies a unit draw. gaussian: sigma_w, weight std times sqrt(fan_in); orthogonal: "
        "every singular value; scaled_identity: the k of k*I"
    )
    bias_scale: float = column("sigma_b: bias standard deviation")
    learning_rate: float = column("gradient-descent step size (eta)")
    loss: str = column("mse (1/2 sum over outputs, mean over examples) or cross_entropy", "name")
    steps: int = column("full-batch gradient-descent steps asked for", "steps")
    seed: int = column("seed of the initial weights")
    dtype: str = column("float32 or float64: the arithmetic of the training", "name")
    measure: str = column("measured beside the losses: signal, sharpness, sharpness_curve", "name")
    stop: str = column(
        "full: takes every step; decided: ends once trained beyond doubt; NULL: full",
        "name",
        default="full",
    )
    trained_level: float = column(
        "trained: the loss ended at or below this share of baseline_loss; NULL: 0.1",
        default=0.1,
    )
    targets: str = column(
        "scaling of numbers as targets: standardized or raw; NULL: standardized",
        "name",
        default="standardized",
    )


TRIAL_FIELDS = tuple(f.name for f in fields(Trial))

# Settings that came later: hashed only where they differ, so that no older id changes.
# Each has its field's type, from which the stores' readers know the type of its column.
DEFAULTS: Mapping[str, Any] = {
    f.name: cast(Any, f.type)(f.default) for f in fields(Trial) if f.default is not MISSING
}


def trial_of(row: Mapping[str, Any]) -> Trial:
    """The trial of a row of `runs`, be it one that had not all columns yet."""
    given: dict[str, Any] = {name: row.get(name) for name in TRIAL_FIELDS}
    given |= {name: value for name, value in DEFAULTS.items() if given[name] is None}
    return Trial(**given)


def trial_id(trial: Trial) -> str:
    """The trial's content address: 24 hex digits, the same for the same setting always.

    Settings are hashed by name and in alphabetical order, so neither the order of the
    fields nor a sweep's name, batch or position in the grid can change an id.
    """
    digest = hashlib.blake2b(digest_size=12)
    for name in sorted(TRIAL_FIELDS):
        value = getattr(trial, name)
        if name not in DEFAULTS or value != DEFAULTS[name]:
            digest.update(_encoded(name, value))
    return digest.hexdigest()


@lru_cache(maxsize=65_536, typed=True)  # 3 and 3.0 are equal, and written differently
def _encoded(name: str, value: str | int | float) -> bytes:
    return json.dumps([name, value], allow_nan=False).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What one training came to. A number that does not exist is None, never NaN."""

    outcome: str = column(
        "overflow, untrained (no step was asked for), diverged, trained, oscillating, stalled or "
        "slow: first rule that matches",
        "name",
    )
    cause: str | None = column(
        "stalled by dead, vanishing, saturated, plateau, converged, low_learning_rate; diverged or "
        "overflowed by init_scale, learning_rate, sharpening; else NULL, as without `signal`",
        "name",
    )
    init_phase: str | None = column(
        "vanishing, critical or exploding gradients at step 0: L ln chi_measured beyond +-6", "name"
    )
    initial_loss: float | None = column("loss at step 0", "loss")
    final_loss: float | None = column("last finite-step loss; NULL after an overflow", "loss")
    baseline_loss: float = column("loss of the best constant predictor", "loss")
    peak_loss: float | None = column("largest finite loss seen", "loss")
    lowest_loss: float | None = column("smallest finite loss seen", "loss")
    lowest_step: int | None = column("first step with it", "steps")
    tail_loss: float | None = column("mean of the last 20 losses (last fifth when fewer)", "loss")
    late_change: float | None = column(
        "range of the last fifth's losses over the last loss; of the last step's in under 10 steps"
    )
    late_rise: float | None = column(
        "relative rise of the loss that over 10% of the steps in the second half exceed"
    )
    rare_rise: float | None = column("the same for 1% of the steps")
    diverged_step: int | None = column(
        "first step from which the loss stayed above 1.1 x max(initial, baseline)", "steps"
    )
    overflow_step: int | None = column("first step with a non-finite loss or parameter", "steps")
    final_accuracy: float | None = column("fraction classified right at the end; classes only")
    fractal_converged: bool | None = column(
        "mean of the last 20 of loss / initial loss < 1 (arXiv:2402.06184)", "truth"
    )
    chi_measured: float | None = column("backward growth of |delta|^2 per layer at step 0")
    chi_measured_error: float | None = column("standard error of chi_measured")
    chi_theory: float | None = column("the same at infinite width (arXiv:1611.01232)")
    log10_gradient_ratio: float | None = column(
        "log10 of first over last layer's weight-gradient norm at step 0"
    )
    mean_slope: float | None = column("mean |phi'| over hidden layers at the end")
    active_fraction: float | None = column(
        "units passing a gradient, of the hidden layer with fewest, at the end; not if saturating"
    )
    final_log10_gradient_ratio: float | None = column(
        "log10 of first over last hidden layer's weight-gradient norm at the end"
    )
    final_log10_gradient_per_error: float | None = column(
        "log10 of first layer's weight-gradient norm over the output error at the end"
    )
    final_log10_signal_ratio: float | None = column(
        "log10 of first over last hidden layer's rms example weight gradient at the end"
    )
    final_log10_signal_per_error: float | None = column(
        "log10 of first layer's rms example weight gradient over the output error at the end"
    )
    final_gradient_alignment: float | None = column(
        "norm of the mean gradient over the rms of the examples', all parameters, at the end: "
        "1 they agree, 0 they cancel"
    )
    log10_gradient_per_error: float | None = column(
        "log10 of first layer's weight-gradient norm over the output error at step 0"
    )
    sharpness: float | None = column("largest Hessian eigenvalue at step 0", "loss")
    smallest_curvature: float | None = column("smallest Hessian eigenvalue at step 0", "loss")
    critical_learning_rate: float | None = column("2 / sharpness")
    steps_run: int = column("steps taken before the run ended or was decided", "steps")


def settings(trial: Trial) -> Mapping[str, str | int | float]:
    """The trial's settings by their sweep-file names, in the order of the columns."""
    return {name: getattr(trial, name) for name in TRIAL_FIELDS}
