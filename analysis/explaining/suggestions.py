"""What a run's cause suggests to change, and how often that helped; needs no store."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isclose, isnan
from typing import Any

from analysis.advising.init_advice import init_advice
from analysis.advising.trained_rates import START
from analysis.explaining.causes import LATER, MUCH_LONGER, Run, stable_rate
from analysis.theory.plain_networks import is_plain
from core.functions.activations import ACTIVATIONS
from core.hidden_widths import EQUAL, goes_with
from core.initializers import INITIALIZERS, WEIGHT_STD, weight_variance
from core.optimization.rate_units import critical_rates
from core.trials import OF_PLAIN_DESCENT, SETTINGS

NETWORK = {"depth", "width", "hidden_widths", "activation"}
MUCH = 10  # x a learning rate or the steps
EDGE = 3  # divides a learning rate that oscillates: it is near the largest that descends
WIDER = 8
NARROW = 8  # units: in so few a layer often dies in every draw
OTHER_ACTIVATION = {"relu": "leaky_relu", "sigmoid": "tanh", "linear": "tanh"}
OTHERWISE = "relu"
SAME_SCALE = 0.01

# How often each remedy worked. Runs of small sweeps with this cause were trained again as the
# remedy says: on digits, the dead ones also on two spirals and a straight line. "12 rates" reach
# from 1e-4 to 10. Low rates: 55 runs on digits and 45 on wine (depth 2 to 8, width 8 or 16, five
# activations, rates 1e-5 to 0.1, 30 to 300 steps). Converged: 60 runs on XOR, width 2 or 3, and 60
# on five small data sets, mostly spirals and gaussian, depth 2 or 3, nearly all ReLU. Shorter
# steps: 21 runs on digits, 16 to 64 units and 4 to 30 layers.
MEASURED = {
    "vanishing_scale": "with 10 times the steps and the best of 12 rates 9 of 14 such runs trained",
    "vanishing_activation": "with 10 times the steps and the best of 12 rates 12 of 14 trained",
    "dead_slower": "18 of 19 such runs then came below 90% of the constant's loss",
    "dead_wider": "52 of 80 such runs trained so",
    "dead_seed": "15 of 90 such runs trained so",
    "dead_leaky": "with 10 times the steps 9 of 60 such runs trained so",
    "plateau_scale": "at the best of 12 rates all of 14 such runs left the plateau, 3 trained",
    "plateau_depth": "at the best of 12 rates 13 of 14 such runs left the plateau, 7 trained",
    "low_learning_rate": "92 of 100 such runs descended so, 17 trained",
    "converged_shorter": "29 of 82 such runs on digits trained so, with another seed none",
    "converged_wider": "82 of 120 such runs trained so",
    "converged_seed": "32 of 120 such runs trained so",
    "converged_activation": "11 of 120 such runs trained so",
    "exploding_scale": "at the best of 12 rates all of 14 such runs descended, 5 trained",
    "half_critical": "all of 23 such runs descended so",
    "diverged_slower": "all of 7 such runs descended so, 3 trained",
    "oscillating_slower": "4 of 30 such runs trained so",
}


@dataclass(frozen=True)
class Remedy:
    """Settings to change, and the reason.

    Attributes:
        changes: The new values by setting.
        reason: Why they may help: a part of a sentence.
        trial_id: A run that trained with them; None for a suggestion that is still to be tried.
    """

    changes: Mapping[str, Any]
    reason: str
    trial_id: str | None = None

    @property
    def needs_a_rate(self) -> bool:
        """Whether the start or the network changes, so that the learning rate is not known."""
        own = NETWORK | set(START)
        return self.trial_id is None and not own.isdisjoint(self.changes)


def suggestions(run: Run) -> list[Remedy]:
    """The remedies that the run's cause suggests, or its outcome if it has no cause."""
    cause = run.get("cause")
    suggest = SUGGESTIONS.get(run["outcome"] if cause is None else cause)
    suggested = [] if suggest is None else [_changed(run, each) for each in suggest(run)]
    # Where layers differ, no other width or depth goes with their widths.
    fixed = goes_with(run.get("hidden_widths") or EQUAL)
    found = [each for each in suggested if each.changes and fixed.keys().isdisjoint(each.changes)]
    return found if _is_plain(run) else [_of_plain_runs(remedy) for remedy in found]


def _is_plain(run: Run) -> bool:
    """Whether it is gradient descent at one rate on all examples, as the measured runs were."""
    return all(run.get(name) in (None, SETTINGS[name].default) for name in OF_PLAIN_DESCENT)


def _of_plain_runs(remedy: Remedy) -> Remedy:
    if not re.search(r"\bof \d", remedy.reason):
        return remedy
    return replace(remedy, reason=f"{remedy.reason}, all of them by plain gradient descent")


