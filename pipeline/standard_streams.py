"""The command's stdout and stderr: opened if closed; if one fails, the command ends cleanly."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reported_failures() -> Iterator[None]:
    """Run a command; if stdout or a file cannot be written, end with one line and exit code 1.

    If the reader of a pipe closed it, the command ends quietly, as is usual, with the same code.
    """
    _open_closed()
    ended: BaseException | None = None
    try:
        yield
    except (SystemExit, OSError) as end:
        ended = end
    # Writing to a full stdout may have failed already, or may fail when its buffer is flushed.
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

    Python would try to write the rest again when it ends, and fail: the rest is sent nowhere.
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
