"""The command's stdout and stderr: opened if closed; if one fails, the command ends cleanly."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reported_failures() -> Iterator[None]:
    """Run a command; if stdout or a file cannot be written, end with one line and exit code 1.

    A pipe that its reader closed ends it quietly, as is usual for pipes, with the same code.
    """
    _open_closed()
    ended: BaseException | None = None
    try:
        yield
    except (SystemExit, OSError) as end:
        ended = end
    # A full stdout may have failed at once, or still hold what it could not write.
    ended = _failure_of_stdout() or ended
    if isinstance(ended, OSError):
        if ended.errno != errno.EPIPE:
            print(f"error: {_in_words(ended)}", file=sys.stderr)
        sys.exit(1)
    if ended is not None:
        raise ended


def _open_closed() -> None:
    """Connect a stream that was closed, as by 2>&-, to nowhere: else print would use stdout."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open to the end


def _failure_of_stdout() -> OSError | None:
    """The error that kept stdout from taking all that was printed; None if there is none.

    What it did not take would be written again, and fail, when Python ends: it is led nowhere.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None


def _in_words(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    return f"{reason}; what was being written, to stdout or a file, is not whole"
