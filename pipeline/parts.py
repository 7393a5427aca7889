"""Part files, named by the commits whose rows they hold.

`part-00000003-00000007-1f2e3d4c.parquet` holds commits 3 to 7; before a compaction both
numbers are one. So a file that went missing leaves a gap, and what a crash left
unfinished is told from what was lost.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

_NAME = re.compile(r"part-(\d{8})-(\d{8})-[0-9a-f]{8}\.parquet")


@dataclass(frozen=True, order=True)
class Part:
    """A part file and the commits it holds, first to last."""

    first: int
    last: int
    name: str

    def overlaps(self, others: Iterable["Part"]) -> bool:
        """Whether any of the others holds one of its commits."""
        return any(self.first <= other.last and other.first <= self.last for other in others)


def part_name(first: int, last: int) -> str:
    """A new name for a part of commits `first` to `last`."""
    return f"part-{first:08}-{last:08}-{uuid4().hex[:8]}.parquet"


def parsed(name: str) -> Part | None:
    """The part of that name; None for a file that no store wrote."""
    match = _NAME.fullmatch(name)
    return Part(int(match[1]), int(match[2]), name) if match else None


def parts_among(names: Iterable[str]) -> list[Part]:
    """The parts among file names, in order of their commits."""
    return sorted(part for name in names if (part := parsed(name)))


def missing_commits(parts: Sequence[Part], last: int) -> list[int]:
    """The commits from 1 to `last` that no part holds."""
    held: set[int] = set()
    for part in parts:
        held.update(range(part.first, part.last + 1))
    return [commit for commit in range(1, last + 1) if commit not in held]
