"""What `plan` says about a sweep: its tasks, what is left, the price, and the best run so far."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline import plans
from pipeline.best_runs import (
    Found,
    best_as_json,
    best_columns,
    best_in_words,
    find_best,
    varying_settings,
)
from pipeline.notation.durations import about
from pipeline.plans import Plan
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import Sweep
from pipeline.tasks import TaskSummary
from pipeline.tracing.traces import Trace


@dataclass(frozen=True)
class Forecast:
    """A sweep that is to be run into a store.

    Attributes:
        sweep: Its name.
        store: The store's path or URL.
        tasks: What the trials are trained on.
        plan: What is left to do.
        trace: What it traces; None if it is dense.
        found: The best run among its trials that already have a row.
        varying: The settings that the best run is described by.
    """

    sweep: str
    store: str
    tasks: Sequence[TaskSummary]
    plan: Plan
    trace: Trace | None
    found: Found | None
    varying: Sequence[str]

    def as_json(self) -> dict[str, object]:
        """The forecast as a JSON document."""
        return {
            "sweep": self.sweep,
            "store": self.store,
            "tasks": [asdict(summary) for summary in self.tasks],
            **({} if self.trace is None else {"trace": asdict(self.trace)}),
            **_as_json(self.plan),
            "trained": self.found and self.found.trained,
            "best": best_as_json(self.found, self.varying),
        }

    def in_words(self, cpus: int) -> Iterator[str]:
        """The forecast as lines of text, with the time on a number of CPUs."""
        plan = self.plan
        for summary in self.tasks:
            yield f"task: {summary.in_words}"
        yield f"{self.sweep}: {trials_in_words(plan)}, {plan.finished:,} in {self.store}"
        if plan.least is not None:
            yield from _range_in_words(plan.least, plan, cpus)
        else:
            yield f"to train   {plan.remaining:,} in about {plan.batches:,} batches"
            yield f"estimated  {_price_in_words(plan)}"
            yield from _sampling_in_words(plan)
            yield f"           {about(plan.seconds / cpus)} on {cpus} CPUs"
        yield from best_in_words(self.found, self.varying, self.store, plan.remaining)


def trials_in_words(plan: Plan) -> str:
    """How many trials a sweep has; of a traced one the range, and that it is one."""
    if plan.least is None or plan.least.trials == plan.trials:
        return f"{plan.trials:,} trials"
    return f"{plan.least.trials:,} to {plan.trials:,} trials (traced, a range)"


def _as_json(plan: Plan) -> dict[str, Any]:
    """A plan as a document; `least`, if there is one, is another."""
    least = None if plan.least is None else _as_json(plan.least)
    found = {**asdict(plan), "remaining": plan.remaining, "least": least}
    return found if least else {name: value for name, value in found.items() if name != "least"}


def _range_in_words(least: Plan, most: Plan, cpus: int) -> Iterator[str]:
    """What a traced sweep has left: from what is asked for by now to all of its panels."""
    if not most.remaining:
        yield "to train   0: the boundary is traced"
        return
    yield f"to train   {least.remaining:,} now; the boundary decides how many more"
    yield f"at least   {_price_in_words(least)}, {about(least.seconds / cpus)} on {cpus} CPUs"
    yield f"at most    {_price_in_words(most)}, {about(most.seconds / cpus)} on {cpus} CPUs"
    yield from _sampling_in_words(most)


def _price_in_words(plan: Plan) -> str:
    operations = "" if plan.flops is None else f"{plan.flops:.2g} FLOPs, "
    return f"{operations}{plan.bytes / 1e6:,.1f} MB of Parquet"


def _sampling_in_words(plan: Plan) -> Iterator[str]:
    if plan.sampled_shapes is not None:
        shapes = f"{plan.sampled_shapes:,} of {plan.shapes:,} shapes"
        yield f"           from a sample of {shapes}: batches, FLOPs and time are not exact"


def forecast(sweep: Sweep, store: Store, tasks: Sequence[TaskSummary]) -> Forecast:
    """Count and price what is left of a sweep, and find its best run so far."""
    rows = store.batches("runs", best_columns(store.trainer))
    return Forecast(
        sweep=sweep.name,
        store=store.location,
        tasks=tasks,
        plan=plans.plan(sweep, plans.standing(sweep, store)),
        trace=sweep.trace,
        found=find_best(map(sweep.grid.rows_of, rows), store.trainer),
        varying=varying_settings([sweep.grid], store.trainer),
    )
