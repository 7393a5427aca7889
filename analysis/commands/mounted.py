"""The commands that read a store; the phasesweep command mounts them."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.commands.draw import PICTURES, StoreArgument, TrainedLevel, refusing
from analysis.commands.views import Columns, Rows, Where, X, Y, asked_view

commands = typer.Typer()


@commands.command("map")
def draw_map(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="The picture, .png, .svg or .pdf.")] = Path(
        "stability_map.png"
    ),
    where: Where = None,
    x: X = None,
    y: Y = None,
    rows: Rows = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Draw where networks train, stall and diverge, over any two settings.

    Left alone it draws what varies: learning rate and init scale, depth and activation first.
    """
    if out.suffix not in PICTURES:
        raise typer.BadParameter(f"must end in {', '.join(PICTURES)}, got {out}")
    # Charts take seconds to import, and other commands never need them.
    from analysis.figures.stability_map import stability_map
    from analysis.reading.traces import read_traces
    from analysis.tables.map_cells import read_map

    with refusing():
        view = asked_view(where, x, y, rows, columns)
        figure = stability_map(read_map(store, trained_level, view), view, read_traces(store))
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)
    print(out)
