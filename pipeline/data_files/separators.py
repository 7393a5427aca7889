"""The separator of the cells of a text file for which none was given."""

import csv
from pathlib import Path

from pipeline.data_files.reading import DataFileError
from pipeline.data_files.tables import reporting_damage

CANDIDATES = (",", ";", "\t", "|", " ")
LINES_LOOKED_AT = 20
BEGINNING = 1_000_000  # characters


def separator_of(text: str, path: Path, given: str | None) -> str:
    """The given separator, or the usual one for this kind of file.

    Raises:
        DataFileError: The lines are clearly separated by another.
    """
    is_tsv = ".tsv" in [suffix.lower() for suffix in path.suffixes]
    separator = given or ("\t" if is_tsv else ",")
    with reporting_damage(path):
        likely = _likely(text, separator)
    if likely != separator:
        raise DataFileError(
            f"{path} is not separated by {separator!r}: it looks like it is separated by "
            f"{likely!r}: set separator: {_in_yaml(likely)}"
        )
    return separator


def _in_yaml(separator: str) -> str:
    return "tab" if separator == "\t" else f"'{separator}'"


def _likely(text: str, separator: str) -> str:
    """Another candidate that cuts the first lines alike where `separator` leaves them whole."""
    lines = [line for line in text[:BEGINNING].splitlines()[:LINES_LOOKED_AT] if line.strip()]
    if not lines or _cells(lines, separator)[0] > 1:
        return separator
    for candidate in CANDIDATES:
        cells = _cells(lines, candidate)
        if min(cells) > 1 and len(set(cells)) == 1:
            return candidate
    return separator


def _cells(lines: list[str], separator: str) -> list[int]:
    return [len(cells) for cells in csv.reader(lines, delimiter=separator)]
