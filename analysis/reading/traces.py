"""The traced sweeps of a store: whose map they know from some of its cells, and how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from analysis.reading.stores import read_manifest


@dataclass(frozen=True)
class Audit:
    """A random sample of the cells of a panel that were not asked for, trained all the same.

    Attributes:
        panel: The settings of the panel.
        audited: How many cells.
        wrong: How many of them had not the label that was inferred.
        bound: At most this share of the inferred labels is wrong, with 95% confidence.
        complete: Whether all that was asked for is trained.
    """

    panel: Mapping[str, Any]
    audited: int
    wrong: int
    bound: float
    complete: bool = True


@dataclass(frozen=True)
class Trace:
    """A sweep that trained the cells near a boundary alone.

    Attributes:
        sweep: Its name.
        values: By setting, the values of the dense map.
        axes: The settings along which the boundary was traced.
        of: The label that the boundary divides, as of analysis.reading.labels.
        audits: One for each panel that was audited.
    """

    sweep: str
    values: Mapping[str, Sequence[Any]]
    axes: tuple[str, ...]
    of: str
    audits: tuple[Audit, ...]


def read_traces(store: str | Path) -> list[Trace]:
    """The traced sweeps of a store, the last one run last; none if all are dense.

    Raises:
        NotAStoreError: There is no store at `store`, or its manifest is damaged.
    """
    entries = read_manifest(store).get("sweeps", [])
    return [_trace(entry) for entry in entries if entry.get("trace")]


def _trace(entry: Mapping[str, Any]) -> Trace:
    known = [field.name for field in fields(Audit)]
    audits = tuple(
        Audit(**{name: each[name] for name in known if name in each})
        for each in entry.get("audits", ())
    )
    traced = entry["trace"]
    return Trace(entry["name"], entry["axes"], tuple(traced["axes"]), traced["of"], audits)
