"""The words that `phasesweep explain` has for each run, packed: each pattern once, and numbers."""

import re
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.atlas.place import quoted_place
from analysis.atlas.profiles import START
from analysis.explaining.causes import Run, why
from analysis.explaining.explanation import (
    QUOTED,
    RATE_WANTED,
    as_runs,
    changes,
    events,
    no_action,
    rate_command,
    signal_theory,
    theory_sentences,
    wanting_a_rate,
)
from analysis.explaining.pytorch_lines import conventions, pytorch_lines
from analysis.explaining.remedies import remedies_of_each
from analysis.explaining.suggestions import Remedy
from analysis.reading.printing import printable
from analysis.reading.stores import MissingTableError, read_layers
from analysis.reading.thresholds import read_judged_by
from core.theory.mean_field import MeanField

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", re.ASCII)
GAP = "\0"  # of a pattern: where a number stands
PART, PARAGRAPH = "\x1d", "\x1e"  # what separates the parts of an action, and its paragraphs
NOWHERE = 2**32 - 1


def word_columns(
    store: str | Path, runs: pd.DataFrame, ids: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, NDArray[Any]]]:
    """The explanation of every run, and the place of the trained run that its remedy names.

    Args:
        store: Where layers and thresholds are.
        runs: All columns of the table, in the page's order.
        ids: What the page calls each run.

    Returns:
        The patterns of each section, and the columns `pattern of SECTION`, `numbers of
        SECTION` (as packed makes them) and `nearest`, NOWHERE where no run is named.
    """
    judged_by = read_judged_by(store)
    quoted = {name: judged_by.values(runs, name) for name in QUOTED}
    each = as_runs(runs.assign(**quoted))
    suggested = list(remedies_of_each(each, runs))
    places = {trial_id: place for place, trial_id in enumerate(runs["trial_id"])}
    nearest = [places.get(_named(remedies), NOWHERE) for remedies in suggested]
    called = [None if near == NOWHERE else ids[near] for near in nearest]
    theories = _theories(store, runs, each)
    texts = {
        "why": [printable(why(run)) for run in each],
        "happened": [_paragraphs(events(run)) for run in each],
        "theory": list(map(_paragraphs, map(theory_sentences, each, theories))),
        "actions": list(map(_actions, each, suggested, called, repeat(quoted_place(store)))),
    }
    patterns: dict[str, list[str]] = {}
    columns: dict[str, NDArray[Any]] = {"nearest": np.array(nearest, np.uint32)}
    for section, words in texts.items():
        patterns[section], code, numbers = packed(words)
        columns |= {f"pattern of {section}": code, f"numbers of {section}": numbers}
    return patterns, columns


def packed(texts: Sequence[str]) -> tuple[list[str], NDArray[np.uint32], NDArray[np.uint8]]:
    """Texts as patterns, in which GAP stands for a number, and the numbers.

    Returns:
        The patterns, the place of each text's pattern among them, and the numbers as lines of
        ASCII: pattern by pattern, gap by gap, text by text, so that similar numbers follow one
        another.
    """
    patterns: dict[str, int] = {}
    code = np.empty(len(texts), np.uint32)
    filled: list[list[list[str]]] = []
    for place, text in enumerate(texts):
        numbers = NUMBER.findall(text)
        pattern = NUMBER.sub(GAP, text)
        code[place] = patterns.setdefault(pattern, len(patterns))
        if code[place] == len(filled):
            filled.append([])
        filled[code[place]].append(numbers)
    lines = "\n".join("\n".join(gap) for rows in filled for gap in zip(*rows, strict=True))
    return list(patterns), code, np.frombuffer(lines.encode("ascii"), np.uint8)


def _theories(
    store: str | Path, runs: pd.DataFrame, each: Sequence[Run]
) -> Iterable[MeanField | None]:
    """The theory of each run's signals: runs that share a start share it."""
    try:
        layers = read_layers(
            store, ["trial_id", "layer", "log10_mean_square_h"], where={"layer": 1}
        )
    except MissingTableError:
        layers = pd.DataFrame({"trial_id": [], "layer": [], "log10_mean_square_h": []})
    first = dict(iter(layers.groupby("trial_id")))
    known: dict[int, MeanField | None] = {}
    starts = runs.groupby(START, sort=False).ngroup()
    for start, run in zip(starts, each, strict=True):
        if start not in known:
            known[start] = signal_theory(run, first.get(run["trial_id"], layers.iloc[:0]))
        yield known[start]


def _named(remedies: list[Remedy]) -> str | None:
    return next((each.trial_id for each in remedies if each.trial_id), None)


def _actions(run: Run, remedies: list[Remedy], named: str | None, where: str) -> str:
    """What to do, in parts: the remedies, each with its changes, reason and code; then the rest."""
    if not remedies:
        return printable(no_action(run))
    parts = []
    for each in remedies:
        reason = (
            each.reason.replace(each.trial_id, named) if each.trial_id and named else each.reason
        )
        lines = pytorch_lines({**run, **each.changes}, each.changes)
        parts.append([*map(_lines, (changes(run, each.changes), [reason], lines))])
    rest = [conventions({**run, **remedies[0].changes})]
    for each in wanting_a_rate(run, remedies):
        rest += [RATE_WANTED, _lines(rate_command({**run, **each.changes}, where))]
    return PART.join(PARAGRAPH.join(part) for part in [*parts, rest])


def _lines(lines: Iterable[str] | Sequence[str]) -> str:
    return "\n".join(map(printable, lines))


def _paragraphs(sentences: Iterable[str]) -> str:
    return PARAGRAPH.join(map(printable, sentences))
