"""Why a run ended as it did, in plain words with the run's own numbers."""

from collections.abc import Callable, Mapping
from typing import Any

# A run's row by column; None where a number does not exist.
Run = Mapping[str, Any]


def why(run: Run) -> str:
    """The mechanism in a sentence or two; for a run without a cause, what its losses say."""
    told = CAUSES.get(run.get("cause")) or OUTCOMES[run["outcome"]]
    return told(run)


def _vanishing(run: Run) -> str:
    # A row of before single examples were measured has the mean gradient's ratios alone.
    single = run.get("final_gradient_alignment") is not None
    ratio = run["final_log10_signal_ratio" if single else "final_log10_gradient_ratio"]
    of_error = run["final_log10_signal_per_error" if single else "final_log10_gradient_per_error"]
    return (
        "Gradients vanish on the way back: at the end the first layer's gradient is "
        f"{power(ratio)} of the last hidden layer's and {power(of_error)} of the error at the "
        "outputs. "
        "No learning rate that the last layers survive moves the first."
    )


def _dead(run: Run) -> str:
    return (
        "A hidden layer is dead: only "
        f"{number(run['active_fraction'])} of its units pass a gradient for any example, "
        "so nothing below it learns."
    )


def _saturated(run: Run) -> str:
    return (
        "The hidden units are saturated: their mean slope |phi'| is "
        f"{number(run['mean_slope'])}, so errors hardly pass through them. "
        "Smaller weights or a smaller learning rate keep units where phi has a slope."
    )


def _plateau(run: Run) -> str:
    return (
        "The network answers with the best constant guess, whose loss is "
        f"{number(run['baseline_loss'])}: its output biases learned and the layers below "
        "hardly moved. Gradients reach them, but small ones; an init scale nearer to the "
        "critical one, or fewer layers, is what helps."
    )


def _low_learning_rate(run: Run) -> str:
    return (
        "Gradients arrive in every layer, but the steps are too small: over the last fifth "
        f"the loss changed by {number(run['late_change'])} of itself. "
        "A larger learning rate or more steps would go on."
    )


def _init_scale(run: Run) -> str:
    return (
        "The initial weights already explode: before the first step the loss is "
        f"{number(run['initial_loss'])} (a constant guess has {number(run['baseline_loss'])}) "
        "and the first layer's gradient "
        f"{power(run['log10_gradient_per_error'])} of the error at the outputs. "
        "A smaller init scale is the remedy."
    )


def _learning_rate(run: Run) -> str:
    told = "The start is moderate, but the learning rate is too large for it"
    critical = run["critical_learning_rate"]
    if critical is None:
        return f"{told}. (Its curvature was not measured; `measure: sharpness` does that.)"
    return (
        f"{told}: {number(run['learning_rate'])} is {run['learning_rate'] / critical:.3g} times "
        f"2 / lambda_max = {number(critical)}, above which descent diverges in the start's bowl."
    )


def _sharpening(run: Run) -> str:
    critical = run["critical_learning_rate"]
    if critical is None or run["learning_rate"] > critical:
        return (
            f"The loss fell for {run['lowest_step']} steps, to {number(run['lowest_loss'])}, "
            "before it left: had the start been too steep for the learning rate, it would have "
            "left sooner. The curvature rose on the way until the steps were too long for it."
        )
    return (
        f"The learning rate {number(run['learning_rate'])} was below 2 / lambda_max = "
        f"{number(critical)} of the start, but the curvature rose on the "
        "way until the steps were too long for it."
    )


def _trained(run: Run) -> str:
    return (
        f"It learned: the loss ended at {number(run['final_loss'])}, a constant guess "
        f"has {number(run['baseline_loss'])}."
    )


def _oscillating(run: Run) -> str:
    return (
        "The loss jumps up and down: in the second half more than a tenth of the steps raised it "
        f"by {number(run['late_rise'])} of itself or more. The learning rate is at its edge."
    )


def _slow(run: Run) -> str:
    return (
        f"It was still learning when its {run['steps']} steps ran out: over the last fifth the "
        f"loss changed by {number(run['late_change'])} of itself. "
        "More steps or a larger learning rate would go on."
    )


def _unmeasured(run: Run) -> str:
    return "The cause is unknown: without `measure: signal` the layers were not looked at."


def _converged(run: Run) -> str:
    return (
        f"It came to rest at the loss {number(run['tail_loss'])}: each example still asks for a "
        "change, but together they cancel (their mean gradient is "
        f"{number(run.get('final_gradient_alignment'))} of one example's)."
    )


def _untrained(run: Run) -> str:
    return f"No step was taken: the initial weights have the loss {number(run['initial_loss'])}."


CAUSES: dict[str | None, Callable[[Run], str]] = {
    "vanishing": _vanishing,
    "dead": _dead,
    "saturated": _saturated,
    "plateau": _plateau,
    "converged": _converged,
    "low_learning_rate": _low_learning_rate,
    "init_scale": _init_scale,
    "learning_rate": _learning_rate,
    "sharpening": _sharpening,
}

OUTCOMES: dict[str, Callable[[Run], str]] = {
    "overflow": _unmeasured,
    "untrained": _untrained,
    "diverged": _unmeasured,
    "trained": _trained,
    "oscillating": _oscillating,
    "stalled": _unmeasured,
    "slow": _slow,
}


def number(value: float | None) -> str:
    """Four significant digits; what does not exist is said to be none."""
    return "none" if value is None else f"{value:.4g}"


def power(log10: float | None) -> str:
    """A factor given by its logarithm, which may be beyond any float."""
    if log10 is None:
        return "no finite part"
    return f"{10**log10:.3g}" if -3 < log10 < 5 else f"10^{log10:.1f}"
