"""The thresholds that judged a store's rows, as its manifest has them, and where they differ."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def judged_by(
    manifest: Mapping[str, Any], digests: Iterable[str | None]
) -> list[Mapping[str, float]]:
    """The thresholds that judged a store's rows, by name, as its manifest has them.

    Args:
        manifest: The store's.
        digests: The rows' values of `thresholds`; None for rows of an older version, which had
            one entry for all rows.

    Returns:
        For each digest its numbers by name; none where the manifest has no such entry.
    """
    entries = {None: manifest.get("thresholds", {}), **manifest.get("judged_by", {})}
    return [entries.get(digest, {}) for digest in digests]


def differing(each: Sequence[Mapping[str, float]]) -> dict[str, list[float | None]]:
    """The thresholds that differ between the sets, with their numbers; None if missing."""
    names = dict.fromkeys(name for numbers in each for name in numbers)
    values = {name: [numbers.get(name) for numbers in each] for name in names}
    return {name: found for name, found in values.items() if len(set(found)) > 1}
