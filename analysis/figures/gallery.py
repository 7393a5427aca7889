"""Every figure that tells of any store, drawn from one, or why it cannot be."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.named import FIGURES
from analysis.tables.judgments import read_judged

# Of FIGURES those that tell of any store, in the order in which they tell it.
SHOWN = (
    "stability_map",
    "outcome_shares",
    "loss_curves",
    "gradient_by_layer",
    "label_agreement",
    "critical_learning_rate",
    "trainable_depth",
    "chi",
    "catapult",
    "edge_of_stability",
)


def drawn(
    store: str | Path, trained_level: float | None = None
) -> Iterator[tuple[str, Figure | str]]:
    """Each figure's name, and the figure, or what it needs that the store has not.

    Args:
        store: Its folder or URL.
        trained_level: As of analysis.tables.judgments.read_judged.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: They cannot be judged at that level.
    """
    # What no figure could be drawn of is told once, not for each figure.
    read_judged(store, trained_level, ["outcome"])
    for name in SHOWN:
        try:
            yield name, FIGURES[name](store, trained_level)
        except ValueError as error:
            yield name, str(error)


def title(name: str) -> str:
    """The name in words."""
    return name.replace("_", " ").capitalize()
