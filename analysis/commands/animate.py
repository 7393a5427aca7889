"""The command that makes a moving picture of a store."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analysis.commands.draw import PICTURES, TrainedLevel, refusing
from analysis.commands.views import Columns, Where, X, Y, asked_view
from analysis.tables.views import View
from core.functions.activations import canonical_activation

commands = typer.Typer()

ZOOM_MILLISECONDS = 1500  # a frame


@commands.command()
def animate(
    stores: Annotated[
        list[str],
        typer.Argument(metavar="STORE...", help="A store; or several, each a zoom of the last."),
    ],
    out: Annotated[
        Path,
        typer.Option(help="The picture, .gif; of several stores also .png, .svg or .pdf: a strip."),
    ] = Path("map.gif"),
    activation: Annotated[
        str | None,
        typer.Option(help="Whose networks to show; by default the one that trained most often."),
    ] = None,
    where: Where = None,
    x: X = None,
    y: Y = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Make a moving picture of where networks train: the map as the steps go on.

    Of several stores, as `phasesweep zoom` makes them, a frame is a window of the fractal map.
    """
    with refusing():
        view = asked_view(where, x, y, None, columns)
        if len(stores) == 1:
            write = _steps(stores[0], out, view, activation, trained_level)
        elif activation is not None:
            raise ValueError("--activation is for one store; of several use --where")
        else:
            write = _zooms(stores, out, view, trained_level)
    out.parent.mkdir(parents=True, exist_ok=True)
    write()
    print(out)
    print(f"{out.stat().st_size / 1e3:,.0f} kB", file=sys.stderr)


# Charts take seconds to import, and other commands never need them.


def _steps(
    store: str, out: Path, view: View, activation: str | None, trained_level: float | None
) -> Callable[[], None]:
    """What writes the picture, once all is known to be right."""
    from analysis.figures.moving.animation import map_colors, moving_map, write_gif
    from analysis.reading.stores import read_curves
    from analysis.tables.judgments import read_judged

    if out.suffix != ".gif":
        raise ValueError(f"--out must end in .gif, got {out}")
    runs = read_judged(store, trained_level)
    wanted = None if activation is None else canonical_activation(activation)
    curves = read_curves(store, ["trial_id", "step", "loss"])
    return partial(write_gif, moving_map(curves, runs, wanted, view), out, map_colors())


def _zooms(
    stores: list[str], out: Path, view: View, trained_level: float | None
) -> Callable[[], None]:
    """Likewise."""
    from analysis.figures.moving.animation import write_gif
    from analysis.figures.moving.zooms import windows, zoom_colors, zoom_frames, zoom_strip
    from analysis.tables.map_cells import read_map

    if out.suffix not in (".gif", *PICTURES):
        raise ValueError(f"--out must end in .gif, {', '.join(PICTURES)}, got {out}")
    every = windows([read_map(store, trained_level, view) for store in stores], view)
    if out.suffix == ".gif":
        return partial(write_gif, zoom_frames(every), out, zoom_colors(), ZOOM_MILLISECONDS)
    return partial(zoom_strip(every).savefig, out, dpi=150)
