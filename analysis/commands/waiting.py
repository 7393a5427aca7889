"""What a command says while it works for long: a clock on a terminal, a line elsewhere."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

PATIENCE = 2.0  # seconds without a word


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on stderr that something is being done, if it takes longer than PATIENCE.

    Args:
        what: In words, as in "drawing the figures".
    """
    show = _clock if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _line
    with show(what):
        yield


@contextmanager
def _clock(what: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(what)
        yield


@contextmanager
def _line(what: str) -> Iterator[None]:
    said = Timer(PATIENCE, print, (f"{what} ...",), {"file": sys.stderr, "flush": True})
    said.daemon = True
    said.start()
    try:
        yield
    finally:
        said.cancel()
