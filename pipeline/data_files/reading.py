"""How a data file is read: the settings in the sweep file, and phrases for messages."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_NAMED = 5  # columns, rows or values in a message

# Words that YAML takes for something else than text.
YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class DataFileError(ValueError):
    """A file that cannot be trained on; the message names it, the place and the remedy."""


@dataclass(frozen=True)
class Reading:
    """The settings of a sweep file that say how its data files are read.

    Attributes:
        target: The column (of an .npz: the array) to learn, or several of numbers.
        drop: Columns that are no features.
        task: `classes` or `numbers`; None: as the targets' type shows.
        missing: Rows with missing cells: `refuse`, `drop`, or fill with the column's `mean`.
        categories: Columns of text: `refuse`, or `one_hot`.
        separator: Between the cells of a text file; None: a comma, in a .tsv a tab.
        encoding: Of a text file; None: UTF-8.
    """

    target: tuple[str, ...] = ("target",)
    drop: tuple[str, ...] = ()
    task: str | None = None
    missing: str = "refuse"
    categories: str = "refuse"
    separator: str | None = None
    encoding: str | None = None


def close_names(name: str, names: Sequence[str]) -> str:
    """A remedy for a name that a file lacks: similar names, as a sentence, or nothing."""
    folded = {known.strip().casefold(): known for known in names}
    close = difflib.get_close_matches(name.strip().casefold(), folded, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(repr(folded[c]) for c in close)}? " if close else ""


def listed(items: Sequence[object], between: str = ", ") -> str:
    """The first few items of a list, and the number of the others."""
    shown = between.join(map(str, items[:MOST_NAMED]))
    more = len(items) - MOST_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def drop_setting(names: Sequence[str]) -> str:
    """The setting that leaves columns out, as a sweep file has it: `drop: [id, date]`."""
    return f"drop: [{', '.join(map(_in_yaml, names))}]"


def _in_yaml(name: str) -> str:
    plain = re.fullmatch(r"[^\W\d](?:[\w -]*\w)?", name) and name.lower() not in YAML_WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)
