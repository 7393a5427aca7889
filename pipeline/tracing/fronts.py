"""Finds the boundary between a panel's labels, level by level, and asks for the vertices it needs.

A cell is mixed if its corners have different labels, if one of them is undecided, or if the audit
found another label inside. At each level the boundary is *followed* first: the vertices near mixed
cells are asked for, which may show more mixed cells. Then mixed cells and those near them are
*split*: the next level's vertices in them are asked for. With these goes the *audit*: the vertices
of a fixed random sample whose cells are not split. An audited label that differs from its cell's
makes the cell mixed, and so starts a new front.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np

from pipeline.tracing.audits import Audit
from pipeline.tracing.labels import UNDECIDED, UNKNOWN, Labels
from pipeline.tracing.lattices import Lattice, Mask, Vertices, around, corners, extremes

Reason = Literal["base", "split", "follow", "audit"]

# How far from mixed cells, in cells, vertices are asked for when a boundary is followed, and cells
# are split; how often a level follows. The finest level reaches farther, for the specks beside a
# boundary, and follows until it finds no more.
REACH, MARGIN, MOST_PASSES = 2, 2, 3
FINEST_REACH = 6
# If this share of a level's cells is mixed, all vertices are asked for: with margins these are
# nearly all. Only the last levels before the finest decide that; a coarse one is often mixed where
# the boundary is a plain line.
DENSE, DENSE_LEVELS = 1 / 3, 2


@dataclass(frozen=True)
class Asked:
    """Vertices of a panel that are to be trained.

    Attributes:
        vertices: Their numbers, sorted.
        level: The level whose cells they are for.
        reason: The step that asks for them; `base` is the coarse grid.
    """

    vertices: Vertices
    level: int
    reason: Reason


class Front:
    """What is known of a panel's labels, and what has to be asked for next.

    Attributes:
        audited: How many vertices of the sample were trained in cells that were not split.
        wrong: How many of them had another label than their cell.
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
        """Take the labels of vertices; UNKNOWN for those that could not be trained."""
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
        mixed, asked = self._mixed(level), np.empty(0, np.int64)
        is_finest = level == self._lattice.levels - 1
        reach = FINEST_REACH if is_finest else REACH
        for _ in count() if is_finest else range(MOST_PASSES):
            # A vertex that cannot be trained stays unknown; once is enough.
            found = np.setdiff1d(self._unknown(around(mixed, reach), level), asked)
            if not len(found):
                break
            yield [Asked(found, level, "follow")]
            mixed, asked = self._mixed(level), np.union1d(asked, found)
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
