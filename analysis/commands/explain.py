"""The command that explains one run."""

from typing import Annotated

import typer

from analysis.commands.draw import StoreArgument, refusing
from analysis.commands.name_lists import complete_trial

commands = typer.Typer()


@commands.command()
def explain(
    store: StoreArgument,
    trial: Annotated[
        str,
        typer.Argument(
            metavar="TRIAL_ID",
            help="A run's id, or how it uniquely begins.",
            autocompletion=complete_trial,
        ),
    ],
) -> None:
    """Explain one run: what was set, what happened, why, and what trained nearby."""
    # The theory takes a while to import, and other commands never need it.
    from analysis.explaining.explanation import explain as explained

    with refusing():
        story = explained(store, trial.strip("'\""))  # as a CSV file quotes it
    print(story)
