"""Checks that sweeps and stores can be made from a trainer's description."""

from collections.abc import Iterator, Sequence

from core.settings import COLUMN_TYPES
from core.trainers import Column, Trainer

# What the pipeline asks of a trial to find the data that it is trained on.
OF_DATA = ("dataset", "examples")


class TrainerError(Exception):
    """A bug of a trainer: its description or results make no table; the message says why."""


def check(trainer: Trainer) -> None:
    """Refuse a description that would otherwise fail, or count wrongly, during a sweep.

    Raises:
        TrainerError: With the first problem, by the name of the setting, column or table.
    """
    for problem in _problems(trainer):
        raise TrainerError(problem)


def _problems(trainer: Trainer) -> Iterator[str]:
    yield from _task_problems(trainer)
    yield from _batch_problems(trainer)
    yield from _outcome_problems(trainer)
    tables = {"runs": trainer.results, **{n: t.columns for n, t in trainer.tables.items()}}
    for table, columns in tables.items():
        yield from (_kind_problem(table, c) for c in columns if c.kind not in COLUMN_TYPES)
        yield from _former_name_problems(table, columns)
    if "runs" in trainer.tables:
        yield "a trainer's further table cannot be called 'runs'; rename it"


def _task_problems(trainer: Trainer) -> Iterator[str]:
    settings = trainer.settings
    for name in OF_DATA if trainer.task is not None else ():
        if name not in settings or not settings[name].of_task:
            yield (
                f"a trainer with a task needs a setting {name!r} with of_task=True; describe it, "
                "or leave out the task"
            )
    for name, setting in settings.items():
        if setting.of_task and setting.differs_within != "sweep":
            yield (
                f"{name} decides what a trial is trained on, which trials that are trained "
                "together share; leave out differs_within, or of_task"
            )
    for name in trainer.baseline_by:
        if name not in settings:
            known = ", ".join(settings)
            yield f"baseline_by names {name!r}, which is no setting; take one of {known}"


def _batch_problems(trainer: Trainer) -> Iterator[str]:
    for name, setting in trainer.settings.items():
        if setting.differs_within == "sweep":
            continue
        if setting.of_cost:
            yield (
                f"{name} decides what a trial costs, and the trials of a batch are priced "
                "together; leave out differs_within, or of_cost"
            )
        if setting.kind is frozenset:
            yield (
                f"{name} is a set of names, which the trials of a batch share; leave out "
                "differs_within"
            )


def _outcome_problems(trainer: Trainer) -> Iterator[str]:
    outcome = next((column for column in trainer.results if column.name == "outcome"), None)
    if outcome is None:
        yield "a trainer's results need a column 'outcome'"
    elif outcome.kind is not str or not outcome.choices:
        yield "the column outcome is counted by name: it needs kind str, and choices to list"


def _former_name_problems(table: str, columns: Sequence[Column]) -> Iterator[str]:
    taken = {column.name for column in columns}
    for column in columns:
        if column.formerly in taken:
            yield (
                f"{table}: the column {column.name} was formerly {column.formerly!r}, which is the "
                "name of another column; rename that one, or leave out formerly"
            )
        if column.formerly is not None:
            taken.add(column.formerly)


def _kind_problem(table: str, column: Column) -> str:
    kinds = ", ".join(kind.__name__ for kind in COLUMN_TYPES)
    return f"{table}: the column {column.name} is of kind {column.kind!r}; take one of {kinds}"
