"""The thresholds by which a store's runs were judged, as the store records them.

A run's column `thresholds` names an entry of the manifest's `judged_by`. A run without such a name
was judged by an older version, which had one set for the whole store: the manifest's
`thresholds`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.reading.stores import read_manifest
from core.outcomes import THRESHOLDS, Thresholds

NAMES = tuple(each.name for each in fields(Thresholds))


@dataclass(frozen=True)
class JudgedBy:
    """The thresholds by which the runs of a store were judged.

    Attributes:
        sets: By their name in the runs' column `thresholds`, None for the runs without one.
        presumed: The thresholds of runs whose set is not among `sets`.
        lacking: By the same names, the thresholds that the store's set does not have, so that
            this version's numbers are used. Complete sets are left out.
    """

    sets: Mapping[str | None, Thresholds]
    presumed: Thresholds = THRESHOLDS
    lacking: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)

    def of(self, name: str | None) -> Thresholds:
        """The set of thresholds with that name."""
        return self.sets.get(name, self.presumed)

    def groups(self, runs: pd.DataFrame) -> Iterator[tuple[Thresholds, pd.Series]]:
        """Each set of thresholds with a Boolean column: whether it judged the run."""
        for name, chosen in _groups(runs):
            yield self.of(name), chosen

    def values(self, runs: pd.DataFrame, threshold: str) -> pd.Series:
        """The value of one threshold by which each run was judged."""
        found = {name: getattr(self.of(name), threshold) for name in _names(runs).unique()}
        return _names(runs).map(found.__getitem__).astype(float)

    def moved(self, threshold: str, move: Callable[[float], float]) -> "JudgedBy":
        """Every set with one threshold moved."""

        def changed(rules: Thresholds) -> Thresholds:
            moved: dict[str, Any] = {threshold: move(getattr(rules, threshold))}
            return replace(rules, **moved)

        sets = {name: changed(rules) for name, rules in self.sets.items()}
        return replace(self, sets=sets, presumed=changed(self.presumed))

    def note(self, runs: pd.DataFrame) -> str | None:
        """One line on each unusual fact about how the runs were judged; None if there is none."""
        names = _names(runs)
        unknown = ~names.map(self.sets.__contains__).astype(bool)
        notes = []
        if len({self.of(name) for name in names.unique()}) > 1:
            notes.append("the runs were judged by different thresholds: each has its own")
        if unknown.any():
            whose = _whose(unknown)
            notes.append(f"nobody knows by what {whose} were judged: shown are this version's own")
        for name, chosen in _groups(runs):
            if name in self.lacking:
                lacking = ", ".join(self.lacking[name])
                notes.append(
                    f"nobody knows by what {lacking} {_whose(chosen)} were judged: shown is this "
                    "version's own"
                )
        return "\n".join(notes) or None


def read_judged_by(store: str | Path) -> JudgedBy:
    """The thresholds in a store's manifest, and those that its sets lack.

    Raises:
        NotAStoreError: There is no store at `store`.
    """
    manifest = read_manifest(store)
    older = {None: manifest["thresholds"]} if "thresholds" in manifest else {}
    sets = {**older, **manifest.get("judged_by", {})}
    lacking = {name: tuple(n for n in NAMES if n not in sets[name]) for name in sets}
    return JudgedBy(
        {name: _thresholds(numbers) for name, numbers in sets.items()},
        lacking={name: without for name, without in lacking.items() if without},
    )


def _thresholds(numbers: Mapping[str, Any]) -> Thresholds:
    return Thresholds(**{name: numbers[name] for name in NAMES if name in numbers})


def _groups(runs: pd.DataFrame) -> Iterator[tuple[str | None, pd.Series]]:
    """Each name in the runs' column `thresholds`, with a column: whether the run has it."""
    names = _names(runs)
    for name in names.unique():
        yield name, names.isna() if name is None else names == name


def _whose(chosen: pd.Series) -> str:
    """Those runs in words."""
    return "the runs" if chosen.all() else f"{chosen.sum():,} of {len(chosen):,} runs"


def _names(runs: pd.DataFrame) -> pd.Series:
    """The name of each run's thresholds; None where the run names none."""
    if "thresholds" not in runs:
        return pd.Series([None] * len(runs), runs.index, dtype=object)
    names = runs["thresholds"].astype(object)
    return names.where(names.notna(), None)
