"""Interrupts wait for a commit; SIGTERM is one."""

import signal
import threading

import pytest

from pipeline.interrupts import deferred_interrupts, interrupted_by_sigterm, kept_handlers


@pytest.fixture(autouse=True)
def handlers():
    """A test that fails must not leave the next ones deaf to Ctrl-C."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def commit(steps, *signals):
    with deferred_interrupts():
        for number in signals:
            signal.raise_signal(number)
        steps.append("finished")


def test_an_interrupt_waits_for_the_end_of_the_block():
    """What is under way is finished, then the interrupt takes effect; two are one."""
    steps = []
    with pytest.raises(KeyboardInterrupt):
        commit(steps, signal.SIGINT, signal.SIGINT)
    assert steps == ["finished"]


def test_sigterm_is_an_interrupt_and_waits_too():
    """A batch system's notice is no reason to tear a commit."""
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupted_by_sigterm():
        commit(steps, signal.SIGTERM)
    assert steps == ["finished"]


def test_without_an_interrupt_nothing_is_raised_and_nothing_changes():
    """Whoever handled the signals before handles them afterwards."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupted_by_sigterm(), deferred_interrupts():
        pass
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_handlers_come_back_when_the_block_fails():
    """The error is raised, and Ctrl-C works again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(OSError, match="disk full"), interrupted_by_sigterm(), deferred_interrupts():
        raise OSError("disk full")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_ignored_interrupt_stays_ignored():
    """As under nohup."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    steps = []
    commit(steps, signal.SIGINT)
    assert steps == ["finished"]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_leaves_the_signals_alone():
    """Only the main thread may handle them: a notebook's commit in a thread must not fail."""
    seen = []

    def look():
        with deferred_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_a_librarys_own_handlers_are_undone():
    """Ray's for SIGTERM would exit before the last commit."""
    before = signal.getsignal(signal.SIGTERM)
    with kept_handlers():
        signal.signal(signal.SIGTERM, lambda number, frame: None)
    assert signal.getsignal(signal.SIGTERM) == before
