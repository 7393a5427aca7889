"""What is said while a command works for long."""

import io
from contextlib import redirect_stderr
from threading import Event

import pytest

from analysis.commands import waiting
from analysis.commands.waiting import working


class Said(io.StringIO):
    """Keeps what is written to it, and says when the first words have come."""

    def __init__(self, terminal=False):
        super().__init__()
        self.terminal, self.spoken = terminal, Event()

    def isatty(self):
        """As a terminal says."""
        return self.terminal

    def write(self, text):
        """Keep it."""
        count = super().write(text)
        if "drawing" in text:
            self.spoken.set()
        return count


def test_a_log_gets_one_line_when_it_takes_long(monkeypatch):
    """While the work goes on, not after it."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.01)
    log = Said()
    with redirect_stderr(log), working("drawing"):
        assert log.spoken.wait(60)
    assert log.getvalue() == "drawing ...\n"


def test_quick_work_says_nothing_in_a_log(monkeypatch):
    """A line about what is over would be noise."""
    monkeypatch.setattr(waiting, "PATIENCE", 3600.0)
    log = Said()
    with redirect_stderr(log), working("drawing"):
        pass
    assert log.getvalue() == ""


def test_a_terminal_gets_a_clock_that_goes_away(monkeypatch):
    """Its line is cleared at the end, so that what follows stands alone."""
    for name in ("TTY_INTERACTIVE", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Said(terminal=True)
    with redirect_stderr(terminal), working("drawing"):
        assert terminal.spoken.wait(60)
        assert "0:00:0" in terminal.getvalue()
    assert terminal.getvalue().rstrip("\n").endswith(("\x1b[2K", "\x1b[?25h\r\x1b[1A\x1b[2K"))


def test_an_error_goes_through(monkeypatch):
    """And the line is not said after it."""
    monkeypatch.setattr(waiting, "PATIENCE", 3600.0)
    with pytest.raises(ValueError, match="broken"), working("drawing"):
        raise ValueError("broken")
