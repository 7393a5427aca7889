"""The commands that read a store; the phasesweep command mounts them."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()

StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="A store's folder.")]


@commands.command("map")
def draw_map(
    store: StorePath,
    out: Annotated[Path, typer.Option(help="The picture, .png, .svg or .pdf.")] = Path(
        "stability_map.png"
    ),
) -> None:
    """Draw where networks train, stall and diverge: init scale against learning rate."""
    # Charts take seconds to import, and other commands never need them.
    from analysis.figures import stability_map
    from analysis.tables import read_runs

    figure = stability_map(read_runs(store))
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)
    print(out)
