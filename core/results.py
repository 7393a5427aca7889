"""The results of a training: every column of its rows, described once."""

from core.gradient_descent import CURVE_POINTS
from core.outcomes import CAUSES, INIT_PHASES, OUTCOMES, THRESHOLDS
from core.trainers import Column, Table
from core.trials import LARGEST_KERNEL, Trial

RESULTS = (
    Column(
        "outcome",
        str,
        "how the run ended: the first rule that matches; untrained if no step was taken",
        "name",
        choices=OUTCOMES,
        required=True,
    ),
    Column(
        "cause",
        str,
        "why the run failed; NULL if it did not, or if `signal` was not measured",
        "name",
        choices=tuple(CAUSES),
    ),
    Column(
        "init_phase",
        str,
        "how gradients run back at step 0: whether L ln chi_measured lies within "
        f"+-{THRESHOLDS.init_phase:g}",
        "name",
        choices=INIT_PHASES,
    ),
    Column("initial_loss", float, "loss at step 0", "loss"),
    Column("final_loss", float, "last finite-step loss; NULL after an overflow", "loss"),
    Column("baseline_loss", float, "loss of the best constant predictor", "loss", required=True),
    Column("peak_loss", float, "largest finite loss seen", "loss"),
    Column("lowest_loss", float, "smallest finite loss seen", "loss"),
    Column("lowest_step", int, "first step with lowest_loss", "steps"),
    Column(
        "tail_loss",
        float,
        f"mean of the last {THRESHOLDS.tail_losses} losses (last fifth when fewer)",
        "loss",
    ),
    Column(
        "late_change",
        float,
        "range of the losses in the last fifth of the steps over the last loss; under 10 steps, in "
        "the last step",
    ),
    Column(
        "late_rise",
        float,
        f"relative rise of the loss that more than {THRESHOLDS.oscillating_share:.0%} of the steps "
        "in the second half exceed",
    ),
    Column(
        "rare_rise", float, f"late_rise for {THRESHOLDS.oscillating_share / 10:.0%} of the steps"
    ),
    Column(
        "diverged_step",
        int,
        "first step from which the loss stayed above "
        f"{THRESHOLDS.diverged_at_end:g} x max(initial, baseline)",
        "steps",
    ),
    Column("overflow_step", int, "first step with a non-finite loss or parameter", "steps"),
    Column("final_accuracy", float, "fraction classified right at the end; classes only"),
    Column("test_loss", float, "loss of the held-out examples at the end", "loss"),
    Column("test_accuracy", float, "fraction of held-out examples classified right; classes only"),
    Column("generalization_gap", float, "test_loss - final_loss", "loss"),
    Column(
        "fractal_converged",
        bool,
        f"mean of the last {THRESHOLDS.tail_losses} of loss / initial loss < 1 (arXiv:2402.06184)",
        "truth",
    ),
    Column("chi_measured", float, "backward growth of |delta|^2 per layer at step 0"),
    Column("chi_measured_error", float, "standard error of chi_measured"),
    Column(
        "chi_theory",
        float,
        "chi at infinite width: in the limit of depth (arXiv:1611.01232); with residual "
        "connections (arXiv:1712.08969) or layer normalization the mean over the layers measured; "
        "NULL where sigma_w differs between hidden layers, as with orthogonal weights of layers "
        "that differ in width",
    ),
    Column(
        "log10_gradient_ratio",
        float,
        "log10 of first over last layer's weight-gradient norm at step 0",
    ),
    Column(
        "final_mean_slope",
        float,
        "mean |phi'| over hidden layers at the end",
        formerly="mean_slope",
    ),
    Column(
        "final_active_fraction",
        float,
        "fraction of units that pass a gradient, in the hidden layer with the fewest, at the end; "
        "NULL if phi saturates",
        formerly="active_fraction",
    ),
    Column(
        "final_log10_gradient_ratio",
        float,
        "log10 of first over last hidden layer's weight-gradient norm at the end",
    ),
    Column(
        "final_log10_gradient_per_error",
        float,
        "log10 of first layer's weight-gradient norm over the output error at the end",
    ),
    Column(
        "final_log10_signal_ratio",
        float,
        "log10 of first over last hidden layer's rms example weight gradient at the end",
    ),
    Column(
        "final_log10_signal_per_error",
        float,
        "log10 of first layer's rms example weight gradient over the output error at the end",
    ),
    Column(
        "final_gradient_alignment",
        float,
        "norm of the mean gradient over the rms norm of the examples' gradients, all parameters, "
        "at the end: 1 if they agree, 0 if they cancel",
    ),
    Column(
        "final_output_slope",
        float,
        "rms over examples of |dloss / d outputs| over that of the error of their sigmoids or "
        "softmax, at the end: 0 where all that are wrong are saturated; sigmoid_mse and "
        "softmax_mse only",
    ),
    Column(
        "log10_gradient_per_error",
        float,
        "log10 of first layer's weight-gradient norm over the output error at step 0",
    ),
    Column("sharpness", float, "lambda_max: largest Hessian eigenvalue at step 0", "loss"),
    Column("smallest_curvature", float, "smallest Hessian eigenvalue at step 0", "loss"),
    Column(
        "final_preconditioned_sharpness",
        float,
        "largest eigenvalue of P^-1 H at the end: H is the Hessian, and a step is -eta P^-1 times "
        "the gradient or its running sum or mean; with adam P is the root of the mean squares "
        "(arXiv:2207.14484), with one rate for all layers of gd it is 1, and this lambda_max",
    ),
    Column(
        "critical_learning_rate",
        float,
        "predicted at step 0: above it descent diverges on a quadratic of that sharpness; gd 2 / "
        "(lambda_max + weight_decay), momentum and nesterov by arXiv:2103.00065, adam NULL",
    ),
    Column(
        "learning_rate_used",
        float,
        "eta, learning_rate in its unit; NULL, and no step is taken, where 1 / lambda_max is no "
        "positive number",
    ),
    Column(
        "ntk_diagonal",
        float,
        "mean of the diagonal, |d output / d parameters|^2, of the tangent kernel at step 0, which "
        "has a row for each output of each example (arXiv:1806.07572), whatever the layers' rates; "
        "NULL with batch normalization",
    ),
    Column(
        "ntk_largest",
        float,
        "largest eigenvalue of the tangent kernel at step 0: examples x lambda_max of mse where "
        f"residuals are 0; NULL beyond {LARGEST_KERNEL:,} rows",
    ),
    Column(
        "ntk_smallest",
        float,
        "smallest eigenvalue of the tangent kernel at step 0, 0 if it is below rounding; NULL "
        f"beyond {LARGEST_KERNEL:,} rows",
    ),
    Column(
        "jacobian_mean_square",
        float,
        "mean square of the singular values of d outputs / d inputs at step 0, mean over examples "
        "(arXiv:1711.04735); NULL with batch normalization",
    ),
    Column(
        "jacobian_largest",
        float,
        "largest of the singular values of d outputs / d inputs at step 0, mean over examples",
    ),
    Column(
        "steps_run", int, "steps taken before the run ended or was decided", "steps", required=True
    ),
    Column("wall_seconds", float, "the run's share of its group's time", "s"),
)

