"""Why a run ended as it did, in plain words with the run's own numbers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rate_units import ABSOLUTE, RATE_UNITS, used_rates
from core.trials import OF_ONE_RATE, SETTINGS

MEASURE = SETTINGS["measure"]

# A run's row by column; None where a number does not exist.
Run = Mapping[str, Any]


@dataclass(frozen=True)
class Later:
    """How many runs of a sample trained when given ten times the steps, all else being equal.

    Attributes:
        runs: How many there were.
        trained: How many of them trained with the additional steps.
    """

    runs: int
    trained: int

    @property
    def sentence(self) -> str:
        """The share as a sentence."""
        trained = self.trained or "none"
        return (
            f"Of {self.runs} runs of plain gradient descent that ended so, {trained} trained when "
            f"they went on {MUCH_LONGER} times as long."
        )


MUCH_LONGER = 10

# Measured by samples of tests/benchmarks/bench_verdicts.py, pooled in docs/explanation/verdicts.md.
LATER = {
    "plateau": Later(runs=124, trained=6),
    "vanishing": Later(runs=76, trained=0),
    "converged": Later(runs=66, trained=0),
    "dead": Later(runs=29, trained=0),
    "oscillating": Later(runs=37, trained=5),
    "slow": Later(runs=608, trained=72),
}


def why(run: Run) -> str:
    """The mechanism in a few sentences; for a run without a cause, what its losses show."""
    cause = run.get("cause")
    if cause is not None:
        return CAUSES[cause](run) if cause in CAUSES else _unknown("cause", cause)
    outcome = run["outcome"]
    return OUTCOMES[outcome](run) if outcome in OUTCOMES else _unknown("outcome", outcome)


def _unknown(column: str, value: str) -> str:
    return (
        f"This version of phasesweep does not know the {column} {value!r}, which a newer one "
        "wrote; `phasesweep dictionary` of that version says what it means."
    )


def measured(run: Run, what: str) -> bool:
    """Whether the run's sweep asked for a measurement, one of core.trials.MEASUREMENTS."""
    return what in MEASURE.decoded(run["measure"])


def _vanishing(run: Run) -> str:
    lost = " and ".join(_lost(run))
    single = run.get("final_log10_signal_ratio") is not None
    what = "gradient for an example" if single else "gradient"
    first = f" At the end the first layer's {what} is {lost}: it hardly moves." if lost else ""
    older = run.get("final_gradient_alignment") is None
    ending = BY_THE_MEAN if older else LATER["vanishing"].sentence
    return f"The signal is lost on its way through the layers.{first} {ending}"


def _lost(run: Run) -> Iterator[str]:
    """How small the first layer's gradient is, example by example where that was measured."""
    for name, whole in LOST.items():
        log10 = run.get(f"final_log10_signal_{name}")
        if log10 is None:
            log10 = run.get(f"final_log10_gradient_{name}")
        if log10 is not None:
            yield f"{power(log10)} {whole}"


BY_THE_MEAN = (
    "(An older phasesweep said so of the mean gradient, which is as small where the examples' "
    "gradients cancel; train it again in a new store to distinguish the two.)"
)
LOST = {"ratio": "of the last hidden layer's", "per_error": "of the error at the outputs"}


def _dead(run: Run) -> str:
    active = run.get("final_active_fraction")
    units = "hardly any" if active is None or active > 0 else "none"
    return (
        f"A hidden layer is dead: {units} of its units pass a gradient for any example, so "
        f"nothing below it learns.{_peak(run)} "
        f"{LATER['dead'].sentence}"
    )


def _peak(run: Run) -> str:
    """The rise of the loss before a layer died, as a sentence; "" without a rise."""
    start, peak = run["initial_loss"], run["peak_loss"]
    if start is None or peak is None or peak <= start:
        return ""
    return (
        f" Before, the loss rose from {number(start)} to {number(peak)}: steps that were too long "
        "can push the units off for every example."
    )


def _saturated(run: Run) -> str:
    slope = _with(" their mean slope |phi'| is {}, so", run, "final_mean_slope")
    return f"The hidden units are saturated:{slope} errors hardly pass through them."


