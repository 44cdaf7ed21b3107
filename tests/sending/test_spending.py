"""No hour and no day takes more segments than an account may spend."""

import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.zoho_voice.sending.spending import (
    Booking,
    Limits,
    SpendingGuard,
)

START = 1_764_831_248.0
HOUR = 3600
DAY = 86_400


class Clock:
    """Tell the time that it is set to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_limits_anything_may_be_spent(clock: Clock) -> None:
    guard = SpendingGuard(Limits(), clock)
    assert not guard.is_limited
    guard.spend(1000)
    assert guard.opens_at(1000) is None
    assert guard.left() is None
    # It counts all the same: a limit may be set any time.
    guard.limits = Limits(per_hour=1000)
    assert guard.is_limited
    assert guard.opens_at(1) is not None


def test_guard_opens_when_the_first_segments_are_an_hour_old(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=5), clock)
    guard.spend(3)
    clock.now += 600
    guard.spend(2)
    assert (guard.left(), guard.spent_last_hour) == (0, 5)
    assert guard.opens_at(1) == START + HOUR
    assert guard.opens_at(3) == START + HOUR
    assert guard.opens_at(4) == START + 600 + HOUR
    assert guard.opens_at(6) == math.inf
    clock.now = START + HOUR
    assert guard.opens_at(3) is None
    assert guard.left() == 3


def test_day_may_be_shorter_of_segments_than_the_hour(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=5, per_day=6), clock)
    guard.spend(5)
    clock.now += HOUR
    assert guard.left() == 1
    guard.spend(1)
    assert guard.opens_at(1) == START + DAY
    assert guard.spent_last_day == 6
    assert guard.opens_at(5) == START + DAY
    guard.limits = Limits(per_day=6)
    assert guard.opens_at(6) == START + HOUR + DAY
    guard.limits = Limits(per_day=4)
    assert guard.opens_at(5) == math.inf
    assert guard.left() == 0


def test_booking_is_corrected_and_refunded(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=10), clock)
    first, second = guard.spend(2), guard.spend(3)
    first.correct(6)
    assert guard.spent_last_hour == 9
    first.correct(1)
    assert guard.spent_last_hour == 4
    second.refund()
    second.refund()
    assert guard.spent_last_hour == 1
    first.correct(-5)
    assert guard.spent_last_hour == 0
    assert guard.dump() == []


def test_correction_may_close_the_guard(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=2), clock)
    guard.spend(1).correct(7)
    assert guard.left() == 0
    assert guard.opens_at(1) == START + HOUR


def test_what_others_are_about_to_spend_is_counted_from_then_on(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=5, per_day=8), clock)
    assert guard.opens_at(3, [(0.0, 2)]) is None
    assert guard.opens_at(4, [(0.0, 2)]) == START + HOUR
    # It goes in two hours, so it does not count for this one, but for this day.
    later = [(START + 2 * HOUR, 5)]
    assert guard.opens_at(3, later) is None
    assert guard.opens_at(4, later) == START + 2 * HOUR + DAY
    # What would go then as well is asked for then.
    at = START + 2 * HOUR
    assert guard.opens_at(1, later, at) == at + HOUR
    guard.spend(5)
    assert guard.opens_at(3, at=at) is None
    assert guard.opens_at(4, at=at) == START + DAY
    assert guard.opens_at(1, at=START - 5) == START + HOUR


def test_clock_that_goes_back_counts_what_was_spent_for_longer(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=2), clock)
    guard.spend(2)
    clock.now -= 600
    assert guard.left() == 0
    assert guard.opens_at(1) == START + HOUR
    guard.limits = Limits(per_hour=3)
    guard.spend(1)
    assert guard.opens_at(1) == START - 600 + HOUR


def test_only_what_is_more_than_a_day_ahead_comes_from_a_wrong_clock(
    clock: Clock,
) -> None:
    guard = SpendingGuard(Limits(per_hour=2), clock)
    for ahead in (DAY, DAY + HOUR):
        clock.now = START + ahead
        guard.spend(1)
    clock.now = START
    assert guard.opens_at(1) == START + HOUR
    assert guard.opens_at(2) == START + DAY + HOUR
    clock.now += HOUR
    assert guard.left() == 1
    assert guard.dump() == [[START, 1], [START + DAY, 1]]


def test_clock_that_was_far_ahead_closes_the_guard_for_no_longer_than_its_time(
    clock: Clock,
) -> None:
    guard = SpendingGuard(Limits(per_hour=2, per_day=3), clock)
    clock.now += 10 * DAY
    guard.spend(2)
    clock.now = START
    assert guard.opens_at(1) == START + HOUR
    clock.now += HOUR
    assert guard.left() == 1


def test_what_others_spend_a_whole_hour_later_does_not_count(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=5), clock)
    assert guard.opens_at(5, [(START + HOUR, 5)]) is None
    assert guard.opens_at(5, [(START + HOUR - 1, 1)]) == START + 2 * HOUR - 1
    assert guard.opens_at(5, [(START, 5)], START + HOUR) is None


def test_minutes_are_kept_and_no_more_than_a_day_of_them(clock: Clock) -> None:
    guard = SpendingGuard(Limits(per_hour=5), clock)
    for _ in range(3 * 24 * 60):
        guard.spend(1)
        clock.now += 30
    assert len(guard.dump()) <= 24 * 60 + 1


class Spending(RuleBasedStateMachine):
    """Any order of calls, corrections, restarts, and steps of a clock."""

    bookings: list[tuple[Booking, int]]

    @initialize(
        per_hour=st.none() | st.integers(1, 20), per_day=st.none() | st.integers(1, 60)
    )
    def begin(self, per_hour: int | None, per_day: int | None) -> None:
        self.clock = Clock()
        self.limits = Limits(per_hour, per_day)
        self.guard = SpendingGuard(self.limits, self.clock)
        # When what was spent: it is never undone but by a refund.
        self.spent: list[list[float]] = []
        self.bookings = []
        self.has_gone_forward_only = True
        self.is_corrected = False

    @rule(segments=st.integers(1, 12))
    def spend(self, segments: int) -> None:
        opens_at = self.guard.opens_at(segments)
        left = self.guard.left()
        assert (opens_at is None) == (left is None or segments <= left)
        if opens_at is None:
            self.spent.append([self.clock.now, segments])
            self.bookings.append((self.guard.spend(segments), len(self.spent) - 1))
        elif any(limit is not None and segments > limit for limit in self.limits):
            assert opens_at == math.inf
        else:
            assert self.clock.now < opens_at <= self.clock.now + 2 * DAY + 60

    @precondition(lambda self: self.bookings)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        booking, index = self.bookings.pop(
            data.draw(st.integers(0, len(self.bookings) - 1))
        )
        booking.refund()
        self.spent[index][1] = 0

    @precondition(lambda self: self.bookings)
    @rule(data=st.data(), actual=st.integers(1, 30))
    def correct(self, data: st.DataObject, actual: int) -> None:
        booking, index = data.draw(st.sampled_from(self.bookings))
        booking.correct(actual)
        self.is_corrected |= actual > self.spent[index][1]
        self.spent[index][1] = actual

    @rule(seconds=st.floats(0, 7200) | st.sampled_from([59.0, 60.0, 3600.0, 86_400.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(seconds=st.floats(-200_000, 0))
    def set_back(self, seconds: float) -> None:
        self.clock.now += seconds
        self.has_gone_forward_only = False

    @rule()
    def wait_until_it_opens(self) -> None:
        opens_at = self.guard.opens_at(1)
        if opens_at not in (None, math.inf):
            self.clock.now = opens_at
            assert self.guard.opens_at(1) is None

    @rule()
    def restart(self) -> None:
        dump = json.loads(json.dumps(self.guard.dump()))
        before = self.guard.left(), self.guard.opens_at(5)
        self.guard = SpendingGuard(self.limits, self.clock)
        self.guard.load(dump)
        assert (self.guard.left(), self.guard.opens_at(5)) == before
        # What is answered after a restart corrects nothing.
        self.bookings = []

    @invariant()
    def no_time_holds_more_than_its_limit(self) -> None:
        if not hasattr(self, "spent") or self.is_corrected:
            return
        if not self.has_gone_forward_only:
            return
        for limit, window in zip(self.limits, (HOUR, DAY), strict=True):
            if limit is None:
                continue
            for end, _ in self.spent:
                held = sum(
                    segments
                    for time, segments in self.spent
                    if end - window < time <= end
                )
                assert held <= limit

    @invariant()
    def nothing_is_forgotten_before_its_time(self) -> None:
        if not hasattr(self, "spent") or not self.has_gone_forward_only:
            return
        for window, spent in (
            (HOUR, self.guard.spent_last_hour),
            (DAY, self.guard.spent_last_day),
        ):
            now = self.clock.now
            # A minute's segments leave together, with the last of them.
            for tolerance, holds in ((0, int.__ge__), (60, int.__le__)):
                held = sum(
                    int(segments)
                    for time, segments in self.spent
                    if time + window + tolerance > now
                )
                assert holds(spent, held)


TestSpending = Spending.TestCase
TestSpending.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None
)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "",
        [1.0],
        [[1.0]],
        [[1.0, 1, 1]],
        [[1, 1]],
        [[1.0, 1.0]],
        [[1.0, True]],
        [[1.0, 0]],
        [[1.0, -1]],
        [[-1.0, 1]],
        [[math.nan, 1]],
        [[math.inf, 1]],
        [["1", 1]],
        [[2.0, 1], [1.0, 1]],
    ],
)
def test_damage_is_said_and_changes_nothing(clock: Clock, value: Any) -> None:
    guard = SpendingGuard(Limits(per_hour=5), clock)
    guard.spend(3)
    with pytest.raises(ValueError, match="ooking"):
        guard.load(value)
    assert guard.left() == 2
    guard.load([[0.0, 1], [START, 1], [START, 1]])
    assert guard.left() == 3


@given(st.lists(st.tuples(st.floats(0, 3 * DAY), st.integers(1, 5)), max_size=20))
def test_what_is_about_to_go_counts_at_its_time_whatever_the_order(
    reserved: list[tuple[float, int]],
) -> None:
    guard = SpendingGuard(Limits(per_hour=9, per_day=30), Clock())
    items = [(START + time, segments) for time, segments in reserved]
    opens_at = guard.opens_at(3, items)
    assert opens_at == guard.opens_at(3, reversed(items))
    hour = sum(segments for time, segments in items if time < START + HOUR)
    day = sum(segments for time, segments in items if time < START + DAY)
    assert (opens_at is None) == (hour + 3 <= 9 and day + 3 <= 30)