LAYER_MEANINGS = {
    "log10_mean_square_h": "log10 of the mean square pre-activation over units and examples, "
    "before it is normalized",
    "log10_mean_square_a": "log10 of the mean square activation, in a residual network of the sum "
    "with the branch; NULL for the output layer",
    "correlation": "mean cosine of the pre-activations of pairs of examples",
    "mean_slope": "mean |phi'(h)| over units and examples",
    "saturated_fraction": f"units x examples with |phi'| < {THRESHOLDS.saturated_unit:g} phi'(0), "
    "if phi saturates",
    "dead_fraction": "units that pass no gradient for any example, if phi does not saturate; 0 in "
    "a residual branch",
    "log10_delta_norm": "log10 of the rms over examples of |examples x dLoss/dh|",
    "log10_gradient_norm": "log10 of |dLoss/dW|, biases left out",
    "log10_bias_gradient_norm": "log10 of |dLoss/db|",
    "log10_example_gradient_norm": "log10 of the rms over examples of their |dLoss/dW|",
}


def _layer_rows(trial: Trial) -> range:
    rows = trial.depth if "signal" in trial.measure else 0
    return range(rows, rows + 1)


LAYERS = Table(
    (
        Column("layer", int, "1 next to the inputs, depth at the outputs", "layers"),
        *(Column(name, float, f"{m}; at step 0") for name, m in LAYER_MEANINGS.items()),
        *(
            Column(f"final_{name}", float, f"{m}; after the last step")
            for name, m in LAYER_MEANINGS.items()
        ),
    ),
    _layer_rows,
)

# Of a curve: log-spaced points, both ends, and the last loss of a run that ended early.
MOST_POINTS = CURVE_POINTS + 3


def _curve_rows(trial: Trial) -> range:
    return range(1, MOST_POINTS + 1)


CURVES = Table(
    (
        Column("step", int, "steps taken; log-spaced, first and last kept", "steps"),
        Column(
            "loss", float, "value, after that many steps, of the loss that runs.loss names", "loss"
        ),
        Column("gradient_norm", float, "norm of dLoss/d(all parameters) there", "loss"),
        Column("sharpness", float, "lambda_max: largest Hessian eigenvalue there", "loss"),
    ),
    _curve_rows,
)