def _changed(run: Run, remedy: Remedy) -> Remedy:
    """The remedy without the settings that the run already has."""
    new = {name: value for name, value in remedy.changes.items() if run[name] != value}
    return replace(remedy, changes=new)


def _vanishing(run: Run) -> Iterator[Remedy]:
    yield from _theorys_scale(run, MEASURED["vanishing_scale"])
    yield from _other_activation(run, MEASURED["vanishing_activation"])
    yield from _fewer_layers(run, "a signal has fewer layers to pass")


def _dead(run: Run) -> Iterator[Remedy]:
    if run["peak_loss"] is not None and run["peak_loss"] > (run["initial_loss"] or 0):
        yield _slower(run, MUCH, MEASURED["dead_slower"])
        return
    if run["width"] <= NARROW:
        yield Remedy({"width": WIDER * run["width"]}, MEASURED["dead_wider"])
    yield _other_seed(run, MEASURED["dead_seed"])
    yield Remedy({"activation": "leaky_relu"}, MEASURED["dead_leaky"])
    yield from _theorys_scale(run, "fewer units may start off")


def _saturated(run: Run) -> Iterator[Remedy]:
    yield from _theorys_smaller_scale(run, "units then start where phi has a slope")
    yield _slower(run, MUCH, "shorter steps do not drive units into saturation")
    yield from _other_activation(run, "it saturates on one side at most")


def _saturated_outputs(run: Run) -> Iterator[Remedy]:
    loss = "binary_cross_entropy" if "sigmoid" in run["loss"] else "cross_entropy"
    yield Remedy({"loss": loss}, "its gradient stays large at outputs that are surely wrong")
    sloped = "outputs then start where they have a slope"
    if (run.get("init_scale_last") or 1.0) > 1:
        yield Remedy({"init_scale_last": 1.0}, sloped)
    yield from _theorys_smaller_scale(run, sloped)
    yield _slower(run, MUCH, "shorter steps do not drive outputs into saturation")


def _plateau(run: Run) -> Iterator[Remedy]:
    yield from _theorys_scale(run, MEASURED["plateau_scale"])
    yield from _fewer_layers(run, MEASURED["plateau_depth"])
    yield _longer(run, "plateau")


def _converged(run: Run) -> Iterator[Remedy]:
    """Shorter steps for a wide network, more width for a narrow one; more steps are no remedy."""
    if run["depth"] == 1:
        # A linear model can start from zero weights; two layers of them would never move.
        is_random = INITIALIZERS[run["initializer"]].is_random
        start = _start("tanh", run) if is_random else {"init_scale": 1.0}
        yield Remedy(
            {"depth": 2, "activation": "tanh", **start},
            "a linear model can do no better on these examples",
        )
        return
    if ACTIVATIONS[run["activation"]].is_linear:
        yield Remedy({"activation": "tanh"}, "without a nonlinearity it stays a linear model")
        return
    if run["width"] > NARROW:
        shorter = _rounded(run["learning_rate"] / MUCH)
        changes = {"learning_rate": shorter, "steps": MUCH * run["steps"]}
        yield Remedy(changes, MEASURED["converged_shorter"])
        yield from _other_activation(run, "its minima are others")
        return
    yield Remedy({"width": 2 * run["width"]}, MEASURED["converged_wider"])
    yield _other_seed(run, MEASURED["converged_seed"])
    yield from _other_activation(run, MEASURED["converged_activation"])


def _low_learning_rate(run: Run) -> Iterator[Remedy]:
    critical, steps = _critical(run), MUCH * run["steps"]
    faster = MUCH**2 * run["learning_rate"]
    if critical is not None and run["learning_rate"] < critical / 2:
        faster = min(faster, critical / 2)
    changes = {"learning_rate": _rounded(faster), "steps": steps}
    yield Remedy(changes, MEASURED["low_learning_rate"])


def _init_scale(run: Run) -> Iterator[Remedy]:
    yield from _theorys_scale(run, MEASURED["exploding_scale"])


def _learning_rate(run: Run) -> Iterator[Remedy]:
    critical = _critical(run)
    if critical is not None and critical / 2 < run["learning_rate"]:
        reason = f"half of {stable_rate(run)} of the start; {MEASURED['half_critical']}"
        yield Remedy({"learning_rate": _rounded(critical / 2)}, reason)
    else:
        yield _slower(run, MUCH, MEASURED["diverged_slower"])


def _sharpening(run: Run) -> Iterator[Remedy]:
    yield _slower(run, EDGE, "shorter steps allow for a curvature that grows on the way")
    step = run.get("lowest_step")
    if step:
        yield Remedy({"steps": int(step)}, "the loss was lowest there, before it left")


def _diverged(run: Run) -> Iterator[Remedy]:
    yield _slower(run, MUCH, MEASURED["diverged_slower"])
    yield from _theorys_scale(run, "the start may have exploded, which was not measured")


