"""Interrupts (Ctrl-C, SIGTERM): their effect, and how a commit under way is finished first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Let the block finish before an interrupt that arrives in it takes effect."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[tuple[int, FrameType | None]] = []
    handlers = {
        number: signal.signal(number, lambda *arguments: arrived.append(arguments))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for arrival, frame in arrived[:1]:
            handler = handlers[signal.Signals(arrival)]
            if callable(handler):
                handler(arrival, frame)
            else:
                signal.raise_signal(arrival)


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Restore the handlers after a block: a library's own would end the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Treat SIGTERM (a batch system's notice) as Ctrl-C: commit what is finished, then end."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C from now on: it would break the interpreter's own ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
