"""The next round of a traced sweep, from the rows that are there and nothing else.

Each panel's rounds are gone through from the first one, with the labels of its rows, up to one
that lacks rows: what it lacks is the next round. Rows that no round asked for, as of a dense
sweep, decide nothing; so every run of a sweep ends with the same trials, wherever it was
interrupted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.settings import settings_of, values_of
from core.trainers import Trainer
from pipeline.grids.factors import Places
from pipeline.grids.grid import Grid
from pipeline.tracing.audits import Audit, sample
from pipeline.tracing.fronts import Asked, Front
from pipeline.tracing.labels import UNKNOWN, Labels, labelings, majorities
from pipeline.tracing.lattices import Lattice
from pipeline.tracing.panels import Panels
from pipeline.tracing.traces import Trace


@dataclass(frozen=True)
class Round:
    """Trials that can be trained now.

    Attributes:
        cells: The grid's numbers.
        asked: By column of `runs`, `level` and `reason`, what each was asked for.
    """

    cells: Places
    asked: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.cells)


class Tracer:
    """A traced sweep, as far as its rows go."""

    def __init__(self, grid: Grid, trainer: Trainer, trace: Trace):
        """Begin without rows.

        Args:
            grid: Of which some cells are trained.
            trainer: Says what can be traced.
            trace: Without a problem on this grid.
        """
        self._grid, self._labeling = grid, labelings(trainer)[trace.of]
        self._cells, self._labels = np.empty(0, np.int64), np.empty(0, np.int8)
        self.panels = Panels(grid, trace.axes)
        lattice = Lattice(self.panels.shape)
        self._courses = [self._course(panel, lattice) for panel in range(len(self.panels))]

    def _course(self, panel: int, lattice: Lattice) -> "_Course":
        drawn = sample(self.panels.identity(panel), self.panels.axes, lattice.size)
        return _Course(Front(lattice, drawn))

    @property
    def columns(self) -> list[str]:
        """The columns of `runs` that it learns from."""
        return [*settings_of(self._grid.trial), self._labeling.column]

    def learn(self, rows: pa.RecordBatch) -> None:
        """Take rows of `runs` that were not there before; those of other sweeps are ignored."""
        index, inside = self._grid.numbers(rows)
        labels = self._labeling.labels(rows[self._labeling.column])
        self._add(index[inside], labels[inside])

    def fail(self, trial: Any) -> None:
        """Go on without a trial that cannot be trained."""
        cells = self._grid.indices_of(pa.RecordBatch.from_pylist([values_of(trial)]))
        self._add(cells, np.full(len(cells), UNKNOWN, np.int8))

    def _add(self, cells: Places, labels: Labels) -> None:
        cells = np.concatenate([self._cells, cells])
        order = np.argsort(cells, kind="stable")
        self._cells, self._labels = cells[order], np.concatenate([self._labels, labels])[order]

    def next_round(self) -> Round:
        """What is to be trained next, in all panels; nothing once the boundary is traced."""
        cells, levels, reasons = [], [], []
        for panel, course in enumerate(self._courses):
            for asked, lacking in self._lacking(panel, course):
                cells.append(lacking)
                levels.append(np.full(len(lacking), asked.level))
                reasons.append(np.full(len(lacking), asked.reason, object))
        if not cells:
            return Round(np.empty(0, np.int64), {})
        columns = {"level": np.concatenate(levels), "reason": np.concatenate(reasons)}
        return Round(np.concatenate(cells), columns)

    def _lacking(self, panel: int, course: "_Course") -> Iterator[tuple[Asked, Places]]:
        """The trials without a row in the first of a panel's rounds that lacks some."""
        while not course.is_complete:
            cells = [self.panels.cells(panel, asked.vertices) for asked in course.asked]
            lacking = [own[~self._have_rows(own)] for own in cells]
            if any(map(len, lacking)):
                yield from zip(course.asked, lacking, strict=True)
                return
            for asked, own in zip(course.asked, cells, strict=True):
                votes = self._labels[np.searchsorted(self._cells, own)]
                course.front.learn(asked.vertices, majorities(votes, self._labeling.count))
            course.go_on()

    def _have_rows(self, cells: Places) -> NDArray[np.bool_]:
        if not len(self._cells):
            return np.zeros(cells.shape, bool)
        places = np.searchsorted(self._cells, cells)
        known: NDArray[np.bool_] = self._cells.take(places, mode="clip") == cells
        return known

    @property
    def counts(self) -> "Counts":
        """How many trials it takes, as far as is known after `next_round`."""
        size = self._grid.size // len(self.panels)
        found = np.bincount(
            self.panels.numbers(self._cells[self._labels != UNKNOWN]), minlength=len(self.panels)
        )
        asked = np.array([course.count for course in self._courses]) * self.panels.seeds
        complete = np.array([course.is_complete for course in self._courses])
        return Counts(
            least=int(asked.sum()),
            most=int(np.where(complete, asked, size).sum()),
            finished=int(np.where(complete, asked, found).sum()),
            trained=int(found.sum()),
            complete=int(complete.sum()),
            panels=len(self.panels),
        )

    @property
    def audits(self) -> list[dict[str, Any]]:
        """The audit of each panel, as the manifest has it."""
        return [
            {
                "panel": self.panels.varying(panel),
                "audited": course.audit.audited,
                "wrong": course.audit.wrong,
                "bound": course.audit.bound,
                "complete": course.is_complete,
            }
            for panel, course in enumerate(self._courses)
        ]


@dataclass(frozen=True)
class Counts:
    """How many trials a traced sweep takes; the boundary decides, so this is a range.

    Attributes:
        least: How many were asked for so far, those that come next included.
        most: How many there are if all panels that are not complete become dense.
        finished: How many of these have a row.
        trained: How many have a row, whether they were asked for or not.
        complete: How many panels have all that was asked for.
        panels: How many there are.
    """

    least: int
    most: int
    finished: int
    trained: int
    complete: int
    panels: int


class _Course:
    """How far a panel has come.

    Attributes:
        front: What is known of it.
        is_complete: Whether it has all that it asked for.
        asked: What its round asks for; nothing once it is complete.
        count: How many vertices it has asked for so far.
    """

    def __init__(self, front: Front):
        self.front, self.count = front, 0
        self._rounds = front.rounds()
        self.is_complete = False
        self.go_on()

    @property
    def audit(self) -> Audit:
        return self.front.audit

    def go_on(self) -> None:
        """To the next round, once this one's labels are learned."""
        following = next(self._rounds, None)
        self.is_complete, self.asked = following is None, following or ()
        self.count += sum(len(each.vertices) for each in self.asked)
