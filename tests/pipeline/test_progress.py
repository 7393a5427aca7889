"""Progress on stderr: plain lines in a log, a bar on a terminal."""

import io
import re
from contextlib import redirect_stderr

import pytest

from core.outcomes import OUTCOMES
from pipeline.progress import STYLES, progress


@pytest.fixture
def at(monkeypatch):
    """Sets the clock to a number of seconds."""
    clock = {"now": 0.0}
    monkeypatch.setattr("pipeline.progress.monotonic", lambda: clock["now"])
    return lambda seconds: clock.update(now=seconds)


class Terminal(io.StringIO):
    """Keeps what is written to it."""

    def isatty(self):
        """As a terminal says; it is no file."""
        return True

    @property
    def text(self):
        """What was written, without colors and movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture
def terminal(monkeypatch):
    """A wide terminal with colors."""
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "160"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_a_log_gets_a_line_every_ten_seconds_and_at_the_end(at, capsys):
    """Done, rate of this run, time left, and this run's outcomes in their usual order."""
    with progress(trials=1300, finished=300) as watch:
        at(9.0)
        watch({"slow": 150})
        at(10.0)
        watch({"trained": 50})
        at(19.0)
        watch({"trained": 300})
        at(19.5)
        watch({"overflow": 500})
    assert capsys.readouterr().err.splitlines() == [
        "500/1,300 trainings, 20/s, 40 s left; trained 50, slow 150",
        "1,300/1,300 trainings, 51/s, 0 s left; overflow 500, trained 350, slow 150",
    ]


def test_nothing_goes_to_stdout(at, capsys):
    """Data alone does."""
    with progress(2, 0) as watch:
        at(1.0)
        watch({"trained": 2})
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_a_bar_with_counts_for_each_outcome(at, terminal):
    """In the colors of the stability map; what was finished before counts as done."""
    with redirect_stderr(terminal), progress(trials=1300, finished=300) as watch:
        at(10.0)
        watch({"trained": 50, "overflow": 150})
        at(20.0)
        watch({"trained": 800})
    last = terminal.text.splitlines()[-1]
    assert "1300/1300" in last
    assert "50/s" in last
    assert "overflow 150  trained 850" in last
    assert "\x1b[32mtrained\x1b[0m 850" in terminal.getvalue()


def test_a_terminal_shows_the_resumed_part_at_once(at, terminal):
    """Before any batch has come."""
    with redirect_stderr(terminal), progress(trials=1300, finished=300):
        pass
    assert " 300/1300 " in terminal.text


def test_every_outcome_has_its_color():
    """None is left out of the bar."""
    assert set(STYLES) == set(OUTCOMES)
