"""What the pipeline needs from anything that it sweeps: a Trainer describes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.settings import COLUMN_TYPES, Setting, Trials, one_of, settings_of

# A table's columns as train returns them: by name, arrays or lists of one length. None and numbers
# that are not finite become NULL in the store.
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a result.

    Attributes:
        name: In the table.
        kind: str, int, float or bool.
        meaning: For the data dictionary, which adds the choices.
        unit: "1" is a pure number.
        choices: The names that may stand there; none for any.
        required: Whether every row has it.
        formerly: Its name in the files of older versions; None if it had no other.
    """

    name: str
    kind: type
    meaning: str
    unit: str = "1"
    choices: tuple[str, ...] = ()
    required: bool = False
    formerly: str | None = None

    @property
    def description(self) -> str:
        """Its meaning, the names that it may be, and the name that it had."""
        choices = [one_of(self.choices)] if self.choices else []
        former = [f"formerly {self.formerly}"] if self.formerly else []
        return "; ".join([self.meaning, *choices, *former])

    @property
    def column_type(self) -> str:
        """The name of its type in Arrow."""
        return COLUMN_TYPES[self.kind]

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of the column in a table."""
        return {"meaning": self.description, "unit": self.unit}


# Which thresholds judged a row of `runs`: written by a store, and missing in older ones.
JUDGED_BY = Column(
    "thresholds",
    str,
    "by which it was judged: a name in the manifest's judged_by; NULL: the manifest's thresholds",
    "name",
)

# Which step of a traced sweep asked for a row of `runs`: written by a store too.
ASKED_BY = (
    Column(
        "level",
        int,
        "of a traced sweep's step that asked for it: 0 for the coarse grid, whose gaps each level "
        "halves; NULL: a dense sweep trained it",
    ),
    Column(
        "reason",
        str,
        "why a traced sweep asked for it: the coarse grid, a split or followed cell, or the random "
        "sample of the others; NULL: a dense sweep trained it",
        "name",
        choices=("base", "split", "follow", "audit"),
    ),
)


@dataclass(frozen=True)
class Table:
    """A further table, of which a trial may have several rows.

    Attributes:
        columns: After `trial_id`; by the first of them the rows of a trial are sorted.
        rows: How many rows a trial has, from the least to the most.
    """

    columns: tuple[Column, ...]
    rows: Callable[[Any], range]


def _free(trial: Any, data: Any) -> float:
    """A cost of nothing."""
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Everything that the pipeline needs to sweep one kind of training.

    Attributes:
        trial: The class of its trials: a frozen dataclass of settings.
        results: What a training comes to: columns of `runs`, `outcome` among them, whose
            choices are counted while a sweep runs.
        tables: Further tables by name.
        train: Trains trials that differ only in Trials.columns, on their task. Returns columns
            by table: under "runs" the results, one row per trial in order; under each further
            table its columns, and in "place" which of the trials each row belongs to. A
            training that diverges is a row; an exception is a bug.
        seconds: Estimated time of one training on one core, for a trial and the sizes of its
            data (core.datasets.DatasetInfo; None without data).
        start_seconds: The same for work that is done once per start: for all trials of a batch
            that differ only in settings that may differ within a start.
        flops: Floating-point operations of one training; None if they are not counted.
        task: What a trial is trained on, from the trial and its data set
            (core.datasets.Dataset); None for a trainer that needs no data.
        baseline: The loss of the best constant predictor, from the trial and its task; `plan`
            and `run` show it for each task. None where there is no such loss.
        baseline_by: The names of the settings that `baseline` depends on. Baselines are listed as
            `mse, raw targets`: the value of the first setting always, those of the others
            where they vary.
        prepare: Called in the driver before a sweep begins, with the sweep's axes by name;
            says what it does, through the second argument.
        version: Changes when the last bits of the results do.
        thresholds: The numbers that decide between outcomes, by name.
    """

    trial: type
    results: tuple[Column, ...]
    train: Callable[[Trials[Any], Any], Mapping[str, Columns]]
    seconds: Callable[[Any, Any], float]
    tables: Mapping[str, Table] = field(default_factory=dict)
    start_seconds: Callable[[Any, Any], float] = _free
    flops: Callable[[Any, Any], int] | None = None
    task: Callable[[Any, Any], Any] | None = None
    baseline: Callable[[Any, Any], float] | None = None
    baseline_by: tuple[str, ...] = ()
    prepare: Callable[[Mapping[str, tuple[Any, ...]], Callable[[str], None]], None] | None = None
    version: str = "1"
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings of its trials by name, in the order of the columns."""
        return settings_of(self.trial)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The possible outcomes of a training, in the order in which they are listed."""
        return next(column.choices for column in self.results if column.name == "outcome")
