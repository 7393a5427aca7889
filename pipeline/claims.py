"""The claim sweeps: the experiments that settle the argument, run into one store."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.commands.progress import Course, progress
from pipeline.executors import Failure, executor_for
from pipeline.plans import finished_indices, plan
from pipeline.storage.store import Store
from pipeline.sweep import run_sweep
from pipeline.sweep_files.loading import SHIPPED, Sweep, load_sweep

CLAIM_SWEEPS = Path(str(SHIPPED / "claims"))


def claim_sweeps() -> list[Sweep]:
    """Every experiment, in order of their files' names."""
    return [load_sweep(str(path)) for path in sorted(CLAIM_SWEEPS.glob("*.yaml"))]


def run_claims(
    experiments: Iterable[Sweep], store: Store, say: Callable[[str], None]
) -> list[Failure]:
    """Train what the experiments still miss in the store.

    The caller holds the store's write lock. Raises what run_sweep raises.

    Args:
        experiments: All or some of the sweeps that `claim_sweeps` returns.
        store: Where the rows go; what it has is not trained again.
        say: Called with each experiment that has trainings left.

    Returns:
        The trials that could not be trained.
    """
    failures = []
    for sweep in experiments:
        finished = finished_indices(sweep.grid, store)
        planned = plan(sweep, finished)
        if not planned.remaining:
            continue
        say(f"{sweep.name}: {planned.remaining:,} trainings")
        course = Course(planned.trials, planned.finished, planned.seconds, sweep.trainer.outcomes)
        with progress(course) as watch:
            execute = executor_for(planned.seconds)
            failures += run_sweep(sweep, finished, store, execute, watch).failures
    return failures
