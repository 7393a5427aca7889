"""A trainer's description: what no sweep or store can be made of is refused where it comes in."""

from dataclasses import dataclass, replace

import pytest

from core.settings import setting
from core.trainers import Column, Table
from core.training import FULLY_CONNECTED
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import load_sweep
from pipeline.trainer_checks import TrainerError, check


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A trial that is trained on data."""

    dataset: str = setting("data set name", "name", of_task=True)
    examples: int = setting("how many", "examples", of_task=True)
    rate: float = setting("step size", differs_within="start")


OUTCOME = Column("outcome", str, "how it ended", "name", choices=("fitted", "lost"))
FIT = replace(
    FULLY_CONNECTED, trial=Fit, results=(OUTCOME,), tables={}, baseline=None, baseline_by=()
)


@dataclass(frozen=True, kw_only=True)
class NoExamples:
    """A trial without a number of examples."""

    dataset: str = setting("data set name", "name", of_task=True)


@dataclass(frozen=True, kw_only=True)
class OneTask:
    """A trial whose data set is not said to decide its task."""

    dataset: str = setting("data set name", "name")
    examples: int = setting("how many", "examples", of_task=True)


@dataclass(frozen=True, kw_only=True)
class ManyTasks(Fit):
    """A trial whose task may be another one's of the same batch."""

    noise: float = setting("of the targets", of_task=True, differs_within="batch")


@dataclass(frozen=True, kw_only=True)
class OwnCosts(Fit):
    """A trial that may cost more than another one of the same batch."""

    rounds: int = setting("how many", of_cost=True, differs_within="start")


@dataclass(frozen=True, kw_only=True)
class OwnSets(Fit):
    """A trial that may measure more than another one of the same batch."""

    measure: frozenset[str] = setting("what", choices=("a", "b"), differs_within="batch")


WRONG = [
    (
        {"results": (OUTCOME, Column("end", str, "how it ended", formerly="outcome"))},
        "runs: the column end was formerly 'outcome', which is the name of another column",
    ),
    (
        {
            "results": (
                OUTCOME,
                Column("first", float, "its loss", formerly="loss"),
                Column("last", float, "its loss", formerly="loss"),
            )
        },
        "runs: the column last was formerly 'loss', which is the name of another column",
    ),
    ({"trial": OwnCosts}, "rounds decides what a trial costs, and the trials of a batch are"),
    ({"trial": OwnSets}, "measure is a set of names, which the trials of a batch share"),
    ({"trial": NoExamples}, "a trainer with a task needs a setting 'examples' with of_task=True"),
    ({"trial": OneTask}, "a trainer with a task needs a setting 'dataset' with of_task=True"),
    ({"trial": ManyTasks}, "noise decides what a trial is trained on"),
    ({"baseline_by": ("loss",)}, "baseline_by names 'loss', which is no setting; take one of"),
    ({"results": ()}, "results need a column 'outcome'"),
    ({"results": (replace(OUTCOME, choices=()),)}, "outcome is counted by name: it needs kind"),
    ({"results": (replace(OUTCOME, kind=int),)}, "outcome is counted by name: it needs kind str"),
    (
        {"results": (OUTCOME, Column("path", list, "its steps"))},
        "runs: the column path is of kind <class 'list'>; take one of str, int, float, bool",
    ),
    (
        {"tables": {"ends": Table((Column("at", complex, "where"),), len)}},
        "ends: the column at is of kind <class 'complex'>; take one of str",
    ),
    ({"tables": {"runs": Table((), len)}}, "further table cannot be called 'runs'"),
]


def test_a_sound_description_passes():
    """With a task, and without one, where no setting has to name data."""
    check(FIT)
    check(FULLY_CONNECTED)
    check(replace(FIT, trial=NoExamples, task=None))


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_description_is_refused_before_anything_runs(tmp_path, changes, message):
    """By a store as by a sweep, with the name of what is wrong."""
    wrong = replace(FIT, **changes)
    with pytest.raises(TrainerError, match=message):
        Store(tmp_path / "store", wrong)
    with pytest.raises(TrainerError, match=message):
        load_sweep("quickstart", wrong)
