"""Missing cells: an error lists them, or their rows are left out."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.data_files.columns import Truths, missing
from pipeline.data_files.reading import DataFileError, Reading, drop_setting, listed
from pipeline.data_files.tables import DataTable


def complete(table: DataTable, targets: Sequence[str], reading: Reading) -> DataTable:
    """The table without the rows that `missing: drop` leaves out.

    Raises:
        DataFileError: Cells are missing, and `missing` does not say what to do with them.
    """
    gaps = {name: missing(column) for name, column in table.columns.items()}
    gaps = {name: absent for name, absent in gaps.items() if absent.any()}
    missed = [name for name in targets if name in gaps]
    if not gaps or (reading.missing == "mean" and not missed):
        return table
    rows = np.logical_or.reduce(list(gaps.values()))
    if reading.missing == "drop":
        return _without(table, rows, gaps, targets)
    if reading.missing == "mean":
        target = missed[0]
        places = np.flatnonzero(gaps[target])
        raise DataFileError(
            f"{table.path}: missing: mean fills features, but {len(places):,} targets are missing "
            f"from {target!r} {table.where(places)}; write them, remove those rows, or set "
            "missing: drop"
        )
    raise DataFileError(_listed_gaps(table, targets, gaps, int(np.count_nonzero(rows))))


def _listed_gaps(
    table: DataTable, targets: Sequence[str], gaps: Mapping[str, Truths], rows: int
) -> str:
    """The message that lists the missing cells and the settings that deal with them."""
    each = [
        f"{np.count_nonzero(absent):,} of column {name!r} {table.where(np.flatnonzero(absent))}"
        for name, absent in gaps.items()
    ]
    remedies = [f"missing: drop (leaves out {rows:,} of {len(table):,} rows)"]
    if not any(name in gaps for name in targets):
        remedies.append("missing: mean (fills in the column's mean)")
    features = [name for name in gaps if name not in targets]
    if features:
        remedies.append(drop_setting(features))
    return (
        f"{table.path}: cells are missing: {listed(each, '; ')}; write them, or set "
        f"{' or '.join(remedies)}"
    )


def _without(
    table: DataTable, rows: Truths, gaps: Mapping[str, Truths], targets: Sequence[str]
) -> DataTable:
    if rows.all():
        emptiest = max(gaps, key=lambda name: int(np.count_nonzero(gaps[name])))
        remedy = "target: to another column"
        if emptiest not in targets:
            remedy = f"{drop_setting([emptiest])}, or missing: mean"
        raise DataFileError(
            f"{table.path}: missing: drop leaves no row: a cell is missing from each, "
            f"{np.count_nonzero(gaps[emptiest]):,} from column {emptiest!r}; set {remedy}"
        )
    table.notes.append(
        f"{np.count_nonzero(rows):,} of {len(table):,} rows were left out: cells of "
        f"{listed([*map(repr, gaps)])} are missing"
    )
    return table.take(np.flatnonzero(~rows))
