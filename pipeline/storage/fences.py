"""Fences against a writer that uploads after another one has taken its object store over.

A writer looks at its lease and then uploads a part. If it is stopped between the two for longer
than the lease lasts, the next writer trains the same trials, and the part comes late: rows twice.
So the next writer begins with a fence: parts without rows, in all tables, under the number that the
other one may be about to use. Then it removes what has come under that number; and every writer
looks for a fence after its uploads, and removes them if it finds one. Whichever of the two comes
last sees what the other did.
"""

from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa

from pipeline.storage.files import Files
from pipeline.storage.parts import fence_name, parquet, parts_among


def fence_off(commits: set[int], files: Files, schemas: Mapping[str, pa.Schema]) -> None:
    """Let no rows count that another writer uploads as one of these commits.

    Fences that a writer began before it died are finished too.

    Args:
        commits: Their numbers; none that a reader has seen as finished.
        files: The store's.
        schemas: Of its tables by name, `runs` first.
    """
    for commit in sorted(commits | _fenced(files, schemas)):
        for table in reversed(list(schemas)):  # `runs` last, as in any commit
            if fence_name(commit) not in files.names(table):
                empty = schemas[table].empty_table()
                files.write(f"{table}/{fence_name(commit)}", parquet(empty))


def is_fenced_off(commit: int, files: Files) -> bool:
    """Whether another writer has fenced a commit off."""
    return files.read(f"runs/{fence_name(commit)}") is not None


def remove_late_parts(files: Files, schemas: Mapping[str, pa.Schema]) -> list[str]:
    """Remove the parts that came under the number of a fence; returns their names."""
    fenced = _fenced(files, schemas)
    late = [
        f"{table}/{part.name}"
        for table in schemas
        for part in parts_among(files.names(table))
        if part.first in fenced and not part.is_fence
    ]
    for name in late:
        with suppress(FileNotFoundError):  # both writers may remove it
            files.remove(name)
    return late


def _fenced(files: Files, schemas: Mapping[str, pa.Schema]) -> set[int]:
    parts = (part for table in schemas for part in parts_among(files.names(table)))
    return {part.first for part in parts if part.is_fence}
