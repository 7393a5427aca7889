"""The command that makes a moving picture of a store."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analysis.commands.draw import StoreArgument, TrainedLevel, refusing
from analysis.commands.views import Columns, Where, X, Y, asked_view
from core.functions.activations import canonical_activation

commands = typer.Typer()


@commands.command()
def animate(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="The picture, .gif.")] = Path("map.gif"),
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
    """Make a moving picture of where networks train: the map as the steps go on."""
    # Charts take seconds to import, and other commands never need them.
    from analysis.figures.animation import moving_map, write_gif
    from analysis.reading.stores import read_curves
    from analysis.tables.judgments import read_judged

    with refusing():
        if out.suffix != ".gif":
            raise ValueError(f"--out must end in .gif, got {out}")
        runs = read_judged(store, trained_level)
        wanted = None if activation is None else canonical_activation(activation)
        curves = read_curves(store, ["trial_id", "step", "loss"])
        frames = moving_map(curves, runs, wanted, asked_view(where, x, y, None, columns))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_gif(frames, out)
    print(out)
    print(f"{out.stat().st_size / 1e3:,.0f} kB", file=sys.stderr)
