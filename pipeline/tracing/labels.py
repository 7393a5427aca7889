"""The labels that a boundary lies between: of rows, and of vertices where several seeds vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.outcomes import DIVERGED
from core.trainers import Trainer

Labels = NDArray[np.int8]

# Below the labels, which count from 0: not known, and known to have no clear majority.
UNKNOWN, UNDECIDED = -2, -1

TRAINED = ("trained",)


@dataclass(frozen=True)
class Labeling:
    """How a row gets its label: by a column of `runs`.

    Attributes:
        column: Its name.
        groups: The values of each label; all others, NULL among them, have one more.
    """

    column: str
    groups: tuple[Sequence[Any], ...]

    @property
    def count(self) -> int:
        """How many labels there are."""
        return len(self.groups) + 1

    def labels(self, values: pa.Array) -> Labels:
        """(rows,): the label of each."""
        known = [value for group in self.groups for value in group]
        of_known = [label for label, group in enumerate(self.groups) for _ in group]
        found = pc.index_in(values, value_set=pa.array(known)).fill_null(len(known))
        labels: Labels = np.array([*of_known, len(self.groups)], np.int8)[np.asarray(found)]
        return labels


def labelings(trainer: Trainer) -> Mapping[str, Labeling]:
    """What can be traced of a trainer's results, by name.

    These are the columns of names and of truths, and shares of the outcomes: `trained`, and
    `diverged`, an overflow included.
    """
    found = {}
    for column in trainer.results:
        if column.choices:
            found[column.name] = Labeling(column.name, tuple((each,) for each in column.choices))
        elif column.kind is bool:
            found[column.name] = Labeling(column.name, ((False,), (True,)))
    for name, outcomes in (("trained", TRAINED), ("diverged", DIVERGED)):
        if set(outcomes) <= set(trainer.outcomes):
            found[name] = Labeling("outcome", (outcomes,))
    return found


def majorities(votes: Labels, count: int) -> Labels:
    """(vertices,): the label that most seeds have, if clearly more than half of them have it.

    It is UNDECIDED where the Wilson interval of its share, at one standard error, contains one
    half: (2 k - n)^2 < n for k of n seeds (Wilson 1927). A single seed decides, as 1 of 1 does.

    Args:
        votes: (vertices, seeds), UNKNOWN where there is none; a vertex without any is UNKNOWN.
        count: How many labels there are.
    """
    if votes.shape[1] == 1:
        return votes[:, 0]
    tally = np.stack([(votes == label).sum(axis=1) for label in range(count)])
    voted = tally.sum(axis=0)
    lead = 2 * tally.max(axis=0) - voted
    decided = (lead > 0) & (lead * lead >= voted)
    labels = np.where(decided, tally.argmax(axis=0), UNDECIDED).astype(np.int8)
    labels[voted == 0] = UNKNOWN
    return labels
