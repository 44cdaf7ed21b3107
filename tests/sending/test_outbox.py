"""Thousands of histories of an outbox: nothing is lost, and nothing sent twice."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, time
import json
import math
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.zoho_voice.sending.brakes import Repeats
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
from custom_components.zoho_voice.sending.permit import Permit
from custom_components.zoho_voice.sending.quiet_hours import QuietHours
from custom_components.zoho_voice.sending.spending import Limits, SpendingGuard
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

    def __init__(self, per_hour: int | None = None) -> None:
        self.limits = Limits(per_hour)
        self.quiet: dict[str, float] = {}
        self.spent: list[tuple[float, int]] = []
        self.booked: list[tuple[float, int]] = []
        self.has_restarted = False
        self.now = START
        self.disk: str | None = None
        self.disk_is_full = False
        self.answers: list[str] = []
        self.requests: list[tuple[str, list[str]]] = []
        self.accepted: list[tuple[str, str]] = []
        self.ended: list[Message] = []
        self.outbox = self.new_outbox()

    def new_outbox(self) -> Outbox:
        self.guard = SpendingGuard(self.limits, lambda: self.now)
        self.repeats = Repeats(600, lambda: self.now)
        outbox = Outbox(
            lambda: self.now,
            self.request,
            self.start,
            self.ended.extend,
            quiet_until=self.quiet_until,
            guard=self.guard,
            repeats=self.repeats,
        )
        outbox.store = self
        return outbox

    def quiet_until(self, message: Message) -> float | None:
        until = self.quiet.get(message.number, 0.0)
        return until if until > self.now and not message.urgent else None

    def stored(self) -> dict[str, Any]:
        empty = {"messages": [], "spending": [], "repeats": {}}
        return json.loads(self.disk) if self.disk else empty

    async def async_save(self) -> None:
        await asyncio.sleep(0)
        if self.disk_is_full:
            raise NotWrittenError
        self.disk = json.dumps(
            {
                "messages": self.outbox.dump(),
                "spending": self.guard.dump(),
                "repeats": self.repeats.dump(),
            }
        )

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
            for stored in self.stored()["messages"]
        }
        for number in numbers:
            stored = on_disk[sms.message, number]
            assert stored["state"] == "submitting"
            assert stored["expires_at"] > self.now
            assert stored["urgent"] or self.quiet.get(number, 0.0) <= self.now
        booked = sum(segments for _, segments in self.stored()["spending"])
        assert booked >= len(numbers)
        answer = self.answers.pop(0) if self.answers else "accepted"
        await asyncio.sleep(0)
        if answer in ("accepted", "unclear", "crash"):
            self.accepted += [(sms.message, number) for number in numbers]
            self.spent.append((self.now, len(numbers)))
        if answer in ("accepted", "unclear", "lost") or answer.startswith("crash"):
            self.booked.append((self.now, len(numbers)))
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
        self, text: str, *numbers: str, seconds: float = 3600.0, urgent: bool = False
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
                expires_at=max(self.now, 0.0 if urgent else self.quiet.get(number, 0.0))
                + seconds,
                urgent=urgent,
                keep_trying=seconds,
            )
            for number in numbers
        ]

    async def send(
        self, messages: list[Message]
    ) -> tuple[Outcome, list[Message]] | None:
        """Send as a call does: admitted with all it costs, or refused."""
        reserved = self.outbox.reserved
        if self.guard.opens_at(len(messages), reserved) is not None:
            return None
        held = [m for m in messages if self.quiet_until(m) is not None]
        going = [m for m in messages if m not in held]
        if not going:
            return [], await self.queue(held)
        permit = Permit(
            self.guard, self.repeats, going[0].sms, [m.number for m in going]
        )
        permit.hold()
        sending = asyncio.create_task(
            self.send_in_turn(going, permit), eager_start=True
        )
        held = await self.queue(held)
        outcome, kept = await sending
        return outcome, [*held, *kept]

    async def send_in_turn(
        self, messages: list[Message], permit: Permit
    ) -> tuple[Outcome, list[Message]]:
        turn = self.outbox.take_turn(message.number for message in messages)
        try:
            await turn.async_wait()
            return await self.outbox.async_send(messages, permit)
        finally:
            turn.end()

    async def queue(self, messages: list[Message]) -> list[Message]:
        try:
            await self.outbox.async_queue(messages)
        except NotWrittenError:
            return []
        return messages

    def restart(self) -> None:
        self.has_restarted = True
        self.outbox = self.new_outbox()
        stored = self.stored()
        self.outbox.load(stored["messages"])
        self.guard.load(stored["spending"])
        self.repeats.load(stored["repeats"])
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
    """Any order of calls, answers, losses, crashes, and steps of a clock, with limits.

    `test_histories.py` lets more happen at the same time, without limits.
    """

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

    @initialize(per_hour=st.none() | st.integers(1, 6))
    def begin(self, per_hour: int | None) -> None:
        self.world = World(per_hour)
        self.limit = per_hour
        self.urgent: set[str] = set()
        self.has_gone_forward_only = True

    @rule(
        groups=st.lists(
            st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True),
            min_size=1,
            max_size=3,
        ),
        seconds=st.sampled_from([10.0, 600.0, 3600.0]),
        answers=st.lists(ANSWERS, max_size=3),
        urgent=st.booleans(),
    )
    def send(
        self,
        groups: list[list[str]],
        seconds: float,
        answers: list[str],
        urgent: bool,
    ) -> None:
        self.world.answers = answers
        calls = []
        for numbers in groups:
            self.calls += 1
            text = f"{self.calls:05}"
            if urgent:
                self.urgent.add(text)
            calls.append(
                self.world.messages(text, *numbers, seconds=seconds, urgent=urgent)
            )

        async def send_all() -> list[tuple[Outcome, list[Message]] | None]:
            return await asyncio.gather(*map(self.world.send, calls))

        for outcome, kept in filter(None, self.run(send_all()) or []):
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
        self.has_gone_forward_only &= seconds > 0
        self.world.outbox.expire()

    @rule(number=st.sampled_from(NUMBERS), seconds=st.sampled_from([0.0, 600.0, 3e4]))
    def be_quiet(self, number: str, seconds: float) -> None:
        self.world.quiet[number] = self.world.now + seconds

    @precondition(lambda self: self.limit is not None)
    @rule(per_hour=st.integers(1, 6))
    def change_limit(self, per_hour: int) -> None:
        self.world.limits = self.world.guard.limits = Limits(per_hour)
        self.limit = max(self.limit, per_hour)

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
            for is_urgent in (False, True):
                texts = [
                    text
                    for text, to in self.world.accepted
                    if to == number and (text in self.urgent) == is_urgent
                ]
                assert texts == sorted(texts)

    @invariant()
    def no_hour_holds_more_than_the_limit(self) -> None:
        if not hasattr(self, "world") or self.limit is None:
            return
        if not self.has_gone_forward_only:
            return
        spent = self.world.spent
        for end, _ in spent:
            held = sum(count for time, count in spent if end - 3600 < time <= end)
            assert held <= self.limit

    @invariant()
    def no_place_is_held_for_what_does_not_go(self) -> None:
        if not hasattr(self, "world") or not self.has_gone_forward_only:
            return
        world = self.world
        # A minute's segments leave together, and a refund may be lost in a crash.
        booked = [
            sum(count for time, count in world.booked if time + seconds > world.now)
            for seconds in (3600, 3660)
        ]
        spent = world.guard.spent_last_hour
        assert booked[0] <= spent
        assert spent <= booked[1] or world.has_restarted


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


async def test_pauses_do_not_grow_while_anything_reaches_zoho(world: World) -> None:
    for text in "abcdefgh":
        for number in NUMBERS:
            await keep(world, f"{text} {number}", number)
    for _ in range(5):
        world.answers = ["accepted", "throttled", "accepted"]
        world.now += world.outbox.seconds_to_next_try() or 0
        sent = len(world.accepted)
        await world.outbox.async_try()
        assert len(world.accepted) > sent
        assert 4 <= (world.outbox.seconds_to_next_try() or 0) <= 6


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
    outcome, kept = await world.send(world.messages("b", *NUMBERS[:2]))
    # What waits is no longer held, as it is reserved.
    assert (world.guard.spent_last_hour, len(world.outbox.reserved)) == (1, 2)
    await world.send(world.messages("c", NUMBERS[0]))
    assert (world.guard.spent_last_hour, len(world.outbox.reserved)) == (1, 3)
    assert [receipt.number for receipt in outcome] == [NUMBERS[1]]
    assert [message.number for message in kept] == [NUMBERS[0]]
    await world.try_now()
    assert world.accepted == [
        ("b", NUMBERS[1]),
        ("a", NUMBERS[0]),
        ("b", NUMBERS[0]),
        ("c", NUMBERS[0]),
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


async def test_what_was_under_way_in_a_crash_is_not_the_first_report_forgotten(
    world: World,
) -> None:
    numbers = [f"+1480{n:07}" for n in range(MAX_REPORTS)]
    await world.outbox.async_queue(world.messages("a", *numbers))
    world.now += MAX_AGE
    world.outbox.expire()
    await keep(world, "b", NUMBERS[0])
    world.answers = ["crash before"]
    with pytest.raises(Crash):
        await world.try_now()
    world.restart()
    await keep(world, "c", NUMBERS[1])
    world.answers = ["refused"]
    await world.try_now()
    last = world.outbox.reports[-2:]
    assert [(message.sms.message, message.state) for message in last] == [
        ("b", State.UNCLEAR),
        ("c", State.REFUSED),
    ]
    assert len(world.outbox.reports) == MAX_REPORTS


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


async def test_message_in_quiet_hours_waits_and_an_urgent_one_passes_it(
    world: World,
) -> None:
    until = world.quiet[NUMBERS[0]] = world.now + 7200
    await world.send(world.messages("a", NUMBERS[0]))
    await world.send(world.messages("b", NUMBERS[0]))
    await world.send(world.messages("c", NUMBERS[0], urgent=True))
    await world.try_now()
    assert world.accepted == [("c", NUMBERS[0])]
    assert world.outbox.seconds_to_next_try() == 7200
    assert {message.expires_at for message in world.outbox.waiting} == {until + 3600}
    world.now = until - 1
    await world.outbox.async_try()
    assert len(world.accepted) == 1
    world.now = until
    await world.outbox.async_try()
    assert world.accepted[1:] == [("a", NUMBERS[0]), ("b", NUMBERS[0])]


async def test_message_that_waits_for_zoho_is_not_sent_in_quiet_hours(
    world: World,
) -> None:
    await keep(world, "a", *NUMBERS[:2], seconds=9000)
    world.quiet[NUMBERS[0]] = world.now + 3600
    await world.try_now()
    assert world.accepted == [("a", NUMBERS[1])]
    # When there are no quiet hours any more, it need not wait.
    del world.quiet[NUMBERS[0]]
    await world.try_now()
    assert world.accepted == [("a", NUMBERS[1]), ("a", NUMBERS[0])]


async def test_quiet_hours_that_begin_before_there_is_a_slot_hold(
    world: World,
) -> None:
    await keep(world, "a", NUMBERS[0])
    await keep(world, "b", NUMBERS[1])
    start = world.outbox._start

    async def wait_for_slot(coroutine: Any) -> Any:
        world.quiet[NUMBERS[0]] = world.now + 60
        return await start(coroutine)

    world.outbox._start = wait_for_slot
    await world.try_now()
    assert world.accepted == [("b", NUMBERS[1])]
    assert len(world.outbox.waiting) == 1


async def test_message_that_is_cleared_before_there_is_a_slot_is_not_sent(
    world: World,
) -> None:
    await keep(world, "a", *NUMBERS[:2])
    start = world.outbox._start

    async def wait_for_slot(coroutine: Any) -> Any:
        await world.outbox.async_clear({NUMBERS[0]})
        return await start(coroutine)

    world.outbox._start = wait_for_slot
    await world.try_now()
    assert world.accepted == [("a", NUMBERS[1])]


async def test_guard_holds_up_what_is_too_much_and_nobody_else() -> None:
    world = World(per_hour=20)
    await keep(world, "x" * 500, NUMBERS[0])  # 4 segments
    await keep(world, "b", NUMBERS[0])
    await keep(world, "c", NUMBERS[1])
    world.guard.limits = Limits(per_hour=3)
    world.requests.clear()
    await world.try_now()
    # Order is kept to the number of what waits.
    assert world.accepted == [("c", NUMBERS[1])]
    assert world.outbox.seconds_to_next_try() == pytest.approx(300)
    world.guard.limits = Limits(per_hour=20)
    await world.try_now()
    assert [text for text, _ in world.accepted] == ["c", "x" * 500, "b"]
    assert len(world.requests) == 3


async def test_as_many_of_a_call_go_as_may_be_spent_and_the_rest_when_it_opens() -> (
    None
):
    world = World(per_hour=10)
    numbers = [f"+1480555{n:04}" for n in range(10)]
    await keep(world, "a", *numbers, seconds=9000)
    world.guard.limits = Limits(per_hour=4)
    opens_at = world.now + 3600
    await world.try_now()
    assert [number for _, number in world.accepted] == numbers[:4]
    while world.now < opens_at:
        assert len(world.accepted) == 4
        world.now += world.outbox.seconds_to_next_try()
        await world.outbox.async_try()
    assert world.now == opens_at
    assert [number for _, number in world.accepted] == numbers[:8]


async def test_what_waits_is_reserved_from_when_it_may_go() -> None:
    world = World(per_hour=5)
    await keep(world, "a", NUMBERS[0])
    world.quiet[NUMBERS[1]] = world.now + 7200
    await world.send(world.messages("b", NUMBERS[1]))
    assert world.outbox.reserved == [(0.0, 1), (world.now + 7200, 1)]
    assert await world.send(world.messages("x" * 500, NUMBERS[2])) is not None
    assert await world.send(world.messages("d", NUMBERS[2])) is None
    await world.outbox.async_clear()
    assert world.outbox.reserved == []
    assert await world.send(world.messages("d", NUMBERS[2])) is not None


async def test_message_that_the_guard_stops_at_the_last_moment_is_kept() -> None:
    world = World(per_hour=5)
    messages = world.messages("a", *NUMBERS)
    permit = Permit(world.guard, world.repeats, messages[0].sms, NUMBERS)
    permit.hold()
    world.guard.limits = Limits(per_hour=2)
    outcome, kept = await world.outbox.async_send(messages, permit)
    assert (outcome, kept) == ([], messages)
    assert {stored["state"] for stored in world.stored()["messages"]} == {"queued"}
    assert world.guard.spent_last_hour == 0
    await world.try_now()
    assert len(world.accepted) == 2


@pytest.mark.parametrize("is_first", [True, False])
async def test_text_that_waits_is_no_repeat_of_its_own(
    world: World, is_first: bool
) -> None:
    (message,) = world.messages("a", NUMBERS[0])
    sms = message.sms
    if is_first:
        await world.send([message])
    else:
        await keep(world, "a", NUMBERS[0])
        assert world.outbox.waiting_for(sms) == {NUMBERS[0]}
        assert world.repeats.find(NUMBERS[0], sms) is None
        world.now += 700
        await world.try_now()
    assert world.repeats.find(NUMBERS[0], sms) is True
    assert world.outbox.waiting_for(sms) == set()


@pytest.mark.parametrize(
    ("answer", "found"), [("unclear", False), ("refused", None), ("offline", None)]
)
async def test_only_what_may_have_gone_is_remembered(
    world: World, answer: str, found: bool | None
) -> None:
    await keep(world, "a", NUMBERS[0])
    (message,) = world.outbox.waiting
    world.answers = [answer]
    await world.try_now()
    assert world.repeats.find(NUMBERS[0], message.sms) is found


async def test_message_is_kept_for_longer_but_never_for_less(world: World) -> None:
    await keep(world, "a", NUMBERS[0])
    (message,) = world.outbox.waiting
    world.outbox.prolong(lambda message: message.created_at + 60)
    assert message.expires_at == START + 3600
    world.outbox.prolong(lambda message: message.created_at + 7200)
    assert message.expires_at == START + 7200


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


def test_quiet_hours_do_not_count_but_for_a_scheduled_message() -> None:
    zone = ZoneInfo("UTC")
    now = datetime.fromisoformat("2026-11-22T21:00Z").timestamp()
    quiet_hours = QuietHours(time(22), time(7))
    sms = Sms(message="a", data_coding=DataCoding.ENGLISH)
    assert end_of(sms, now, 5400, quiet_hours, zone) == now + 10 * 3600 + 1800
    assert end_of(sms, now, 5400, None, zone) == now + 5400
    moment = datetime(2026, 11, 22, 21, 45)  # noqa: DTZ001
    scheduled = replace(sms, scheduled_time=moment, time_zone="UTC")
    assert end_of(scheduled, now, 5400, quiet_hours, zone) == now + 2700


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
        [
            "number",
            "message",
            "created_at",
            "state",
            "data_coding",
            "time_zone",
            "urgent",
            "keep_trying",
        ]
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


async def test_what_ends_while_clearing_fails_does_not_come_back(world: World) -> None:
    first, second = world.messages("a", *NUMBERS[:2])
    await world.outbox.async_queue([first, second])
    saving = asyncio.Event()
    go_on = asyncio.Event()

    async def fail() -> None:
        saving.set()
        await go_on.wait()
        raise NotWrittenError

    world.async_save = fail  # type: ignore[method-assign]
    clearing = asyncio.create_task(world.outbox.async_clear([first.number]))
    await saving.wait()
    # Meanwhile the other one is sent.
    world.outbox._end([second], State.SENT)
    go_on.set()
    with pytest.raises(NotWrittenError):
        await clearing
    assert world.outbox.waiting == [first]


@pytest.mark.parametrize("ends", ["in an error", "by its caller"])
async def test_message_that_is_not_kept_after_all_is_never_sent(
    world: World, ends: str
) -> None:
    (message,) = world.messages("a", NUMBERS[0])
    saving = asyncio.Event()
    go_on = asyncio.Event()

    async def fail() -> None:
        saving.set()
        await go_on.wait()
        raise NotWrittenError

    world.async_save = fail  # type: ignore[method-assign]
    queuing = asyncio.create_task(world.outbox.async_queue([message]))
    await saving.wait()
    assert world.outbox._due() == []
    if ends == "by its caller":
        queuing.cancel()
    go_on.set()
    with pytest.raises((NotWrittenError, asyncio.CancelledError)):
        await queuing
    assert world.outbox.waiting == []
