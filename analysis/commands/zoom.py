"""The command that writes the sweep file of a window of a map."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.commands.draw import StoreArgument, refusing
from analysis.commands.new_files import write_new
from analysis.commands.views import X, Y, asked_view

commands = typer.Typer()

NOT_KNOWN = (
    "give file its path, and add what your own sweep file says of its columns (target, drop, "
    "missing, ...): a store does not know them"
)


@commands.command()
def zoom(
    store: StoreArgument,
    at: Annotated[
        str, typer.Option(metavar="X,Y", help="A point of the map, in the units of its axes.")
    ],
    by: Annotated[float, typer.Option(metavar="N", help="How many times narrower each axis is.")],
    out: Annotated[
        Path | None, typer.Option(help="The sweep file to write (default: it is printed).")
    ] = None,
    x: X = None,
    y: Y = None,
) -> None:
    """Write the sweep file of a window of a store's map, as finely divided as the map."""
    from analysis.advising.zoomed_sweep import zoomed_sweep
    from analysis.reading.stores import read_runs
    from analysis.tables.layouts import MAP, laid_out
    from core.trials import TRIAL_FIELDS

    with refusing():
        values = _point(at)
        runs = read_runs(store, [*TRIAL_FIELDS, "outcome"])
        names = laid_out(runs, asked_view(None, x, y, None, None), MAP).names
        entry = _last_sweep(store)
        text = zoomed_sweep(entry, dict(zip((names["x"], names["y"]), values, strict=True)), by)
        if out is not None:
            write_new("--out", out, text)
    if "\nfile: " in text:
        print(NOT_KNOWN, file=sys.stderr)
    print(text if out is None else out, end="" if out is None else "\n")


def _point(written: str) -> list[float]:
    numbers = written.split(",")
    try:
        x, y = map(float, numbers)
    except ValueError:
        raise ValueError(f"--at must be two numbers, as in --at 0.1,2; got {written!r}") from None
    return [x, y]


def _last_sweep(store: str) -> dict[str, Any]:
    """The entry of the sweep that was run last."""
    from analysis.reading.stores import read_manifest

    sweeps = read_manifest(store).get("sweeps") or []
    if not sweeps:
        raise ValueError(
            f"{store} records no sweep; run one into it: phasesweep run SWEEP --store {store}"
        )
    if len(sweeps) > 1:
        print(f"of {len(sweeps)} sweeps the last one run: {sweeps[-1]['name']}", file=sys.stderr)
    return dict(sweeps[-1])