def _saturated_outputs(run: Run) -> str:
    share = _with(": it passes only {} of the error", run, "final_output_slope")
    what = "sigmoid" if "sigmoid" in run["loss"] else "softmax"
    return f"The outputs are saturated. Where they are wrong the {what} is flat{share}."


def _plateau(run: Run) -> str:
    mean = _with(" (their mean is {} of their size)", run, "final_gradient_alignment")
    return (
        "The network answers with the best constant guess, whose loss is "
        f"{number(run['baseline_loss'])}. There the examples' gradients cancel{mean}, so it hardly "
        f"moves: a plateau, which may end. {LATER['plateau'].sentence}"
    )


def _converged(run: Run) -> str:
    mean = _with(" (their mean is {} of their size)", run, "final_gradient_alignment")
    best = (
        "This is the best that a linear model can do on these examples"
        if run["depth"] == 1
        else "This is a minimum or a saddle above the level that counts as trained"
    )
    return (
        f"It has converged{_share(run)}: the examples' gradients are of ordinary size but "
        f"cancel{mean}. {best}; more steps of this size change little. "
        f"{LATER['converged'].sentence}"
    )


def _share(run: Run) -> str:
    tail, baseline = run["tail_loss"], run["baseline_loss"]
    return f" at {100 * tail / baseline:.3g}% of the constant's loss" if tail and baseline else ""


def _low_learning_rate(run: Run) -> str:
    return f"Gradients arrive in every layer, but the steps are too small{_late_change(run)}."


def _late_change(run: Run) -> str:
    change = ": over the last fifth of the steps the loss changed by {} of itself"
    return _with(change, run, "late_change")


def _init_scale(run: Run) -> str:
    error = run["log10_gradient_per_error"]
    gradient = number(None) if error is None else f"{power(error)} of the error at the outputs"
    return (
        "The initial weights already explode: before the first step the loss is "
        f"{number(run['initial_loss'])} (a constant guess has {number(run['baseline_loss'])}) "
        f"and the first layer's gradient is {gradient}."
    )


def _learning_rate(run: Run) -> str:
    moderate = f"The start is moderate, but the learning rate is too large for it.{_fall(run)}"
    critical = run["critical_learning_rate"]
    if critical is None:
        return f"{moderate} ({no_critical_rate(run)}.)"
    rate = float(used_rates(run))
    return (
        f"{moderate} {number(rate)} is {rate / critical:.3g} times {stable_rate(run)} = "
        f"{number(critical)} of the start, above which steps overshoot along the steepest "
        "direction."
    )


def stable_rate(run: Run) -> str:
    """The largest stable learning rate on a quadratic, as a formula; "" if there is none."""
    if any(run.get(name) not in (None, SETTINGS[name].default) for name in OF_ONE_RATE):
        return ""
    bound = OPTIMIZERS[run.get("optimizer") or "gd"].bound or ""
    decayed = "(lambda_max + weight_decay)" if run.get("weight_decay") else "lambda_max"
    return bound.replace("lambda_max", decayed)


def no_critical_rate(run: Run) -> str:
    """Why the run has no critical learning rate."""
    if not stable_rate(run):
        optimizer = OPTIMIZERS[run.get("optimizer") or "gd"]
        whose = "where layers have their own rates" if optimizer.bound else f"with {optimizer.name}"
        return f"{whose} the curvature alone does not say which rates are stable"
    if measured(run, "sharpness") or RATE_UNITS[run.get("learning_rate_unit") or ABSOLUTE]:
        return f"{stable_rate(run)} does not exist: the start's sharpness is no positive number"
    return f"{stable_rate(run)} was not measured; `measure: [signal, sharpness]` does that"


def _sharpening(run: Run) -> str:
    critical, rate = run["critical_learning_rate"], float(used_rates(run))
    below = critical is not None and rate < critical
    bound = f"{stable_rate(run)} is {number(critical)}"
    start = f" of the start, whose {bound}," if below else ""
    return (
        f"The curvature{start} rose on the way until steps of {number(rate)} were too long for "
        f"it.{_fall(run)}"
    )


