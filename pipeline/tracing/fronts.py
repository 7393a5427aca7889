"""Follows the boundaries of a panel's labels, level by level, and asks for what it has to know.

A cell is mixed if its corners differ, if one of them is undecided, or if an audit found another
label in it. A level first *follows* the boundary: it asks for what lies near mixed cells, which
may show more of them. Then it *splits* mixed cells and those near them: the next level's vertices
there are asked for. A part of a fixed sample that lies in cells that are not split is asked for
beside: the audit. A label that is not that of its cell makes the cell mixed, which starts a front.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.tracing.audits import Audit
from pipeline.tracing.labels import UNDECIDED, UNKNOWN, Labels
from pipeline.tracing.lattices import Lattice, Mask, Vertices, around, corners, extremes

Reason = Literal["base", "split", "follow", "audit"]

REACH = 2  # in cells: how far from mixed ones vertices are asked for
MARGIN = 2  # in cells: how far from mixed ones cells are split
MOST_PASSES = 3  # of following, at one level
# Of a level's cells mixed: all vertices are asked for, at the levels where splitting all that lies
# near would come to the same. A coarse level says little: of a line it is mostly mixed too.
DENSE = 1 / 3
DENSE_LEVELS = 2  # before the last


@dataclass(frozen=True)
class Asked:
    """Vertices of a panel that are to be trained.

    Attributes:
        vertices: Their numbers, sorted.
        level: For which level.
        reason: Why: for the coarse grid, or by which step.
    """

    vertices: Vertices
    level: int
    reason: Reason


class Front:
    """What is known of a panel's labels, and what has to be asked for next.

    Attributes:
        audited: How many vertices of the sample were trained in cells that were not split.
        wrong: How many of them had not their cell's label.
    """

    def __init__(self, lattice: Lattice, sample: Vertices):
        """Begin with nothing known.

        Args:
            lattice: The panel's vertices.
            sample: Distinct vertices to audit with.
        """
        self.audited = self.wrong = 0
        self._lattice, self._sample = lattice, sample
        self._labels = np.full(lattice.shape, UNKNOWN, np.int8)
        self._hits = np.empty(0, np.int64)

    @property
    def audit(self) -> Audit:
        """The audit so far."""
        return Audit(self.audited, self.wrong, int((self._labels == UNKNOWN).sum()))

    def learn(self, vertices: Vertices, labels: Labels) -> None:
        """Take labels of vertices; UNKNOWN where there is none to be had."""
        self._labels.flat[vertices] = labels

    def rounds(self) -> Iterator[list[Asked]]:
        """What is asked for, round by round; each is to be learned before the next."""
        coarse = np.ones(self._lattice.part(self._labels, 0).shape, bool)
        yield [Asked(self._lattice.numbers(coarse, 0), 0, "base")]
        last = self._lattice.levels - 1
        for level in range(last + 1):
            mixed = yield from self._follow(level)
            if level >= last - DENSE_LEVELS and mixed.mean() >= DENSE:
                yield [Asked(np.flatnonzero(self._labels == UNKNOWN), last, "split")]
                return
            if level < last:
                yield from self._split(mixed, level)

    def _follow(self, level: int) -> Generator[list[Asked], None, Mask]:
        """Returns a level's mixed cells."""
        mixed = self._mixed(level)
        for _ in range(MOST_PASSES):
            found = self._unknown(around(mixed, REACH), level)
            if not len(found):
                break
            yield [Asked(found, level, "follow")]
            mixed = self._mixed(level)
        return mixed

    def _split(self, mixed: Mask, level: int) -> Iterator[list[Asked]]:
        split = around(mixed, MARGIN)
        audit = self._unsplit_sample(split, level)
        inferred = self._at_cells(audit, level)
        asked = np.setdiff1d(self._unknown_within(split, level), audit)
        yield [Asked(asked, level + 1, "split"), Asked(audit, level, "audit")]
        found = self._labels.flat[audit]
        known = (found != UNKNOWN) & (inferred != UNKNOWN)
        wrong = known & (found != inferred)
        self.audited += int(known.sum())
        self.wrong += int(wrong.sum())
        if wrong.any():
            self._hits = np.concatenate([self._hits, audit[wrong]])
            split = around(self._mixed(level), MARGIN)
            yield [Asked(self._unknown_within(split, level), level + 1, "split")]

    def _mixed(self, level: int) -> Mask:
        """Which cells of a level are mixed, as far as is known."""
        least, largest = extremes(self._lattice.part(self._labels, level))
        mixed: Mask = (least != UNKNOWN) & ((least != largest) | (least == UNDECIDED))
        if len(self._hits):
            cells = self._lattice.cells(self._hits, level)
            differ = self._at_cells(self._hits, level) != self._labels.flat[self._hits]
            mixed[tuple(own[differ] for own in cells)] = True
        return mixed

    def _at_cells(self, vertices: Vertices, level: int) -> Labels:
        """The label at the first corner of the cell that holds each vertex."""
        return self._lattice.part(self._labels, level)[self._lattice.cells(vertices, level)]

    def _unsplit_sample(self, split: Mask, level: int) -> Vertices:
        """What of the sample is not known and lies in cells that are not split."""
        left = self._sample[self._labels.flat[self._sample] == UNKNOWN]
        found: Vertices = left[~split[self._lattice.cells(left, level)]]
        return found

    def _unknown_within(self, cells: Mask, level: int) -> Vertices:
        """What of the next level's vertices within a level's cells is not known."""
        return self._unknown(self._lattice.children(cells, level), level + 1)

    def _unknown(self, cells: Mask, level: int) -> Vertices:
        """The unknown corners of a level's cells, and of those that have to be there beside them.

        Neighbors differ by one level at most: around the cells in which these lie, all cells of
        the level before are needed, and so on.
        """
        found = []
        while level >= 0 and cells.any():
            unknown = self._lattice.part(self._labels, level) == UNKNOWN
            found.append(self._lattice.numbers(corners(cells) & unknown, level))
            if level:
                cells = around(self._lattice.parents(cells, level), 1)
            level -= 1
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))
