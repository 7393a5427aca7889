"""The command that shows a sweep while it runs."""

import sys
from contextlib import ExitStack
from threading import Event
from typing import Annotated

import typer

from analysis.commands.draw import StoreArgument, TrainedLevel, refusing
from analysis.reading.stores import read_manifest
from analysis.reading.trained_levels import require_level

commands = typer.Typer()


@commands.command()
def watch(
    store: StoreArgument,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of this machine; 0 is any free one.")
    ] = 0,
    trained_level: TrainedLevel = None,
) -> None:
    """Serve the atlas of a running sweep to a browser on this machine, until Ctrl-C."""
    from analysis.watching.live_atlas import LiveAtlas
    from analysis.watching.server import serving

    with refusing():
        read_manifest(store)
        if trained_level is not None:
            require_level(trained_level)
    atlas = LiveAtlas(store, trained_level)
    with ExitStack() as stack:
        try:
            address = stack.enter_context(serving(atlas, port))
        except OSError as error:
            _say(f"error: --port {port}: {error.strerror}; leave it out for a free one")
            raise typer.Exit(2) from error
        print(address, flush=True)
        _say("open it in a browser on this machine; the page follows the sweep; Ctrl-C ends")
        try:
            with refusing():
                atlas.follow(Event())
        except KeyboardInterrupt:
            _say(f"no longer watching {store}")


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
