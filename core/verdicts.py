"""The rules that turn a run's numbers into a verdict: its outcome, its cause, its init phase.

They judge many runs at once, from the columns of their rows: when a training's row is made,
and when a store's rows are judged again by other thresholds. Of the rules for an outcome or
a cause the first one that holds decides.

A weight gradient is small for one of two reasons, distinguished by the gradients of single
examples: they are small themselves, because a signal is lost on its way (`vanishing`, `dead`,
`saturated`), or they are of ordinary size and cancel in the mean, at a stationary point
(`plateau`, `converged`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.optimization.rate_units import used_rates
from core.outcomes import CAUSES, THRESHOLDS, Thresholds
from core.trials import DEFAULTS, OF_PLAIN_DESCENT, SETTINGS

Claims = NDArray[np.bool_]
Names = NDArray[np.object_]

NONE = np.array(None, dtype=object)


def judged(runs: Mapping[str, Any], rules: Thresholds = THRESHOLDS) -> dict[str, Names]:
    """The verdicts on runs.

    Args:
        runs: Columns of `runs` by name, (runs,) each: `steps_run`, `measure`, `depth`,
            `learning_rate`, its unit and the numbers measured. What does not exist is NaN or
            None; so is all of a column that is left out. A setting that came later then has its
            default.
        rules: The thresholds.

    Returns:
        `outcome`, `cause` and `init_phase`, (runs,) each; None where there is none.
    """
    run = _Numbers(runs)
    # A comparison with a missing number is False; each rule is written with that in mind.
    with np.errstate(all="ignore"):
        outcome = _outcome(run, rules)
        stalled = outcome == "stalled"
        diverged = (outcome == "diverged") | (outcome == "overflow")
        cause = np.where(stalled, _stall_cause(run, rules), NONE)
        cause = np.where(diverged, _divergence_cause(run, rules), cause)
        phase = _init_phase(run, rules)
    # Rows from before the examples' gradients were measured keep the cause that they were given.
    recorded = _stall_causes(runs.get("cause"), len(outcome))
    older = ~run.known("final_gradient_alignment") & (recorded != NONE)
    cause = np.where(stalled & older, recorded, cause)
    measured = _has_signals(runs["measure"])
    return {"outcome": outcome, "cause": np.where(measured, cause, NONE), "init_phase": phase}


class _Numbers:
    """The numbers of runs by column, (runs,) of float64; NaN where there is none.

    Attributes:
        columns: As they were given.
    """

    def __init__(self, runs: Mapping[str, Any]):
        self.columns, self._count = runs, len(runs["steps_run"])

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        column = self.columns.get(name)
        given = np.full(self._count, np.nan) if column is None else column
        numbers = np.asarray(given, dtype=np.float64)
        return np.where(np.isnan(numbers), DEFAULTS.get(name, np.nan), numbers)

    def known(self, name: str) -> Claims:
        return ~np.isnan(self[name])

    @property
    def is_plain_descent(self) -> Claims:
        """Whether each step was the same multiple of the gradient of all examples."""
        plain = np.ones(self._count, bool)
        for name in OF_PLAIN_DESCENT:
            if name in self.columns:
                values = np.asarray(self.columns[name], object)
                missing = (values == np.array(None)) | (values != values)
                plain &= missing | (values == SETTINGS[name].encoded_default)
        return plain

    @property
    def yardstick(self) -> NDArray[np.float64]:
        """The loss of which `trained` is a share: the baseline.

        Where every target is the same the best constant makes no error. Then it is the
        initial loss: there is nothing to learn but that constant.
        """
        return np.where(self["baseline_loss"] > 0, self["baseline_loss"], self["initial_loss"])


def _outcome(run: _Numbers, rules: Thresholds) -> Names:
    """One of OUTCOMES."""
    worst_start = np.fmax(run["initial_loss"], run["baseline_loss"])
    at_once = run["peak_loss"] > rules.diverged_at_once * worst_start
    at_end = run["tail_loss"] > rules.diverged_at_end * worst_start
    lost = run.known("overflow_step") | ~run.known("tail_loss") | ~run.known("peak_loss")
    outcomes = {
        "overflow": lost,
        "untrained": run["steps_run"] == 0,
        "diverged": at_once | at_end,
        "trained": run["tail_loss"] <= run["trained_level"] * run.yardstick,
        "oscillating": run["late_rise"] > rules.rise,
        "stalled": ~(run["late_change"] >= rules.stalled_change),
    }
    return _first(outcomes, "slow")


def _stall_cause(run: _Numbers, rules: Thresholds) -> Names:
    """Why a run stalled, if it did.

    - `dead`: a hidden layer has next to no unit that passes a gradient. A dead layer also
      stops the gradient, so it is looked for first.
    - `saturated_outputs`: sigmoids or a softmax are so flat where they are wrong that hardly any
      error passes them, to whatever layers there are.
    - `vanishing`: single examples' gradients in the first layer are a millionth of those in
      the last hidden layer, or of the output error: a linear or small-scale tanh network
      without biases loses its signal on the way forward as fast as its gradient on the way
      back, so that all layers' gradients are equally small and their ratio shows nothing.
    - `saturated`: the hidden units' mean slope is next to none.
    - `low_learning_rate`: the examples' gradients do not cancel: more or larger steps go on.
    - `plateau`: they cancel where the network answers with the best constant. It may go on.
    - `converged`: they cancel elsewhere, at a loss above the trained level.

    A single layer loses no signal, and its loss is convex: where it stands still it has
    converged, also at the best constant's loss.
    """
    deep = run["depth"] > 1
    bound = np.log10(rules.vanishing_gradient)
    # A gradient of exactly 0 has no logarithm, so its column is NULL. An older row may have only
    # the mean gradient.
    per_error = ("final_log10_signal_per_error", "final_log10_gradient_per_error")
    zero = run.known("final_mean_slope") & ~run.known(per_error[0]) & ~run.known(per_error[1])
    small = run["final_log10_signal_per_error"] < bound
    vanished = (run["final_log10_signal_ratio"] < bound) | small | zero
    from_constant = np.abs(run["tail_loss"] - run["baseline_loss"])
    causes = {
        "dead": run["final_active_fraction"] < rules.active_fraction,
        "saturated_outputs": run["final_output_slope"] < rules.saturated_slope,
        "vanishing": deep & vanished,
        "saturated": run["final_mean_slope"] < rules.saturated_slope,
        "low_learning_rate": ~(run["final_gradient_alignment"] < rules.cancellation),
        "plateau": deep & (from_constant <= rules.plateau * run["baseline_loss"]),
    }
    return _first(causes, "converged")


def _divergence_cause(run: _Numbers, rules: Thresholds) -> Names:
    """Why a run diverged or overflowed, if it did.

    - `init_scale`: before the first step the loss already exceeds a thousand baselines, or
      the first layer's gradient a thousand times the output error, or the loss is not a number.
      A gradient of exactly 0 is NULL in a table and counts as no explosion, and so does that of a
      single layer, which is as large as the inputs whatever the weights are.
    - `sharpening`: the start is moderate, and its sharpness does not explain the divergence: the
      rate is below the critical one, or the loss fell for longer than it could have at a rate
      above it, which is known of gradient descent at one rate alone. Where the critical rate was
      not measured, the rate is assumed to be a tenth above it. A single layer's sharpness hardly
      changes: without a measurement its divergence is never called sharpening.
    - `learning_rate`: the start is moderate, and its sharpness explains the divergence.
    """
    moderate = run["initial_loss"] <= rules.exploding_start * run.yardstick
    exploded = run["log10_gradient_per_error"] > np.log10(rules.exploding_start)
    exploded &= run["depth"] > 1
    presumed = np.where(run["depth"] > 1, rules.presumed_excess, np.nan)
    measured = used_rates(run.columns) / run["critical_learning_rate"]
    ratio = np.where(run.known("critical_learning_rate"), measured, presumed)
    causes = {
        "init_scale": ~moderate | exploded,
        "sharpening": (ratio <= 1) | run.is_plain_descent & _outlived_the_start(run, ratio, rules),
    }
    return _first(causes, "learning_rate")


def _outlived_the_start(run: _Numbers, ratio: NDArray[np.float64], rules: Thresholds) -> Claims:
    """Whether the loss fell for longer than the start's sharpness would allow.

    At r times 2 / lambda_max, the part of the loss along the steepest direction grows by
    (2r - 1)^2 a step. If that part would have grown a millionfold while the loss still fell,
    it was less than a millionth of the loss at the start, so the start's sharpness is not what
    made the training diverge.
    """
    fell = run["lowest_loss"] < run["initial_loss"]
    steps = np.where(fell, run["lowest_step"], 0)
    return 2 * steps * np.log(2 * ratio - 1) > np.log(rules.outlived_growth)


def _init_phase(run: _Numbers, rules: Thresholds) -> Names:
    """Whether gradients vanish or explode at step 0: s = L ln chi beyond +-6."""
    s = run["depth"] * np.log(run["chi_measured"])
    phases = {"vanishing": s < -rules.init_phase, "exploding": s > rules.init_phase}
    return np.where(run.known("chi_measured"), _first(phases, "critical"), NONE)


def _first(claims: Mapping[str, Claims], otherwise: str) -> Names:
    """For each run, the first name whose claim holds."""
    return np.select([*claims.values()], [*claims], otherwise).astype(object)


def _stall_causes(column: Iterable[Any] | None, count: int) -> Names:
    """A column of causes of stalls, (runs,); None where no cause explains the run."""
    names = [None] * count if column is None else column
    explain = [isinstance(name, str) and "stalled" in CAUSES.get(name, ()) for name in names]
    return np.where(explain, np.array([*names], dtype=object), NONE)


def _has_signals(measures: Iterable[str]) -> Claims:
    """Whether the layers' signals were measured."""
    measures = list(measures)
    asked = {each: "signal" in SETTINGS["measure"].decoded(each) for each in set(measures)}
    return np.array([asked[each] for each in measures], dtype=bool)
