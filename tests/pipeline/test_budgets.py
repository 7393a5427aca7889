"""A budget of time or of trials: what is handed out, and when no more is."""

from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.budgets import Budget, Ended, Supply


@dataclass(frozen=True)
class Some:
    """So many trials, which cost a second each."""

    size: int

    def __len__(self):
        return self.size

    @property
    def halves(self):
        """As a batch of the pipeline is cut."""
        return Some(self.size // 2), Some(self.size - self.size // 2)


@pytest.fixture
def at(monkeypatch):
    """Sets the clock to a number of seconds."""
    clock = {"now": 0.0}
    monkeypatch.setattr("pipeline.budgets.monotonic", lambda: clock["now"])
    return lambda seconds: clock.update(now=seconds)


def supply(*sizes, **budget):
    return Supply(map(Some, sizes), len, Budget(**budget))


def test_without_a_budget_every_batch_is_handed_out(at):
    """As it is, and in order; nothing stopped the supply."""
    all_of_it = supply(4, 3, 5)
    assert list(all_of_it) == [Some(4), Some(3), Some(5)]
    assert all_of_it.stopped is None


@given(st.lists(st.integers(1, 40), max_size=6), st.integers(1, 100))
def test_a_number_of_trials_is_met_exactly(sizes, trials):
    """The last batch is cut; the supply says so only where trials are left."""
    some = supply(*sizes, trials=trials)
    handed = [len(batch) for batch in some]
    assert sum(handed) == min(trials, sum(sizes))
    assert 0 not in handed
    assert some.stopped == ("trials" if trials < sum(sizes) else None)


def test_no_batch_begins_once_the_time_is_up(at):
    """What had begun before is finished; the supply says that the time stopped it."""
    some = supply(1, 1, 1, until=10.0)
    batches = iter(some)
    next(batches)
    at(9.9)
    some.ended({"trained": 1})
    assert next(batches) == Some(1)
    at(10.0)
    some.ended({"trained": 1})
    assert list(batches) == []
    assert some.stopped == "time"


def test_a_sweep_that_ends_before_its_time_was_not_stopped(at):
    """Though the time is up when the last batch ends."""
    some = supply(1, until=10.0)
    (batch,) = some
    at(11.0)
    some.ended({"trained": 1})
    assert (batch, some.stopped) == (Some(1), None)


def test_time_that_is_up_before_the_first_batch_stops_the_supply(at):
    """As when compiling took all of it."""
    at(3.0)
    some = supply(1, until=2.0)
    assert list(some) == []
    assert some.stopped == "time"


def test_what_is_in_flight_counts_as_time(at):
    """A batch waits where those in flight last until the end, and comes if they were faster."""
    some = supply(4, 4, 4, 4, until=10.0)
    batches = iter(some)
    assert [next(batches) for _ in range(4)] == [Some(4), Some(4), Some(4), None]
    at(2.0)
    some.ended({"trained": 4})  # 8 seconds are in flight, at 2 a second
    assert next(batches) == Some(4)


def test_what_waited_for_its_workers_sets_no_pace(at):
    """A small first batch that ended late: the next ones are handed out as they are expected."""
    some = Supply(map(Some, [1, 40, 40, 40]), lambda batch: len(batch) / 20, Budget(until=9.0))
    batches = iter(some)
    assert next(batches) == Some(1)
    at(2.0)
    some.ended({"trained": 1})  # at the pace of 40 times the expected, nothing more would fit
    assert [next(batches) for _ in range(3)] == [Some(40)] * 3


def test_slow_trainings_wait_sooner(at):
    """At a third of the expected pace, 4 seconds in flight last 12."""
    some = supply(2, 2, 2, 2, until=15.0)
    batches = iter(some)
    assert [next(batches) for _ in range(3)] == [Some(2)] * 3
    at(6.0)
    some.ended({"trained": 2})
    assert next(batches) is None
    at(10.0)
    some.ended({"trained": 2})  # 2 seconds are left, at 4 in 10
    assert next(batches) is None
    at(14.0)
    some.ended({"trained": 2})
    assert next(batches) == Some(2)


def test_the_seconds_of_what_ended_are_those_expected(at):
    """In whatever pieces it ends, failed trials among them; elapsed since the first batch."""
    at(5.0)
    some = Supply([Some(4), Some(2)], lambda batch: {4: 8.0, 2: 1.0}[len(batch)], Budget())
    assert list(some) == [Some(4), Some(2)]
    at(7.0)
    assert some.ended({"trained": 1, "slow": 2}) == Ended({"trained": 1, "slow": 2}, 6.0, 2.0)
    assert some.ended({}, failed=1) == Ended({}, 2.0, 2.0)
    at(9.0)
    assert some.ended({"slow": 2}) == Ended({"slow": 2}, 1.0, 4.0)


def test_both_limits_stop_at_whichever_comes_first(at):
    """The time, here; then the number."""
    timed = supply(1, 1, until=0.0, trials=1)
    assert (list(timed), timed.stopped) == ([], "time")
    counted = supply(1, 1, until=inf, trials=1)
    assert (list(counted), counted.stopped) == ([Some(1)], "trials")


def test_after_a_round_the_supply_waits_for_all_of_it(at):
    """The next batch is not even asked for before: what it is depends on their rows."""
    ended = []

    def rounds():
        yield Some(2)
        yield Some(1)
        yield None
        assert ended == [2, 1]
        yield Some(4)

    some = Supply(rounds(), len, Budget())
    batches = iter(some)
    assert [next(batches) for _ in range(4)] == [Some(2), Some(1), None, None]
    for count in (2, 1):
        ended.append(count)
        some.ended({"trained": count})
        following = next(batches)
    assert following == Some(4)
    assert list(batches) == []


def test_a_round_that_met_the_number_of_trials_ends_the_supply(at):
    """If another round follows, trials are left; if none does, the sweep is done."""
    for following, stopped in (([Some(1)], "trials"), ([], None)):
        some = Supply([Some(3), None, *following], len, Budget(trials=3))
        batches = iter(some)
        assert next(batches) == Some(3)
        some.ended({}, failed=3)
        assert list(batches) == []
        assert some.stopped == stopped
