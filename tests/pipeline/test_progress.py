"""Progress on stderr: plain lines in a log, a bar on a terminal."""

import io
import re
from contextlib import redirect_stderr

import pytest

from core.training import FULLY_CONNECTED
from pipeline.budgets import Ended
from pipeline.commands.progress import STYLES, Course, progress


@pytest.fixture
def at(monkeypatch):
    """Sets the clock to a number of seconds."""
    clock = {"now": 0.0}
    monkeypatch.setattr("pipeline.commands.progress.monotonic", lambda: clock["now"])
    return lambda seconds: clock.update(now=seconds)


def course(trials, finished=0, seconds=1.0, **others):
    return Course(trials, finished, seconds, FULLY_CONNECTED.outcomes, **others)


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
def terminal_of(monkeypatch):
    """Makes a terminal with colors and so many columns."""
    for name in (
        *("NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"),
        "JPY_PARENT_PID",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def terminal_of(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        return Terminal()

    return terminal_of


@pytest.fixture
def terminal(terminal_of):
    """A wide one."""
    return terminal_of(160)


def test_a_log_gets_a_line_every_ten_seconds_and_at_the_end(at, capsys):
    """Done, rate of this run, time left, and this run's outcomes in their usual order."""
    with progress(course(trials=1300, finished=300, seconds=1000.0)) as watch:
        for now, outcomes in (
            (9.0, {"slow": 150}),
            (10.0, {"trained": 50}),
            (19.0, {"trained": 300}),
            (19.5, {"overflow": 500}),
        ):
            at(now)
            watch(Ended(outcomes, sum(outcomes.values()), elapsed=now))
    assert capsys.readouterr().err.splitlines() == [
        "500/1,300 trainings, 20/s, 40 s left; in this run trained 50, slow 150",
        "1,300/1,300 trainings, 51/s, 0 s left; in this run overflow 500, trained 350, slow 150",
    ]


def line(at, capsys, of_course, now, *ended):
    """The line at a time, when these have ended."""
    at(0.0)
    with progress(of_course) as watch:
        for each in ended[:-1]:
            watch(each)
        at(now)
        watch(ended[-1])
    return capsys.readouterr().err.strip()


def test_the_time_left_comes_from_what_remains_by_cost(at, capsys):
    """Half of the trials, which cost nine tenths of all, took 90 seconds: 10 are left."""
    said = line(at, capsys, course(200, seconds=10.0), 90.0, Ended({"slow": 100}, 9.0, 90.0))
    assert said.startswith("100/200 trainings, 1.1/s, 10 s left; ")
    said = line(at, capsys, course(200, seconds=10.0), 90.0, Ended({"slow": 100}, 1.0, 90.0))
    assert said.startswith("100/200 trainings, 1.1/s, 14 min left; ")


def test_no_time_is_left_by_trials_that_waited_for_their_workers(at, capsys):
    """A coarse map's first trials are small: 20 ms of work, 1.8 s after the beginning."""
    first = Ended({"slow": 9}, 0.02, 1.8)
    said = line(at, capsys, course(5000, seconds=66.0), 20.0, first)
    assert said == "9/5,000 trainings, 5/s; slow 9"
    then = Ended({"slow": 91}, 1.98, 2.8)
    said = line(at, capsys, course(5000, seconds=66.0), 20.0, first, then)
    assert "36/s, 90 s left; slow 100" in said


def test_a_slow_run_has_its_rate_too(at, capsys):
    """Not `0/s`."""
    said = line(at, capsys, course(2, seconds=2.0), 400.0, Ended({"slow": 1}, 1.0, 400.0))
    assert said.startswith("1/2 trainings, 0.0025/s, 7 min left; ")


def test_the_time_of_a_start_is_no_trainings_time(at, capsys):
    """Rate and time left count from the first batch: compiling and Ray's start are behind it."""
    said = line(at, capsys, course(200, seconds=2.0), 90.0, Ended({"slow": 100}, 1.0, 50.0))
    assert said.startswith("100/200 trainings, 2/s, 50 s left; ")


def test_a_trial_that_failed_has_its_cost_and_no_outcome(at, capsys):
    """It is no training; what remains is less by it."""
    ended = Ended({"slow": 1}, 1.0, 20.0), Ended({}, 1.0, 20.0)
    said = line(at, capsys, course(4, seconds=4.0), 20.0, *ended)
    assert said == "1/4 trainings, 0.05/s, 20 s left; slow 1"


def test_numbers_serve_where_trials_cost_more_than_expected_of_all(at, capsys):
    """As where the first are the costliest: 0 seconds would be wrong, whatever is right."""
    said = line(at, capsys, course(200, seconds=1.0), 90.0, Ended({"slow": 50}, 1.5, 90.0))
    assert said.startswith("50/200 trainings, 0.56/s, 4 min left; ")


def test_a_budget_that_ends_sooner_is_the_time_left(at, capsys):
    """And is called so; one that ends later is not spoken of."""
    half = Ended({"slow": 100}, 5.0, 90.0)
    said = line(at, capsys, course(200, seconds=10.0, until=130.0), 90.0, half)
    assert said.startswith("100/200 trainings, 1.1/s, 40 s of budget left; ")
    said = line(at, capsys, course(200, seconds=10.0, until=190.0), 90.0, half)
    assert said.startswith("100/200 trainings, 1.1/s, 2 min left; ")


def test_nothing_goes_to_stdout(at, capsys):
    """Data alone does."""
    with progress(course(2)) as watch:
        at(1.0)
        watch(Ended({"trained": 2}, 1.0, 1.0))
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_a_bar_with_counts_for_each_outcome(at, terminal):
    """In the colors of the stability map; what was finished before counts as done."""
    with redirect_stderr(terminal), progress(course(1300, 300, 10.0)) as watch:
        at(10.0)
        watch(Ended({"trained": 50, "overflow": 150}, 2.0, 10.0))
        at(20.0)
        watch(Ended({"trained": 800}, 8.0, 20.0))
    last = terminal.text.splitlines()[-1]
    assert "1,300/1,300" in last
    assert "50/s" in last
    assert "overflow 150  trained 850" in last
    assert "\x1b[32mtrained\x1b[0m 850" in terminal.getvalue()


def test_a_terminal_shows_the_resumed_part_at_once(at, terminal):
    """Before any batch has come."""
    with redirect_stderr(terminal), progress(course(1300, 300)):
        pass
    assert " 300/1,300 " in terminal.text


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal_cuts_the_outcomes_and_no_number(at, terminal_of, columns):
    """Count, rate and time left stand in every line, which is no wider than the terminal."""
    narrow, outcomes = terminal_of(columns), dict.fromkeys(FULLY_CONNECTED.outcomes, 9000)
    asked = course(9_000_000, seconds=1e3, until=60_000.0)
    with redirect_stderr(narrow), progress(asked) as watch:
        at(100.0)
        watch(Ended(outcomes, 1.0, 100.0))
    last = narrow.text.splitlines()[-1]
    assert "63,000/9,000,000 630/s 16.6 h of budget left " in last
    assert last.rstrip().endswith("…")
    assert len(last) <= columns


@pytest.mark.parametrize("variable", [("JPY_PARENT_PID", "7"), ("TERM", "dumb")])
def test_what_only_looks_like_a_terminal_gets_plain_lines(at, terminal, monkeypatch, variable):
    """As a notebook's `!phasesweep run`, which shows no movement of the cursor."""
    monkeypatch.setenv(*variable)
    with redirect_stderr(terminal), progress(course(2)) as watch:
        at(1.0)
        watch(Ended({"trained": 2}, 1.0, 1.0))
    assert terminal.getvalue() == "2/2 trainings, 2/s, 0 s left; trained 2\n"


def test_every_outcome_has_its_color():
    """None is left out of the bar."""
    assert set(STYLES) == set(FULLY_CONNECTED.outcomes)


def test_outcomes_of_another_trainer_are_told_too(at, terminal):
    """In the terminal's own color."""
    other = Course(2, 0, 1.0, ("near", "far"))
    with redirect_stderr(terminal), progress(other) as watch:
        watch(Ended({"far": 1, "near": 1}, 1.0, 1.0))
    assert "near 1  far 1" in terminal.text


def test_of_a_traced_sweep_the_most_trials_are_said_to_be_the_most(at, capsys):
    """How much time is left is not known: the boundary decides how many more there are."""
    with progress(course(1000, is_known=False)) as watch:
        at(60)
        watch(Ended({"trained": 100}, 50.0, 50.0))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "100/at most 1,000 trainings, 2/s; trained 100"
