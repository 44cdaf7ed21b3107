"""What stops loops: never more than so many, and no text twice, but nothing lost."""

from datetime import datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.zoho_voice.sending import brakes
from custom_components.zoho_voice.sending.brakes import (
    FloodBrake,
    Repeats,
    text_of,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Sms

ALICE = "+14805550100"
BOB = "+14805550111"
NUMBERS = st.sampled_from([ALICE, BOB])
START = 1_764_831_248.0


class Clock:
    """Tell the time that it is set to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def text(message: str, **options: Any) -> Sms:
    return Sms(message=message, data_coding=DataCoding.ENGLISH, **options)


WATER = text("Water")
FIRE = text("Fire")


# FloodBrake


def test_message_above_the_limit_may_go_when_the_first_one_does_not_count(
    clock: Clock,
) -> None:
    brake = FloodBrake(3, 60, clock)
    for _ in range(3):
        assert brake.check(ALICE) is None
        brake.record(ALICE)
        clock.now += 10
    err = brake.check(ALICE)
    assert (err.count, err.seconds) == (3, 60)
    assert brake.check(BOB) is None
    clock.now = START + 59.9
    assert brake.check(ALICE)
    clock.now = START + 60
    assert brake.check(ALICE) is None
    brake.record(ALICE)
    assert brake.check(ALICE)


def test_message_that_did_not_go_does_not_count(clock: Clock) -> None:
    brake = FloodBrake(2, 60, clock)
    first = brake.record(ALICE)
    clock.now += 50
    brake.record(ALICE)
    brake.forget(ALICE, first)
    assert brake.check(ALICE) is None
    brake.record(ALICE)
    # The one that went counts from when it went.
    clock.now += 15
    assert brake.check(ALICE)
    brake.forget(BOB, first)
    brake.forget(ALICE, None)
    assert brake.check(ALICE)


def test_zero_lets_all_through_and_remembers_nothing(clock: Clock) -> None:
    brake = FloodBrake(0, 60, clock)
    for _ in range(100):
        assert brake.check(ALICE) is None
        brake.forget(ALICE, brake.record(ALICE))
    brake.limit = 1
    assert brake.check(ALICE) is None


def test_numbers_that_got_nothing_for_long_are_forgotten(clock: Clock) -> None:
    brake = FloodBrake(2, 60, clock)
    for n in range(1000):
        brake.record(f"+1480555{n:04}")
        clock.now += 1
    assert len(brake._times) <= 61


@given(
    st.integers(1, 5),
    st.sampled_from([1.0, 60.0, 600.0]),
    st.lists(
        st.tuples(NUMBERS, st.floats(0, 100), st.sampled_from(["goes", "fails"])),
        max_size=60,
    ),
)
def test_no_time_holds_more_than_the_limit(
    limit: int, seconds: float, calls: list[tuple[str, float, str]]
) -> None:
    clock = Clock(0.0)
    brake = FloodBrake(limit, seconds, clock)
    went: dict[str, list[float]] = {ALICE: [], BOB: []}
    for number, pause, outcome in calls:
        clock.now += pause
        recent = [time for time in went[number] if time + seconds > clock.now]
        err = brake.check(number)
        assert (err is not None) == (len(recent) >= limit)
        if err:
            assert err.count == len(recent)
            continue
        time = brake.record(number)
        if outcome == "goes":
            went[number].append(clock.now)
        else:
            brake.forget(number, time)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([1.0, 60.0]), st.floats(0, 40)),
        max_size=30,
    )
)
def test_other_limit_holds_at_once_and_never_makes_it_fail(
    steps: list[tuple[int, float, float]],
) -> None:
    clock = Clock(0.0)
    brake = FloodBrake(1, 1, clock)
    for limit, seconds, pause in steps:
        brake.limit, brake.seconds = limit, seconds
        clock.now += pause
        if brake.check(ALICE) is None:
            brake.record(ALICE)
            assert limit != 1 or brake.check(ALICE)


# Repeats


def test_text_is_a_repeat_for_its_time_and_only_to_the_same_number(
    clock: Clock,
) -> None:
    repeats = Repeats(60, clock)
    assert repeats.find(ALICE, WATER) is None
    repeats.remember(ALICE, WATER)
    assert repeats.find(ALICE, WATER) is False
    repeats.confirm(ALICE, WATER)
    assert repeats.find(ALICE, WATER) is True
    assert repeats.find(BOB, WATER) is None
    assert repeats.find(ALICE, FIRE) is None
    clock.now += 59.9
    assert repeats.find(ALICE, WATER)
    clock.now += 0.2
    assert repeats.find(ALICE, WATER) is None


def test_text_that_did_not_go_is_no_repeat(clock: Clock) -> None:
    repeats = Repeats(60, clock)
    repeats.remember(ALICE, WATER)
    repeats.forget(ALICE, WATER)
    repeats.confirm(ALICE, WATER)
    assert repeats.find(ALICE, WATER) is None


def test_text_that_is_scheduled_for_another_time_is_another_one(clock: Clock) -> None:
    morning, evening = (
        text(
            "Pill",
            scheduled_time=datetime(2030, 1, 1, hour),  # noqa: DTZ001
            time_zone="UTC",
        )
        for hour in (8, 20)
    )
    repeats = Repeats(60, clock)
    repeats.remember(ALICE, morning)
    assert repeats.find(ALICE, morning) is False
    assert repeats.find(ALICE, evening) is None
    assert repeats.find(ALICE, text("Pill")) is None
    # A file says no more than the wall clock.
    aware = morning.scheduled_time.astimezone()
    assert text_of(morning) == text_of(
        text("Pill", scheduled_time=aware.replace(hour=8), time_zone="UTC")
    )


@pytest.mark.parametrize(
    ("step", "is_repeat"), [(-59, True), (59, True), (-61, False), (61, False)]
)
def test_clock_that_is_set_by_more_than_the_time_ends_it(
    clock: Clock, step: float, is_repeat: bool
) -> None:
    repeats = Repeats(60, clock)
    repeats.remember(ALICE, WATER)
    repeats.confirm(ALICE, WATER)
    clock.now += step
    assert bool(repeats.find(ALICE, WATER)) == is_repeat


def test_nothing_is_remembered_while_it_is_off(clock: Clock) -> None:
    repeats = Repeats(0, clock)
    repeats.remember(ALICE, WATER)
    repeats.confirm(ALICE, WATER)
    repeats.forget(ALICE, WATER)
    repeats.seconds = 60
    assert repeats.find(ALICE, WATER) is None
    assert repeats.dump() == {}
    repeats.remember(ALICE, WATER)
    repeats.seconds = 0
    assert repeats.find(ALICE, WATER) is None


def test_no_more_is_remembered_than_can_be_written_each_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brakes, "MAX_TEXTS", 10)
    repeats = Repeats(86_400, clock)
    for n in range(25):
        repeats.remember(ALICE, text(str(n)))
    assert len(repeats.dump()) == 10
    assert repeats.find(ALICE, text("15")) is False
    assert repeats.find(ALICE, text("14")) is None


def test_what_is_old_is_forgotten(clock: Clock) -> None:
    repeats = Repeats(60, clock)
    for n in range(1000):
        repeats.remember(ALICE, text(str(n)))
        clock.now += 1
    assert len(repeats.dump()) <= 61


def test_neither_texts_nor_numbers_are_kept(clock: Clock) -> None:
    repeats = Repeats(60, clock)
    repeats.remember(ALICE, WATER)
    content = json.dumps(repeats.dump())
    assert "Water" not in content
    assert ALICE[1:] not in content


ACTIONS = st.sampled_from(["remember", "confirm", "forget"])


@given(
    st.lists(
        st.tuples(
            ACTIONS,
            NUMBERS,
            st.sampled_from([WATER, FIRE]),
            st.floats(-100, 100),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_any_history_with_restarts_is_as_if_there_was_none(
    steps: list[tuple[str, str, Sms, float, bool]],
) -> None:
    clock = Clock()
    repeats, other = Repeats(60, clock), Repeats(60, clock)
    model: dict[tuple[str, Sms], tuple[float, bool]] = {}
    # What was old when something else was remembered may be forgotten, though the
    # clock goes back.
    old: set[tuple[str, Sms]] = set()
    for action, number, sms, pause, restarts in steps:
        clock.now += pause
        for each in (repeats, other):
            getattr(each, action)(number, sms)
        if action == "remember":
            model[number, sms] = (clock.now, False)
            old |= {key for key, (at, _) in model.items() if abs(clock.now - at) >= 60}
            old.discard((number, sms))
        elif action == "forget":
            model.pop((number, sms), None)
        elif (number, sms) in model:
            model[number, sms] = (model[number, sms][0], True)
        if restarts:
            dump = json.loads(json.dumps(other.dump()))
            other = Repeats(60, clock)
            other.load(dump)
        for key in ((to, what) for to in (ALICE, BOB) for what in (WATER, FIRE)):
            time, is_certain = model.get(key, (0.0, False))
            expected = is_certain if abs(clock.now - time) < 60 else None
            found = repeats.find(*key)
            assert other.find(*key) is found
            assert found is expected or (found is None and key in old)


DIGEST = "0" * 32


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "",
        {"": [1.0, True]},
        {DIGEST[1:]: [1.0, True]},
        {DIGEST + "0": [1.0, True]},
        {DIGEST: 1.0},
        {DIGEST: [1, True]},
        {DIGEST: [1.0, 1]},
        {DIGEST: [1.0]},
        {DIGEST: [-1.0, True]},
        {DIGEST: [float("nan"), True]},
        {DIGEST: [float("inf"), True]},
        {DIGEST: ["1", True]},
        {DIGEST: [1.0, True, 0]},
    ],
)
def test_damage_is_said_and_changes_nothing(clock: Clock, value: Any) -> None:
    repeats = Repeats(60, clock)
    repeats.remember(ALICE, WATER)
    with pytest.raises(ValueError, match="What was sent"):
        repeats.load(value)
    assert repeats.find(ALICE, WATER) is False
    repeats.load({DIGEST: [1.0, True]})
    assert repeats.dump() == {DIGEST: [1.0, True]}
