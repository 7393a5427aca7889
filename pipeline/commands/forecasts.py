"""What `plan` says about a sweep: its tasks, what is left, the price, and the best run so far."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Forecast:
    """A sweep that is to be run into a store.

    Attributes:
        sweep: Its name.
        store: The store's path or URL.
        tasks: What the trials are trained on.
        plan: What is left to do.
        found: The best run among its trials that already have a row.
        varying: The settings that the best run is described by.
    """

    sweep: str
    store: str
    tasks: Sequence[TaskSummary]
    plan: Plan
    found: Found | None
    varying: Sequence[str]

    def as_json(self) -> dict[str, object]:
        """The forecast as a JSON document."""
        return {
            "sweep": self.sweep,
            "store": self.store,
            "tasks": [asdict(summary) for summary in self.tasks],
            **asdict(self.plan),
            "remaining": self.plan.remaining,
            "trained": self.found and self.found.trained,
            "best": best_as_json(self.found, self.varying),
        }

    def in_words(self, cpus: int) -> Iterator[str]:
        """The forecast as lines of text, with the time on a number of CPUs."""
        plan = self.plan
        for summary in self.tasks:
            yield f"task: {summary.in_words}"
        yield f"{self.sweep}: {plan.trials:,} trials, {plan.finished:,} in {self.store}"
        yield f"to train   {plan.remaining:,} in about {plan.batches:,} batches"
        operations = "" if plan.flops is None else f"{plan.flops:.2g} FLOPs, "
        yield f"estimated  {operations}{plan.bytes / 1e6:,.1f} MB of Parquet"
        if plan.sampled_shapes is not None:
            shapes = f"{plan.sampled_shapes:,} of {plan.shapes:,} shapes"
            yield f"           from a sample of {shapes}: batches, FLOPs and time are not exact"
        yield f"           {about(plan.seconds / cpus)} on {cpus} CPUs"
        yield from best_in_words(self.found, self.varying, self.store, plan.remaining)


def forecast(sweep: Sweep, store: Store, tasks: Sequence[TaskSummary]) -> Forecast:
    """Count and price what is left of a sweep, and find its best run so far."""
    rows = store.batches("runs", best_columns(store.trainer))
    return Forecast(
        sweep=sweep.name,
        store=store.location,
        tasks=tasks,
        plan=plans.plan(sweep, plans.finished_indices(sweep.grid, store)),
        found=find_best(map(sweep.grid.rows_of, rows), store.trainer),
        varying=varying_settings([sweep.grid], store.trainer),
    )
