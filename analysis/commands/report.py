"""The commands that show a whole store: as a page, and as a folder of figures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analysis.commands.draw import StoreArgument, TrainedLevel, refusing
from analysis.commands.views import Columns, Rows, Where, X, Y, asked_view
from analysis.commands.waiting import working

commands = typer.Typer()


@commands.command()
def report(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="The page, .html.")] = Path("atlas.html"),
    trained_level: TrainedLevel = None,
) -> None:
    """Make a page of a store: an interactive map, the figures, the dictionary; opens offline."""
    with refusing():
        if out.suffix not in (".html", ".htm"):
            raise ValueError(f"--out must end in .html, got {out}")
        with working(f"reading {store}, drawing its map and figures"):
            # Charts take seconds to import, and other commands never need them.
            from analysis.atlas.page import atlas

            page = atlas(store, trained_level)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    print(out)
    print(f"{len(page.encode()) / 1e6:.1f} MB; open it in a browser", file=sys.stderr)


@commands.command()
def gallery(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="A folder.")] = Path("gallery"),
    where: Where = None,
    x: X = None,
    y: Y = None,
    rows: Rows = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Draw every figure that a store has the numbers for."""
    from analysis.figures.gallery import drawn

    with refusing():
        view = asked_view(where, x, y, rows, columns)
        for name, figure in drawn(store, trained_level, view):
            if isinstance(figure, str):
                print(f"{name} is left out: {figure}", file=sys.stderr)
                continue
            out.mkdir(parents=True, exist_ok=True)
            figure.savefig(out / f"{name}.png", dpi=110, pil_kwargs={"optimize": True})
            print(out / f"{name}.png")
