"""What to change in a run: what trained in its store, else what theory and its cause suggest."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.causes import LATER, Run
from analysis.init_advice import init_advice
from analysis.neighbors import CHANGEABLE, nearest_trained
from analysis.trained_rates import START

# Another data set or another measure of success is no remedy for a run.
GIVEN = ("dataset", "examples", "trained_level")
NETWORK = {"depth", "width", "activation"}
MUCH = 10  # x a learning rate or the steps
EDGE = 3  # x less: an oscillating rate is near the largest that descends
OTHER_ACTIVATION = {"relu": "leaky_relu", "sigmoid": "tanh", "linear": "tanh"}
OTHERWISE = "relu"
SMALL_BIAS = 0.1


@dataclass(frozen=True)
class Remedy:
    """Settings to change, and what speaks for it.

    Attributes:
        changes: The new values by setting.
        reason: A clause.
        trial_id: A run that trained so; None for a suggestion that is to be tried.
    """

    changes: Mapping[str, Any]
    reason: str
    trial_id: str | None = None

    @property
    def needs_a_rate(self) -> bool:
        """Whether it makes another start or network, for which the learning rate is not known."""
        own = NETWORK | set(START)
        return self.trial_id is None and not own.isdisjoint(self.changes)


def remedies(run: Run, runs: pd.DataFrame) -> list[Remedy]:
    """What to change, best first: the nearest change that trained, else the cause's own.

    Args:
        run: Its settings and results.
        runs: The store's: CHANGEABLE, `trial_id` and `outcome`.

    Returns:
        One that is known to have trained, or several to try; none for a run that trained,
        or whose cause is not known here.
    """
    if run["outcome"] == "trained":
        return []
    known = _that_trained(run, runs)
    return [known] if known else suggestions(run)


def _that_trained(run: Run, runs: pd.DataFrame) -> Remedy | None:
    """The nearest change that trained on the same task, the network kept if that is known to do."""
    same = runs
    for name in GIVEN:
        if name in runs and name in run:
            same = same[same[name] == run[name]]
    nearest = nearest_trained(run, same, most=len(same))
    if nearest.empty:
        return None
    kept = [NETWORK.isdisjoint(names) for names in nearest["changed"]]
    found = nearest[kept if any(kept) else [True] * len(nearest)].iloc[0]
    told = _share_like(found, same)
    return Remedy(
        {name: found[name] for name in found["changed"]},
        f"{told} with these settings trained in this store, {found['trial_id']} among them",
        found["trial_id"],
    )


def _share_like(found: pd.Series, runs: pd.DataFrame) -> str:
    """How many of the runs with a run's settings, but for the seed, trained."""
    for name in CHANGEABLE:
        if name != "seed":
            runs = runs[runs[name] == found[name]]
    trained = int((runs["outcome"] == "trained").sum())
    return f"{trained} of {len(runs)} run" + ("" if len(runs) == 1 else "s")


def suggestions(run: Run) -> list[Remedy]:
    """What the run's cause suggests, or its outcome if it has none; without a look at a store."""
    cause = run.get("cause")
    suggest = SUGGESTIONS.get(run["outcome"] if cause is None else cause)
    return [] if suggest is None else [r for r in suggest(run) if _is_change(run, r)]


def _is_change(run: Run, remedy: Remedy) -> bool:
    return any(run[name] != value for name, value in remedy.changes.items())


def _vanishing(run: Run) -> Iterator[Remedy]:
    yield from _critical_scale(run, "signals and gradients then keep their size best")
    yield from _fewer_layers(run)
    yield from _other_activation(run)


def _dead(run: Run) -> Iterator[Remedy]:
    if run["peak_loss"] is not None and run["peak_loss"] > (run["initial_loss"] or 0):
        yield _slower(run, MUCH, "shorter steps do not push the units off")
    yield Remedy({"activation": "leaky_relu"}, "its units pass a gradient on either side")
    yield _other_seed(run)
    yield Remedy({"bias_scale": SMALL_BIAS}, "biases let units answer although others are off")
    yield from _critical_scale(run, "fewer units start off")


def _saturated(run: Run) -> Iterator[Remedy]:
    yield from _critical_scale(run, "units then start where phi has a slope")
    yield _slower(run, MUCH, "shorter steps do not drive units into saturation")
    yield from _other_activation(run)


def _plateau(run: Run) -> Iterator[Remedy]:
    yield _longer(run, "plateau")
    yield from _critical_scale(run, "gradients then reach the layers below in full size")
    yield from _fewer_layers(run)


