"""The regions of a stability map: outcomes, what each means, and its color.

The colors stay apart under deuteranopia, protanopia and tritanopia: tests/analysis
simulates all three (Machado et al. 2009) and measures the distances.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.reading.stores import UnsuitableRunsError


@dataclass(frozen=True)
class Region:
    """An outcome, or one cause of it, as a map shows it."""

    outcome: str
    meaning: str
    color: str
    cause: str | None = None

    def label(self, level: str) -> str:
        """The words in the legend; `level` is the trained level of the runs, such as "10%"."""
        return f"{self.outcome}: {self.meaning.format(level=level)}"


# In the order in which the outcome rules are tried; the legend keeps it.
REGIONS = (
    Region("overflow", "numbers left the floating-point range", "#3d0f14"),
    Region("untrained", "no step was taken", "#444444"),
    Region("diverged", "the loss ended above where it began", "#d55e00"),
    Region("diverged", "the start itself had exploded", "#881800", "init_scale"),
    Region("trained", "loss fell below {level} of the best constant's", "#009e73"),
    Region("oscillating", "the loss keeps jumping up and down", "#f5c242"),
    Region("stalled", "the loss no longer moves", "#879aa5"),
    Region("stalled", "the signal vanishes on its way", "#2f4b9a", "vanishing"),
    Region("stalled", "a layer's units are all dead", "#9b3f7f", "dead"),
    Region("stalled", "the units or the outputs are saturated", "#e48ae3", "saturated"),
    Region("stalled", "the best constant guess, so far", "#4a86e8", "plateau"),
    Region("stalled", "at rest above the trained level", "#7722dd", "converged"),
    Region("stalled", "gradients arrive, the steps are too small", "#dec7bd", "low_learning_rate"),
    Region("slow", "still learning when the steps ran out", "#c8e1ff"),
)

CELL = ("activation", "depth", "init_scale", "learning_rate")

INDEX = {(region.outcome, region.cause): i for i, region in enumerate(REGIONS)}
INDEX["stalled", "saturated_outputs"] = INDEX["stalled", "saturated"]


def region_by_cell(runs: pd.DataFrame, cell: Sequence[str] = CELL) -> pd.DataFrame:
    """The region of each cell, by default of an activation, depth, init scale and learning rate.

    Where seeds disagree the most frequent outcome wins, and among its runs the most
    frequent cause; a tie goes to the one that comes first in REGIONS.

    Args:
        runs: With those settings, `outcome` and `cause`; other settings are not looked at.
        cell: The settings that make a cell.

    Returns:
        A row for each cell that was run: its settings and `region`, an index into REGIONS.

    Raises:
        UnsuitableRunsError: An outcome that has no region.
    """
    cell = list(cell)
    unknown = pd.Series(None, runs.index, dtype=object)
    coded = runs[cell].assign(
        outcome=region_by_run(runs["outcome"], unknown),
        region=region_by_run(runs["outcome"], runs.get("cause", unknown)),
    )
    agreeing = coded.merge(_most_frequent(coded, cell, "outcome"), on=[*cell, "outcome"])
    return _most_frequent(agreeing, cell, "region")


def region_by_run(outcomes: Iterable[str], causes: Iterable[str | None]) -> NDArray[np.uint8]:
    """The region of each run, an index into REGIONS; for an unknown cause, that of the outcome.

    Raises:
        UnsuitableRunsError: An outcome that has no region.
    """
    return np.array([_index(*pair) for pair in zip(outcomes, causes, strict=True)], np.uint8)


def _index(outcome: str, cause: str | None) -> int:
    if (outcome, None) not in INDEX:
        known = ", ".join(dict.fromkeys(region.outcome for region in REGIONS))
        raise UnsuitableRunsError(
            f"outcome {outcome!r} has no region in the map, which knows {known}; a newer "
            "phasesweep wrote it and draws it, or leave its runs out"
        )
    return INDEX.get((outcome, cause), INDEX[outcome, None])


def _most_frequent(frame: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    counts = frame.groupby([*keys, column]).size().rename("runs").reset_index()
    ranked = counts.sort_values(
        [*keys, "runs", column], ascending=[True] * len(keys) + [False, True]
    )
    return ranked.drop_duplicates(keys)[[*keys, column]]
