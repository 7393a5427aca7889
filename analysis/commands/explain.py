"""The command that explains one run."""

from typing import Annotated

import typer

from analysis.commands.draw import AsJson, StoreArgument, refusing
from analysis.commands.name_lists import complete_trial
from analysis.reading.printing import json_document

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
    as_json: AsJson = False,
) -> None:
    """Explain one run: what was set, what happened, why, and what trained nearby."""
    # The theory takes a while to import, and other commands never need it.
    from analysis.explaining.document import explanation_document
    from analysis.explaining.explanation import explain as explained

    wanted = trial.strip("'\"")  # as a CSV file quotes it
    with refusing():
        if as_json:
            print(json_document(explanation_document(store, wanted)))
        else:
            print(explained(store, wanted))
