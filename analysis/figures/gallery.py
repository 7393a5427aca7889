"""The figures that suit any store, drawn from one store; for each that cannot be drawn, why."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.named import FIGURES
from analysis.tables.judgments import read_judged
from analysis.tables.views import EVERYTHING, View

# The FIGURES that suit any store, in the order in which a reader should see them.
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
    store: str | Path, trained_level: float | None = None, view: View = EVERYTHING
) -> Iterator[tuple[str, Figure | str]]:
    """Each figure's name with the figure, or with the reason why the store cannot show it.

    Args:
        store: Its folder or URL.
        trained_level: As of analysis.tables.judgments.read_judged.
        view: Which runs, and what lies where; a figure that has no such place is left out.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: They cannot be judged at that level, or none meets the view.
    """
    # A store without suitable runs is refused once, not again for each figure.
    view.kept(read_judged(store, trained_level))
    for name in SHOWN:
        try:
            yield name, FIGURES[name](store, trained_level, view)
        except ValueError as error:
            yield name, str(error)


def title(name: str) -> str:
    """A figure's name as a title: spaces for underscores, and a capital first letter."""
    return name.replace("_", " ").capitalize()
