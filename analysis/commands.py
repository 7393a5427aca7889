"""The commands that read a store; the phasesweep command mounts them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analysis.tables import MissingTableError, NotAStoreError, UnsuitableRunsError, read_runs

commands = typer.Typer()

PICTURES = (".png", ".svg", ".pdf")

StorePath = Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")]


@commands.command("map")
def draw_map(
    store: StorePath,
    out: Annotated[Path, typer.Option(help="The picture, .png, .svg or .pdf.")] = Path(
        "stability_map.png"
    ),
) -> None:
    """Draw where networks train, stall and diverge: init scale against learning rate."""
    if out.suffix not in PICTURES:
        raise typer.BadParameter(f"must end in {', '.join(PICTURES)}, got {out}")
    # Charts take seconds to import, and other commands never need them.
    from analysis.figures import stability_map

    try:
        figure = stability_map(read_runs(store))
    except (NotAStoreError, MissingTableError, UnsuitableRunsError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)
    print(out)
