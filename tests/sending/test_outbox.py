"""Thousands of histories of an outbox: nothing is lost, and nothing sent twice."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime
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

from custom_components.zoho_voice.sending.journal import NotWrittenError
from custom_components.zoho_voice.sending.outbox import (
    MAX_AGE,
    MAX_MESSAGES,
    MAX_REPORTS,
    Message,
    Outbox,
    OutboxFullError,
    Outcome,
    State,
    end_of,
)
from custom_components.zoho_voice.zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    RejectedError,
    SignInError,
    ThrottledError,
    TimedOutError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms

NUMBERS = ["+14805550100", "+14805550111", "+14805550122"]
START = 1_764_831_248.0
#: What is no time, or none that a calendar has (seconds since the epoch).
ODD_TIMES = [None, True, "1764831248", "nan", math.nan, math.inf, -1, 1e11, 2**63]


class Crash(BaseException):
    """The power fails."""


class World:
    """A disk, a clock, and a Zoho that remembers all it was told."""

    def __init__(self) -> None:
        self.now = START
        self.disk: str | None = None
        self.disk_is_full = False
        self.answers: list[str] = []
        self.requests: list[tuple[str, list[str]]] = []
        self.accepted: list[tuple[str, str]] = []
        self.ended: list[Message] = []
        self.outbox = self.new_outbox()

    def new_outbox(self) -> Outbox:
        outbox = Outbox(lambda: self.now, self.request, self.start, self.ended.extend)
        outbox.store = self
        return outbox

    async def async_save(self) -> None:
        await asyncio.sleep(0)
        if self.disk_is_full:
            raise NotWrittenError
        self.disk = json.dumps(self.outbox.dump())

    async def async_save_ahead(self) -> None:
        await self.async_save()

    def save_soon(self) -> None:
        """Lose it if there is a crash before the next save."""

    async def start(
        self, coroutine: Coroutine[Any, Any, Outcome | None]
    ) -> asyncio.Task[Outcome | None]:
        return asyncio.create_task(coroutine)

    async def request(self, sms: Sms, sender_id: str, numbers: list[str]) -> Outcome:
        self.requests.append((sms.message, numbers))
        on_disk = {
            (stored["message"], stored["number"]): stored
            for stored in json.loads(self.disk or "[]")
        }
        for number in numbers:
            stored = on_disk[sms.message, number]
            assert stored["state"] == "submitting"
            assert stored["expires_at"] > self.now
        answer = self.answers.pop(0) if self.answers else "accepted"
        await asyncio.sleep(0)
        if answer in ("accepted", "unclear", "crash"):
            self.accepted += [(sms.message, number) for number in numbers]
        if answer.startswith("crash"):
            raise Crash
        return {
            "unclear": TimedOutError(),
            "lost": TimedOutError(),
            "refused": RejectedError("ZVSMS-4027"),
            "offline": CannotConnectError(),
            "throttled": ThrottledError(),
            "sign in": SignInError(),
            "accounts server": AccountsServerError(),
        }.get(answer) or [Receipt(number, {}) for number in numbers]

    def messages(
        self, text: str, *numbers: str, seconds: float = 3600.0
    ) -> list[Message]:
        return [
            Message(
                message_id=f"{text} {number}",
                call_id=text,
                number=number,
                name=None,
                subentry_id=None,
                sender_id="+18885550100",
                sms=Sms(message=text, data_coding=DataCoding.ENGLISH),
                created_at=self.now,
                expires_at=self.now + seconds,
            )
            for number in numbers
        ]

    def restart(self) -> None:
        self.outbox = self.new_outbox()
        self.outbox.load(json.loads(self.disk or "[]"))
        self.outbox.expire()

    async def try_now(self) -> None:
        self.outbox.wake()
        await self.outbox.async_try()


ANSWERS = st.sampled_from(
    [
        "accepted",
        "unclear",
        "lost",
        "refused",
        "offline",
        "throttled",
        "sign in",
        "accounts server",
        "crash",
        "crash before",
    ]
)


class Histories(RuleBasedStateMachine):
    """Any order of calls, answers, losses, crashes, restarts, and steps of a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.calls = 0
        self.promised: set[tuple[str, str]] = set()
        self.cleared: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run something, up to its end or a crash."""
        try:
            return self.loop.run_until_complete(coroutine)
        except Crash:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()
            self.loop = asyncio.new_event_loop()
            self.world.restart()
            return None

    @initialize()
    def begin(self) -> None:
        self.world = World()

    @rule(
        groups=st.lists(
            st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True),
            min_size=1,
            max_size=3,
        ),
        seconds=st.sampled_from([10.0, 600.0, 3600.0]),
        answers=st.lists(ANSWERS, max_size=3),
    )
    def send(self, groups: list[list[str]], seconds: float, answers: list[str]) -> None:
        self.world.answers = answers
        calls = []
        for numbers in groups:
            self.calls += 1
            calls.append(
                self.world.messages(f"{self.calls:05}", *numbers, seconds=seconds)
            )

        async def send_all() -> list[tuple[Outcome, list[Message]]]:
            return await asyncio.gather(*map(self.world.outbox.async_send, calls))

        results = self.run(send_all())
        for outcome, kept in results or []:
            self.promised |= {(m.sms.message, m.number) for m in kept}
            if isinstance(outcome, list):
                for receipt in outcome:
                    assert receipt.number in NUMBERS

    @rule(answers=st.lists(ANSWERS, max_size=4))
    def try_again(self, answers: list[str]) -> None:
        self.world.answers = answers
        self.run(self.world.try_now())

    @rule(seconds=st.sampled_from([-100_000.0, -60.0, 1.0, 60.0, 700.0, 100_000.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.now += seconds
        self.world.outbox.expire()

    @rule()
    def crash(self) -> None:
        self.world.restart()

    @rule(is_full=st.booleans())
    def fill_disk(self, is_full: bool) -> None:
        self.world.disk_is_full = is_full

    @precondition(lambda self: not self.world.disk_is_full)
    @rule(number=st.sampled_from(NUMBERS))
    def clear(self, number: str) -> None:
        taken = self.run(self.world.outbox.async_clear({number}))
        self.cleared |= {(m.sms.message, m.number) for m in taken}

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        if hasattr(self, "world"):
            assert max(Counter(self.world.accepted).values(), default=1) == 1

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "world"):
            return
        outbox = self.world.outbox
        there = {(m.sms.message, m.number) for m in (*outbox.waiting, *outbox.reports)}
        there |= {(m.sms.message, m.number) for m in self.world.ended}
        assert self.promised <= there | {*self.world.accepted} | self.cleared

    @invariant()
    def order_is_kept(self) -> None:
        if not hasattr(self, "world"):
            return
        for number in NUMBERS:
            texts = [text for text, to in self.world.accepted if to == number]
            assert texts == sorted(texts)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None
)


@pytest.fixture
def world() -> World:
    return World()


async def keep(world: World, text: str, *numbers: str, seconds: float = 3600.0) -> None:
    """Let the outbox keep messages."""
    world.answers = ["offline"]
    outcome, kept = await world.outbox.async_send(
        world.messages(text, *numbers, seconds=seconds)
    )
    assert outcome == []
    assert {message.number for message in kept} == {*numbers}


async def test_what_waits_goes_with_as_few_requests_as_it_came(world: World) -> None:
    numbers = [f"+1480555{n:04}" for n in range(10)]
    await keep(world, "a", *numbers)
    world.requests.clear()
    await world.try_now()
    assert world.requests == [("a", numbers)]
    assert world.outbox.waiting == world.outbox.reports == []
    assert {message.state for message in world.ended} == {State.SENT}


async def test_one_dead_number_holds_up_nobody(world: World) -> None:
    await keep(world, "a", NUMBERS[0])
    await keep(world, "b", NUMBERS[1])
    world.answers = ["refused"]
    await world.try_now()
    assert world.accepted == [("b", NUMBERS[1])]
    (report,) = world.outbox.reports
    assert (report.number, report.state, report.reason) == (
        NUMBERS[0],
        State.REFUSED,
        "ZVSMS-4027",
    )


async def test_zoho_that_is_away_is_asked_once_a_round_and_less_and_less_often(
    world: World,
) -> None:
    for text in "abc":
        await keep(world, text, NUMBERS["abc".index(text)])
    pauses = []
    for _ in range(10):
        world.requests.clear()
        world.answers = ["offline"] * 9
        world.now += world.outbox.seconds_to_next_try() or 0
        await world.outbox.async_try()
        assert len(world.requests) <= 1
        pauses.append(world.outbox.seconds_to_next_try())
    assert 4 <= pauses[0] <= 12
    assert 240 <= pauses[-1] <= 360
    world.answers = []
    world.now += pauses[-1]
    await world.outbox.async_try()
    assert len(world.accepted) == 3
    assert world.outbox.seconds_to_next_try() is None


async def test_what_is_woken_during_a_try_is_tried_again_at_once(world: World) -> None:
    await keep(world, "a", NUMBERS[0])
    world.answers = ["offline"]
    world.now += world.outbox.seconds_to_next_try() or 0
    trying = asyncio.create_task(world.outbox.async_try())
    while len(world.requests) < 2:
        await asyncio.sleep(0)
    world.outbox.wake()
    await trying
    assert world.accepted == []
    assert world.outbox.seconds_to_next_try() == 0


async def test_message_behind_an_earlier_one_waits_though_zoho_is_back(
    world: World,
) -> None:
    await keep(world, "a", NUMBERS[0])
    outcome, kept = await world.outbox.async_send(world.messages("b", *NUMBERS[:2]))
    assert [receipt.number for receipt in outcome] == [NUMBERS[1]]
    assert [message.number for message in kept] == [NUMBERS[0]]
    await world.try_now()
    assert world.accepted == [
        ("b", NUMBERS[1]),
        ("a", NUMBERS[0]),
        ("b", NUMBERS[0]),
    ]


async def test_message_of_which_the_answer_never_came_is_not_sent_again(
    world: World,
) -> None:
    await keep(world, "a", NUMBERS[0])
    world.answers = ["unclear"]
    await world.try_now()
    await world.try_now()
    assert world.accepted == [("a", NUMBERS[0])]
    assert [message.state for message in world.outbox.reports] == [State.UNCLEAR]
    world.outbox.acknowledge(State.EXPIRED)
    assert len(world.outbox.reports) == 1
    world.outbox.acknowledge(State.UNCLEAR)
    assert world.outbox.reports == []


async def test_no_more_than_so_many_can_wait(world: World) -> None:
    numbers = [f"+1480{n:07}" for n in range(MAX_MESSAGES)]
    await world.outbox.async_queue(world.messages("a", *numbers))
    with pytest.raises(OutboxFullError):
        await world.outbox.async_queue(world.messages("b", "+442079460958"))
    outcome, kept = await world.outbox.async_send(world.messages("b", "+442079460958"))
    assert isinstance(outcome, OutboxFullError)
    assert kept == []
    assert len(world.outbox.waiting) == MAX_MESSAGES
    world.now += MAX_AGE
    world.outbox.expire()
    assert len(world.outbox.reports) == MAX_REPORTS


async def test_clock_that_was_far_ahead_ends_what_it_made(world: World) -> None:
    await keep(world, "a", NUMBERS[0])
    world.now -= MAX_AGE + 1
    world.outbox.expire()
    assert [message.state for message in world.outbox.reports] == [State.EXPIRED]


async def test_clearing_that_can_not_be_written_clears_nothing(world: World) -> None:
    await keep(world, "a", NUMBERS[0])
    world.disk_is_full = True
    with pytest.raises(NotWrittenError):
        await world.outbox.async_clear()
    assert len(world.outbox.waiting) == 1


def test_scheduled_message_ends_at_its_time() -> None:
    sms = Sms(message="a", data_coding=DataCoding.ENGLISH)
    assert end_of(sms, START, 600) == START + 600
    moment = datetime(2025, 12, 4, 12, 30)  # noqa: DTZ001
    scheduled = replace(sms, scheduled_time=moment, time_zone="Asia/Kolkata")
    assert (
        end_of(scheduled, START, 600)
        == datetime.fromisoformat("2025-12-04T12:30+05:30").timestamp()
    )
    assert end_of(scheduled, START, 1) == START + 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in ("created_at", "expires_at") for value in ODD_TIMES),
        ("state", "sent"),
        ("state", "lost"),
        ("number", ""),
        ("number", "14805550100"),
        ("number", "+14805550100,+14805550111"),
        ("number", "+٣٣٣٣٣٣٣٣"),
        ("scheduled_time", ""),
        ("scheduled_time", "soon"),
        ("data_coding", 3),
        ("message", None),
    ],
)
def test_what_no_message_can_be_is_damage(world: World, key: str, value: Any) -> None:
    (message,) = world.messages("a", NUMBERS[0])
    with pytest.raises((ValueError, TypeError)):
        world.outbox.load([{**message.dump(), key: value}])
    assert world.outbox.waiting == []


def test_message_that_is_there_twice_is_damage(world: World) -> None:
    (message,) = world.messages("a", NUMBERS[0])
    with pytest.raises(ValueError, match="the only one"):
        world.outbox.load([message.dump(), message.dump()])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
    )
)
def test_no_file_makes_another_error_than_those_of_damage(value: Any) -> None:
    outbox = World().outbox
    try:
        outbox.load(value)
    except ValueError, KeyError, TypeError:
        return
    assert value in ([], {}, "")


@given(
    st.sampled_from(
        ["number", "message", "created_at", "state", "data_coding", "time_zone"]
    ),
    st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.none(), max_size=1),
)
def test_one_odd_field_is_damage_or_can_be_dumped_again(key: str, value: Any) -> None:
    world = World()
    (message,) = world.messages("a", NUMBERS[0])
    try:
        world.outbox.load([{**message.dump(), key: value}])
    except ValueError, KeyError, TypeError:
        return
    assert json.dumps(world.outbox.dump())
