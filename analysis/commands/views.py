"""The options by which a command says what of a store it shows, and where."""

from typing import Annotated

import typer

from analysis.tables.views import View

Where = Annotated[
    list[str] | None,
    typer.Option(
        help="Which runs: width=32, depth=2,8, 'learning_rate<0.1', loss!=mse; all that are "
        "given must hold.",
        metavar="CONDITION",
    ),
]
X = Annotated[str | None, typer.Option("--x", help="The setting along each panel's x axis.")]
Y = Annotated[str | None, typer.Option("--y", help="The setting along each panel's y axis.")]
Rows = Annotated[str | None, typer.Option(help="The setting with a row of panels per value.")]
Columns = Annotated[str | None, typer.Option(help="The setting with a column of panels per value.")]


def asked_view(
    where: list[str] | None, x: str | None, y: str | None, rows: str | None, columns: str | None
) -> View:
    """The view that the options ask for."""
    return View(tuple(where or ()), x, y, rows, columns)
