"""Part files, named by the commits whose rows they hold.

`part-00000003-00000007-1of2-1f2e3d4c.parquet` is the first of the two files that hold commits
3 to 7. Before a compaction each file holds one commit, so both numbers are the same. A file that
went missing leaves a gap in the numbers; a commit that a crash left unfinished does not. A part
whose random digits are all 0 has no rows; it is a fence, see pipeline.storage.fences.
"""

import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

MOST_COMMITS = 10**8 - 1  # what the eight digits of a name can count

_FENCE = "-00000000.parquet"
_NAME = re.compile(r"part-(\d{8})-(\d{8})-(\d+)of(\d+)-[0-9a-f]{8}\.parquet")


@dataclass(frozen=True, order=True)
class Part:
    """A part file: the `number`th of `files` that hold the commits first to last."""

    first: int
    last: int
    number: int
    files: int
    name: str

    @property
    def is_fence(self) -> bool:
        """Whether it has no rows, and no other part of its commit counts."""
        return self.name.endswith(_FENCE)

    def overlaps(self, others: Iterable["Part"]) -> bool:
        """Whether any of the others holds one of its commits."""
        return any(self.first <= other.last and other.first <= self.last for other in others)


def commits_in_words(commits: range) -> str:
    """`commit 3`, or `commits 3 to 7`."""
    first, last = commits[0], commits[-1]
    return f"commit {first}" if first == last else f"commits {first} to {last}"


def part_name(first: int, last: int, number: int = 1, files: int = 1) -> str:
    """A new name for the `number`th of the `files` that hold commits `first` to `last`."""
    return f"part-{first:08}-{last:08}-{number}of{files}-{uuid4().hex[:8]}.parquet"


def fence_name(commit: int) -> str:
    """The name, in every table, of the part that fences a commit off."""
    return f"part-{commit:08}-{commit:08}-1of1{_FENCE}"


def parsed(name: str) -> Part | None:
    """The part of that name; None for a file that no store wrote."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    first, last, number, files = map(int, match.groups())
    return Part(first, last, number, files, name)


def parts_among(names: Iterable[str]) -> list[Part]:
    """The parts among file names, in order of their commits."""
    return sorted(part for name in names if (part := parsed(name)))


def missing_commits(parts: Sequence[Part], last: int, known: Collection[int] = ()) -> list[range]:
    """The commits from 1 to `last` that no part holds, or of whose files one is missing.

    Args:
        parts: Of a table.
        last: The number of the last commit.
        known: Commits that were set aside, so that they are rightly missing.
    """
    numbers: dict[tuple[int, int, int], set[int]] = {}
    for part in parts:
        numbers.setdefault((part.first, part.last, part.files), set()).add(part.number)
    held = [
        (first, last_held)
        for (first, last_held, files), found in numbers.items()
        if len(found) == files
    ]
    missing, begin = [], 1
    for first, last_held in sorted([*held, *((commit, commit) for commit in known)]):
        if begin < first:
            missing.append(range(begin, min(first, last + 1)))
        begin = max(begin, last_held + 1)
    missing.append(range(begin, last + 1))
    return [commits for commits in missing if commits]


def parquet(rows: pa.Table) -> bytes:
    """A table as a Parquet file whose every page carries a checksum."""
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()
