"""How often the seeds of a cell agree on its outcome: where the map's edges are sharp."""

from collections.abc import Sequence

import pandas as pd

from analysis.reading.stores import UnsuitableRunsError

CELL = ("activation", "depth", "init_scale", "learning_rate")


def label_agreement(runs: pd.DataFrame, cell: Sequence[str] = CELL) -> pd.DataFrame:
    """The share of each cell's seeds that ended in its most frequent outcome.

    Args:
        runs: The settings of a cell, `seed` and `outcome`.
        cell: The settings that make a cell.

    Returns:
        A row for each cell of two seeds or more: its settings, the number of `seeds` and
        the `agreement`, 1 where all agree.

    Raises:
        UnsuitableRunsError: No cell was run with two seeds.
    """
    counts = runs.groupby([*cell, "outcome"]).size().groupby(list(cell))
    table = counts.agg(seeds="sum", most="max").reset_index()
    table = table[table["seeds"] > 1]
    if table.empty:
        raise UnsuitableRunsError("every cell was run once: agreement needs `seed: [0, 1, 2]`")
    return table.assign(agreement=table["most"] / table["seeds"]).drop(columns="most")