def _fall(run: Run) -> str:
    """The step at which the loss was lowest, as a sentence; "" if the loss never fell."""
    step, lowest = run.get("lowest_step"), run.get("lowest_loss")
    if not step or lowest is None:
        return ""
    steps = "1 step" if step == 1 else f"{step:.0f} steps"
    then = ", and then left" if step < run.get("steps_run", inf) else ", the last that is known"
    return f" The loss fell for {steps}, to {number(lowest)}{then}."


def _trained(run: Run) -> str:
    return (
        f"It learned: the loss ended at {number(run['final_loss'])}, a constant guess "
        f"has {number(run['baseline_loss'])}."
    )


def _untrained(run: Run) -> str:
    if run["steps"]:
        found = run["sharpness"]
        is_what = "was not found" if found is None else f"is {number(found)}"
        return (
            f"It took no steps: its learning rate is {number(run['learning_rate'])} / lambda_max, "
            f"and lambda_max of the start {is_what}, no positive number."
        )
    return (
        "It took no steps (steps: 0): its loss is that of its initial weights, and nothing "
        "is said about how they train."
    )


def _oscillating(run: Run) -> str:
    rise = _with(" by {} of itself or more", run, "late_rise")
    share = run.get("oscillating_share")
    many = "many" if share is None else f"more than {100 * share:.3g}%"
    return (
        f"The loss jumps up and down: in the second half {many} of the steps raised "
        f"it{rise}. {_edge(run)} {LATER['oscillating'].sentence}"
    )


def _edge(run: Run) -> str:
    batch = run.get("batch_size")
    if not batch:
        return "The learning rate is at its edge."
    return (
        f"The learning rate is at its edge, or steps on {batch} examples each differ too much: "
        "a smaller rate or a larger batch_size evens them out."
    )


def _slow(run: Run) -> str:
    return (
        f"It was still learning when its {run['steps']:,} steps ran out{_late_change(run)}."
        f"{_start(run)} {LATER['slow'].sentence}"
    )


def _start(run: Run) -> str:
    """What is wrong with the start of a run whose end shows no cause; "" for a moderate start."""
    phase, chi = run.get("init_phase"), run.get("chi_measured")
    error = run.get("log10_gradient_per_error")
    if phase not in STARTS or chi is None or error is None:
        return ""
    return (
        f" {STARTS[phase]} chi is {number(chi)} per layer, where 1 keeps gradients, and the first "
        f"layer's is {power(error)} of the error at the outputs."
    )


# What a start does with signals and gradients, by init_phase.
STARTS = {
    "vanishing": "Its gradients vanish at the start:",
    "exploding": "Its gradients explode at the start:",
}


def _unmeasured(run: Run) -> str:
    why = "" if measured(run, "signal") else ": without `measure: signal` the layers were not seen"
    return f"The cause is unknown{why}.{_fall(run)}"


CAUSES: dict[str, Callable[[Run], str]] = {
    "vanishing": _vanishing,
    "dead": _dead,
    "saturated": _saturated,
    "saturated_outputs": _saturated_outputs,
    "plateau": _plateau,
    "converged": _converged,
    "low_learning_rate": _low_learning_rate,
    "init_scale": _init_scale,
    "learning_rate": _learning_rate,
    "sharpening": _sharpening,
}

OUTCOMES: dict[str, Callable[[Run], str]] = {
    "overflow": _unmeasured,
    "diverged": _unmeasured,
    "trained": _trained,
    "untrained": _untrained,
    "oscillating": _oscillating,
    "stalled": _unmeasured,
    "slow": _slow,
}


def number(value: float | None) -> str:
    """A number with four significant digits; None is the loss of an overflow."""
    return "beyond any float" if value is None else f"{value:.4g}"


def _with(words: str, run: Run, column: str) -> str:
    """Words with a column's number filled in; "" where the number does not exist."""
    value = run.get(column)
    return "" if value is None else words.format(number(value))


def power(log10: float) -> str:
    """A factor as text, from its logarithm; the factor itself may be beyond any float."""
    return f"{10**log10:.3g}" if -3 < log10 < 5 else f"10^{log10:.1f}"