def _stalled(run: Run) -> Iterator[Remedy]:
    yield from _theorys_scale(run, "the signal may have been lost, which was not measured")
    yield Remedy(
        {"learning_rate": _rounded(MUCH * run["learning_rate"]), "steps": MUCH * run["steps"]},
        "the steps may have been too small or too few",
    )


def _untrained(run: Run) -> Iterator[Remedy]:
    if run["steps"]:
        yield from _theorys_scale(run, "the start then has a curvature, the unit of its rate")
        return
    yield Remedy({"steps": 100}, "what a sweep takes that does not name them")


def _oscillating(run: Run) -> Iterator[Remedy]:
    yield _longer(run, "oscillating")
    yield _slower(run, EDGE, MEASURED["oscillating_slower"])


def _slow(run: Run) -> Iterator[Remedy]:
    yield _longer(run, "slow")
    yield _faster(run)


def _theorys_scale(run: Run, reason: str) -> Iterator[Remedy]:
    """The start that theory advises for a plain network, if the run has another one."""
    if run["initializer"] == WEIGHT_STD:  # without a share of the fan-in the width decides, too
        of_width = {**run, "initializer": "gaussian", "init_scale": 0.0}
        for each in _theorys_scale(of_width, reason):
            yield replace(each, changes={"initializer": "gaussian", **each.changes})
        return
    if not is_plain(run):
        return
    if not INITIALIZERS[run["initializer"]].is_random:
        yield Remedy({"init_scale": 1.0}, "the identity itself keeps every signal's size")
        return
    start = _start(run["activation"], run)
    if start:
        yield Remedy(start, f"theory's start; {reason}")


def _theorys_smaller_scale(run: Run, reason: str) -> Iterator[Remedy]:
    """The start that theory advises, if its weights are smaller."""
    sigma_w = weight_variance(run["initializer"], run["init_scale"], run["width"]) ** 0.5
    for start in _theorys_scale(run, reason):
        if start.changes.get("init_scale", sigma_w) < sigma_w:
            yield start


def _start(activation: str, run: Run) -> dict[str, float]:
    """The scales that theory advises, as far as they differ from the run's own.

    None for a network that is not plain: theory knows no best scale for it.
    """
    if not is_plain(run):
        return {}
    advice = init_advice(activation, run["depth"])
    scales = {"init_scale": advice.start or 1.0, "bias_scale": advice.bias_scale}
    return {
        name: float(f"{scale:.4g}")
        for name, scale in scales.items()
        if not isclose(scale, run[name], rel_tol=SAME_SCALE)
    }


def _fewer_layers(run: Run, reason: str) -> Iterator[Remedy]:
    if run["depth"] > 2:
        yield Remedy({"depth": max(2, run["depth"] // 2)}, reason)


def _other_activation(run: Run, reason: str) -> Iterator[Remedy]:
    """Another activation with the init scale that suits it."""
    other = OTHER_ACTIVATION.get(run["activation"], OTHERWISE)
    start = _start(other, run) if INITIALIZERS[run["initializer"]].is_random else {}
    yield Remedy({"activation": other, **start}, reason)


def _other_seed(run: Run, reason: str) -> Remedy:
    return Remedy({"seed": run["seed"] + 1}, reason)


def _slower(run: Run, times: float, reason: str) -> Remedy:
    return Remedy({"learning_rate": _rounded(run["learning_rate"] / times)}, reason)


def _critical(run: Run) -> float | None:
    """The critical rate in the unit of the run's learning rate; None where there is none."""
    rate = float(critical_rates(run))
    return None if isnan(rate) else rate


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


def _faster(run: Run) -> Remedy:
    """Ten times the rate, but at most half of what the start's curvature allows."""
    critical, faster = _critical(run), MUCH * run["learning_rate"]
    if critical is not None and run["learning_rate"] < critical / 2 < faster:
        return Remedy(
            {"learning_rate": _rounded(critical / 2)}, f"half of {stable_rate(run)} of the start"
        )
    return Remedy(
        {"learning_rate": _rounded(faster)}, "longer steps get there sooner, if it still descends"
    )


def _longer(run: Run, ending: str) -> Remedy:
    """MUCH_LONGER times the steps, with the share of runs with this ending that this trained."""
    shares = LATER[ending]
    reason = f"{shares.trained} of {shares.runs} such runs trained with {MUCH_LONGER} times as many"
    return Remedy({"steps": MUCH_LONGER * run["steps"]}, reason)


# By cause, or by outcome where a run has no cause.
SUGGESTIONS: dict[str, Callable[[Run], Iterator[Remedy]]] = {
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
    "overflow": _diverged,
    "diverged": _diverged,
    "untrained": _untrained,
    "oscillating": _oscillating,
    "stalled": _stalled,
    "slow": _slow,
}