def _converged(run: Run) -> Iterator[Remedy]:
    """The fewest changes first; more steps are none of them."""
    if run["depth"] == 1:
        yield Remedy(
            {"depth": 2, "activation": "tanh"}, "a linear model can do no better on these examples"
        )
        return
    if run["activation"] == "linear":
        yield Remedy({"activation": "tanh"}, "without a nonlinearity it stays a linear model")
        return
    yield _other_seed(run)
    yield Remedy({"width": 2 * run["width"]}, "wider networks have fewer bad minima")
    yield from _other_activation(run)


def _low_learning_rate(run: Run) -> Iterator[Remedy]:
    yield _faster(run)
    yield Remedy({"steps": MUCH * run["steps"]}, "it may still be going down, slowly")


def _init_scale(run: Run) -> Iterator[Remedy]:
    yield from _critical_scale(run, "it keeps signals and gradients at their size")
    yield from _fewer_layers(run)


def _learning_rate(run: Run) -> Iterator[Remedy]:
    critical = run["critical_learning_rate"]
    if critical is not None and critical / 2 < run["learning_rate"]:
        yield Remedy(
            {"learning_rate": _rounded(critical / 2)}, "half of 2 / lambda_max of the start"
        )
    else:
        yield _slower(run, MUCH, "shorter steps do not overshoot")


def _sharpening(run: Run) -> Iterator[Remedy]:
    yield _slower(run, EDGE, "shorter steps allow for a curvature that grows on the way")
    step = run.get("lowest_step")
    if step:
        yield Remedy({"steps": int(step)}, "the loss was lowest there, before it left")


def _diverged(run: Run) -> Iterator[Remedy]:
    yield _slower(run, MUCH, "shorter steps do not overshoot")
    yield from _critical_scale(run, "the start may have exploded, which was not measured")


def _untrained(run: Run) -> Iterator[Remedy]:
    yield Remedy({"steps": 100}, "what a sweep takes that does not name them")


def _oscillating(run: Run) -> Iterator[Remedy]:
    yield _slower(run, EDGE, "steps of this length jump over the valley")
    yield _longer(run, "oscillating")


def _slow(run: Run) -> Iterator[Remedy]:
    yield _longer(run, "slow")
    yield _faster(run)


def _critical_scale(run: Run, reason: str) -> Iterator[Remedy]:
    """The init scale that theory advises, where it advises another one."""
    if run["initializer"] == "scaled_identity":
        yield Remedy({"init_scale": 1.0}, "the identity itself keeps every signal's size")
        return
    start = init_advice(run["activation"], run["depth"]).start
    if start is not None and abs(start / (run["init_scale"] or 1e-300) - 1) > 0.01:
        yield Remedy({"init_scale": float(f"{start:.4g}")}, f"theory's; {reason}")


def _fewer_layers(run: Run) -> Iterator[Remedy]:
    if run["depth"] > 2:
        yield Remedy({"depth": max(2, run["depth"] // 2)}, "a signal has fewer layers to pass")


def _other_activation(run: Run) -> Iterator[Remedy]:
    """Another activation with the init scale that suits it."""
    other = OTHER_ACTIVATION.get(run["activation"], OTHERWISE)
    start = init_advice(other, run["depth"]).start or 1.0
    scale = {} if run["initializer"] == "scaled_identity" else {"init_scale": round(start, 4)}
    yield Remedy({"activation": other, **scale}, "with the init scale that suits it")


def _other_seed(run: Run) -> Remedy:
    return Remedy({"seed": run["seed"] + 1}, "another draw may end elsewhere")


def _slower(run: Run, times: float, reason: str) -> Remedy:
    return Remedy({"learning_rate": _rounded(run["learning_rate"] / times)}, reason)


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


def _faster(run: Run) -> Remedy:
    """Ten times the rate, but no more than half of what the start's curvature allows."""
    critical, faster = run["critical_learning_rate"], MUCH * run["learning_rate"]
    if critical is not None and run["learning_rate"] < critical / 2 < faster:
        return Remedy(
            {"learning_rate": _rounded(critical / 2)}, "half of 2 / lambda_max of the start"
        )
    return Remedy(
        {"learning_rate": _rounded(faster)}, "longer steps get there sooner, if it still descends"
    )


def _longer(run: Run, ending: str) -> Remedy:
    """As many times the steps as runs of that ending were given, of which some trained."""
    shares = LATER[ending]
    told = f"{shares.trained} of {shares.runs} such runs trained with {shares.times} times as many"
    return Remedy({"steps": shares.times * run["steps"]}, told)


# By cause, or by outcome where a run has no cause.
SUGGESTIONS: dict[str, Callable[[Run], Iterator[Remedy]]] = {
    "vanishing": _vanishing,
    "dead": _dead,
    "saturated": _saturated,
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
    "stalled": _low_learning_rate,
    "slow": _slow,
}
