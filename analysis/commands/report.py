"""The commands that show a whole store: as a page, and as a folder of figures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analysis.commands.draw import StoreArgument, TrainedLevel, refusing
from analysis.commands.views import Columns, Rows, Where, X, Y, asked_view
from analysis.commands.waiting import working
from analysis.tables.views import View

commands = typer.Typer()


@commands.command()
def report(
    store: StoreArgument,
    other: Annotated[
        str | None, typer.Argument(metavar="B", help="Another's: the page compares the two.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page, .html.")] = Path("atlas.html"),
    where: Where = None,
    x: X = None,
    y: Y = None,
    rows: Rows = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Make a page of a store: an interactive map, the figures, the dictionary; opens offline.

    Of two stores it shows what `phasesweep compare` says, and where the trained region moved.
    """
    with refusing():
        if out.suffix not in (".html", ".htm"):
            raise ValueError(f"--out must end in .html, got {out}")
        view = asked_view(where, x, y, rows, columns)
        page = _page(store, other, trained_level, view)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    print(out)
    print(f"{len(page.encode()) / 1e6:.1f} MB; open it in a browser", file=sys.stderr)


def _page(store: str, other: str | None, trained_level: float | None, view: View) -> str:
    """The page of one store or of two; charts take seconds to import."""
    if other is None:
        with working(f"reading {store}, drawing its map and figures"):
            from analysis.atlas.page import atlas

            return atlas(store, trained_level, view)
    with working(f"comparing {store} and {other}"):
        from analysis.atlas.two_stores import two_stores

        return two_stores(store, other, trained_level, view)


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
