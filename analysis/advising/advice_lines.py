"""A learning rate's advice in sentences: what to start from, how often it worked, what is best."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.advising.advice import FARTHEST, BestNearby, Divergence, OtherScale, RateAdvice
from analysis.advising.trained_rates import CURES, TrainedRate
from analysis.tables.shares import share_interval
from core.trials import SETTINGS

RELIABLE = 0.5  # the share of runs that train; below it most seeds fail
# Rates that trained nearly always at one depth, tried at 14 others, with 16 seeds each.
CARRIED = (224, 197)
SELDOM_SET = ("bias_scale", "initializer", *CURES)
CHOSEN = ("init_scale", *SELDOM_SET)


def rate_lines(advice: RateAdvice, store: str) -> Iterator[str]:
    """Sentences on what a store advises, the most important first."""
    if advice.is_near and advice.rate is not None:
        yield from _start_from(advice, advice.rate)
    elif advice.is_near:
        yield f"None of the {advice.runs:,} runs there trained; the sweep below looks further."
        if advice.best is not None:
            command = f"phasesweep explain {store} {advice.best.trial_id}"
            yield f"`{command}` says why, and what to change."
    yield from _apart(advice)
    if advice.best is not None:
        yield _best(advice.best, advice.apart)
    if advice.is_near:
        yield from _divergence(advice.divergence)
    if advice.is_near and advice.predicted is not None:
        yield f"The smallest 2 / lambda_max at step 0 with that start is {advice.predicted:.3g}."


def _start_from(advice: RateAdvice, rate: TrainedRate) -> Iterator[str]:
    start = with_settings({name: rate.start[name] for name in CHOSEN})
    yield f"Start from learning_rate {rate.learning_rate * advice.factor:.3g} with {start}."
    if advice.factor < 1:
        yield (
            f"The runs used {rate.learning_rate:.3g}; curvature grows with depth and width, so "
            f"theory lets yours take {advice.factor:.2g} times that."
        )
    words = f"At {rate.learning_rate:.3g}, {_share(rate.trained, rate.runs)} trained"
    others = listed([f"{count} ended {ending}" for ending, count in advice.failures.items()])
    yield words + (f"; {others}." if others else ".")
    if advice.steps is not None:
        yield f"Each took {advice.steps:,} steps; fewer may not do."
    low, high = share_interval(rate.trained, rate.runs)
    if advice.varied:
        yield f"These runs also differ in {listed(advice.varied)}; the share is over them all."
    elif not advice.apart:
        yield f"So expect {low:.0%} to {high:.0%} of other seeds to train (95% interval)."
    if rate.trained < RELIABLE * rate.runs:
        yield "Most runs fail there, at this best rate too: more width or another activation helps."
    if rate.lowest < rate.highest:
        yield f"Rates from {rate.lowest:.3g} to {rate.highest:.3g} trained about as often."
    if advice.theory is not None:
        yield _theory(advice.theory)


def _theory(other: OtherScale) -> str:
    words = f"With theory's init_scale {other.init_scale:.4g}"
    if other.rate is None:
        return f"{words} none of {_runs(other.runs)} trained."
    best = other.rate
    return (
        f"{words}, {_share(best.trained, best.runs)} trained at {best.learning_rate:.3g}, its best."
    )


def _apart(advice: RateAdvice) -> Iterator[str]:
    for name, (asked, found) in advice.apart.items():
        if isinstance(asked, str):
            yield f"The store has no run with {name} {asked}; it has {found}."
        else:
            factor = max(asked / found, found / asked)
            yield (
                f"The nearest {name} in the store is {found}, {asked} was asked for: a factor "
                f"of {factor:.3g}."
            )
    if advice.is_near:
        yield from _carried(advice)
        return
    if advice.factor < 1:
        yield f"Theory lets the learning rate fall to {advice.factor:.2g} times that of those runs."
    yield (
        f"That is too far to name a rate: no name may differ, and no factor exceed {FARTHEST:g}. "
        "The sweep below decides."
    )


def _carried(advice: RateAdvice) -> Iterator[str]:
    if advice.rate is not None and "depth" in advice.apart:
        tried, trained = CARRIED
        yield (
            f"Of {tried} runs that took such a rate to a depth up to {FARTHEST:g} times another, "
            f"{trained} trained."
        )


def _best(best: BestNearby, apart: Mapping[str, tuple[Any, Any]]) -> str:
    words = with_settings(
        {name: best.settings[name] for name in (*apart, "learning_rate", *CHOSEN, "seed")}
    )
    ended = best.outcome + (f" by {best.cause}" if best.cause else "")
    right = "" if best.accuracy is None else f", {best.accuracy:.0%} classified right"
    return (
        f"The best run there, {best.trial_id}, came to {100 * best.share:.3g}% of the constant's "
        f"loss ({ended}{right}), with {words}."
    )


def _divergence(found: Divergence) -> Iterator[str]:
    if found.highest is not None:
        ends = listed([f"{count} ended {ending}" for ending, count in found.endings.items()])
        yield (
            f"With that start nothing diverged at or below {found.highest:.3g} in "
            f"{_runs(found.runs)}: {ends}."
        )
    if found.first is not None:
        yield (
            f"At {found.first:.3g}, {_share(found.lost, found.tried)} diverged or fell back "
            "from a peak."
        )


def _share(hits: int, runs: int) -> str:
    return f"{hits} of {_runs(runs)}"


def _runs(count: int) -> str:
    return f"{count:,} run" + ("" if count == 1 else "s")


def with_settings(settings: Mapping[str, Any]) -> str:
    """Settings in words; those of SELDOM_SET that have their default are left out."""
    usual = {name: SETTINGS[name].written for name in SELDOM_SET}
    return listed([f"{n} {_in_words(v)}" for n, v in settings.items() if usual.get(n) != v])


def listed(words: Any) -> str:
    """The words as an enumeration: a, b and c."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _in_words(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
