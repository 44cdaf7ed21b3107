"""Any history of an outbox: nothing is lost, nothing is sent twice, all in order.

Whatever waits for something, a slot, the disk or Zoho, stays there until a step of the
history lets it go on, so that each can happen before, between and after any other.
"""

import asyncio
from asyncio import Future, Task
from collections import Counter
from collections.abc import Coroutine, Generator, Sequence
from dataclasses import dataclass
import json
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.zoho_voice.sending.journal import NotWrittenError
from custom_components.zoho_voice.sending.outbox import (
    REPORTED,
    Message,
    Outbox,
    Outcome,
    State,
)
from custom_components.zoho_voice.zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    OutcomeUnknownError,
    RejectedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms

from ..conftest import examples

NUMBERS = ["+14805550100", "+14805550111"]
START = 1_764_831_248.0
ERRORS: dict[str, type[ZohoError]] = {
    "unclear": TimedOutError,
    "lost": TimedOutError,
    "refused": RejectedError,
    "offline": CannotConnectError,
    "throttled": ThrottledError,
    "sign in": SignInError,
    "accounts server": AccountsServerError,
}

#: A text and its number: no text goes to a number twice.
type Key = tuple[str, str]


def key_of(message: Message) -> Key:
    """Return what is the message's alone."""
    return message.sms.message, message.number


@dataclass(eq=False)
class Request:
    """A request that Zoho has not answered."""

    text: str
    numbers: list[str]
    answer: Future[Outcome]


class World:
    """A disk, a clock and a Zoho, which go on when they are told to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: dict[Key, str]) -> None:
        self.loop = loop
        #: What callers were told: kept, sent, failed, unclear, or cleared later; or
        #: that they were cancelled.
        self.told = told
        self.now = START
        self.disk: str = "[]"
        self.accepted: list[Key] = []
        self.begin()

    def begin(self) -> None:
        """Start with what is on disk."""
        self.slots: list[Future[None]] = []
        self.requests: list[Request] = []
        self.saves: list[Future[None]] = []
        self.write: tuple[str, list[Future[None]]] | None = None
        self.save_is_due = False
        self.ended: dict[Key, State] = {}
        self.outbox = Outbox(lambda: self.now, self.request, self.start, self.changed)
        self.outbox.store = self
        self.outbox.load(json.loads(self.disk))
        # It may say more than the file: what was submitting is unclear now.
        self.save_is_due = True
        self.seen = self.outbox.waiting, self.outbox.reports

    async def start(
        self, coroutine: Coroutine[Any, Any, Outcome | None]
    ) -> Task[Outcome | None]:
        """Wait for a slot."""
        slot = self.loop.create_future()
        self.slots.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            coroutine.close()
            raise
        return self.loop.create_task(coroutine)

    async def async_save(self) -> None:
        """Wait for the next write that begins."""
        save = self.loop.create_future()
        self.saves.append(save)
        await save

    async_save_ahead = async_save

    def save_soon(self) -> None:
        """Write with the next write."""
        self.save_is_due = True

    def begin_write(self) -> None:
        """Begin to write all that is so now."""
        if self.write is None:
            self.write = json.dumps(self.outbox.dump()), self.saves
            self.saves = []
            self.save_is_due = False

    def end_write(self, *, fails: bool) -> None:
        """End the write."""
        if self.write is not None:
            content, saves = self.write
            self.write = None
            if fails:
                # The next write takes it along, whenever that is.
                self.save_is_due = True
            else:
                self.disk = content
            for save in [save for save in saves if not save.done()]:
                if fails:
                    save.set_exception(NotWrittenError())
                else:
                    save.set_result(None)

    async def request(self, sms: Sms, sender_id: str, numbers: list[str]) -> Outcome:
        """Make a request, of which the disk has to know."""
        on_disk = {
            (item["message"], item["number"]): item for item in json.loads(self.disk)
        }
        for number in numbers:
            assert on_disk[sms.message, number]["state"] == "submitting"
            if self.told.get((sms.message, number)) == "kept":
                assert on_disk[sms.message, number]["expires_at"] > self.now
        request = Request(sms.message, numbers, self.loop.create_future())
        self.requests.append(request)
        return await request.answer

    def accept(self, request: Request) -> None:
        """Send the SMS."""
        self.accepted += [(request.text, number) for number in request.numbers]

    def changed(self, ended: Sequence[Message]) -> None:
        """Take note of what ended, which has to be true, and of what there is."""
        for message in ended:
            assert key_of(message) not in self.ended
            self.ended[key_of(message)] = message.state
            if message.state is State.SENT:
                assert key_of(message) in self.accepted
        self.seen = self.outbox.waiting, self.outbox.reports


class Histories(RuleBasedStateMachine):
    """Any order of calls, slots, writes, answers, crashes and steps of a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.told: dict[Key, str] = {}
        self.world = World(self.loop, self.told)
        self.calls = 0
        self.tasks: set[Task[Any]] = set()
        self.round: Task[None] | None = None
        self.queues: list[Task[None]] = []
        self.acknowledged: set[Key] = set()
        self.clearing: list[set[Key]] = []

    def teardown(self) -> None:
        self.kill()
        self.loop.close()

    def kill(self) -> None:
        """End all that is under way, which leads to nothing any more."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.go_on()
        self.tasks.clear()
        self.round = None

    def go_on(self) -> None:
        """Let all go on that waits for nothing; an error of it is one of the test."""
        while True:
            self.loop.run_until_complete(asyncio.sleep(0))
            if not self.loop._ready:
                break
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.discard(task)
            if not task.cancelled():
                task.result()

    def begin_task(self, coroutine: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Begin something, as far as it goes."""
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        self.go_on()
        return task

    def messages(self, numbers: list[str], seconds: float) -> list[Message]:
        """Return the messages of a new call."""
        self.calls += 1
        text = f"{self.calls:05}"
        return [
            Message(
                message_id=f"{text} {number}",
                call_id=text,
                number=number,
                name=None,
                subentry_id=None,
                sender_id="+18885550100",
                sms=Sms(message=text, data_coding=DataCoding.ENGLISH),
                created_at=self.world.now,
                expires_at=self.world.now + seconds,
            )
            for number in numbers
        ]

    async def send(self, messages: list[Message]) -> None:
        """Send as a caller does, who is told what became of it."""
        outbox = self.world.outbox
        turn = outbox.take_turn(message.number for message in messages)
        await turn.async_wait()
        outcome, kept = await outbox.async_send(messages)
        turn.end()
        for message in messages:
            if message in kept:
                told = "kept"
                self.check_is_on_disk(message)
            elif isinstance(outcome, OutcomeUnknownError):
                told = "unclear"
            else:
                told = "failed" if isinstance(outcome, ZohoError) else "sent"
            self.told.setdefault(key_of(message), told)

    async def queue(self, messages: list[Message]) -> None:
        """Keep messages for which there is no token."""
        outbox = self.world.outbox
        turn = outbox.take_turn(message.number for message in messages)
        told = "cancelled"
        try:
            await turn.async_wait()
            await outbox.async_queue(messages)
            told = "kept"
            for message in messages:
                self.check_is_on_disk(message)
        except NotWrittenError:
            told = "failed"
        finally:
            turn.end()
            for message in messages:
                self.told.setdefault(key_of(message), told)

    def check_is_on_disk(self, message: Message) -> None:
        """Check that a message would be sent after a crash, unless it has ended."""
        states = [
            stored["state"]
            for stored in json.loads(self.world.disk)
            if stored["message_id"] == message.message_id
        ]
        cleared = set[Key]().union(*self.clearing) | {
            key for key, told in self.told.items() if told == "cleared"
        }
        assert states == ["queued"] or key_of(message) in cleared | {*self.world.ended}

    async def clear(self, numbers: set[str] | None) -> None:
        """Take out what waits."""
        before = {*map(key_of, self.world.outbox.waiting)}
        clearing = self.world.outbox.async_clear(numbers)
        self.clearing.append(before)
        try:
            taken = await clearing
        except NotWrittenError:
            return
        finally:
            self.clearing.remove(before)
        for message in taken:
            assert key_of(message) not in self.world.accepted
            self.told[key_of(message)] = "cleared"

    groups = st.sampled_from([NUMBERS[:1], NUMBERS[1:], NUMBERS])
    answers = st.sampled_from(["accepted", *ERRORS])
    answers_or_crash = answers | st.sampled_from(["crash before", "crash after"])
    lives = st.sampled_from([10.0, 600.0, 3600.0])

    @rule(numbers=groups, seconds=lives)
    def call(self, numbers: list[str], seconds: float) -> None:
        self.begin_task(self.send(self.messages(numbers, seconds)))

    @rule(numbers=groups, seconds=lives)
    def call_without_token(self, numbers: list[str], seconds: float) -> None:
        self.queues.append(self.begin_task(self.queue(self.messages(numbers, seconds))))

    @precondition(lambda self: any(not task.done() for task in self.queues))
    @rule(data=st.data())
    def cancel_call(self, data: st.DataObject) -> None:
        self.queues = [task for task in self.queues if not task.done()]
        data.draw(st.sampled_from(self.queues)).cancel()
        self.go_on()

    @precondition(lambda self: not self.world.outbox.waiting)
    @rule(numbers=groups, seconds=lives)
    def keep(self, numbers: list[str], seconds: float) -> None:
        self.call_without_token(numbers, seconds)
        self.advance()

    @precondition(lambda self: self.round is None or self.round.done())
    @rule(wake=st.booleans())
    def begin_round(self, wake: bool) -> None:
        if wake:
            self.world.outbox.wake()
        self.round = self.begin_task(self.world.outbox.async_try())
        if self.round.done():
            # Whoever asks when to try again does not ask without end.
            assert self.world.outbox.seconds_to_next_try() != 0

    @precondition(lambda self: self.round is not None and not self.round.done())
    @rule()
    def cancel_round(self) -> None:
        self.round.cancel()
        self.go_on()

    @precondition(lambda self: self.world.slots)
    @rule(data=st.data())
    def give_slot(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.world.slots))
        self.world.slots.remove(slot)
        if not slot.done():
            slot.set_result(None)
        self.go_on()

    @precondition(lambda self: self.world.saves or self.world.save_is_due)
    @rule()
    def begin_write(self) -> None:
        self.world.begin_write()
        self.go_on()

    @precondition(lambda self: self.world.saves or self.world.write)
    @rule(fails=st.sampled_from([False, False, False, True]))
    def write(self, fails: bool) -> None:
        self.world.begin_write()
        self.world.end_write(fails=fails)
        self.go_on()

    @precondition(lambda self: self.world.slots or self.world.saves or self.world.write)
    @rule()
    def advance(self) -> None:
        """Let all go on up to Zoho's answer."""
        world = self.world
        while world.slots or world.saves or world.write:
            self.give_slots()
            world.begin_write()
            world.end_write(fails=False)
            self.go_on()

    def give_slots(self) -> None:
        """Give all who wait a slot."""
        for slot in self.world.slots:
            if not slot.done():
                slot.set_result(None)
        self.world.slots.clear()
        self.go_on()

    @precondition(lambda self: self.world.requests)
    @rule(data=st.data(), answer=answers)
    def answer(self, data: st.DataObject, answer: str) -> None:
        request = data.draw(st.sampled_from(self.world.requests))
        self.give_answer(request, answer)

    def give_answer(self, request: Request, answer: str) -> None:
        """Let Zoho answer."""
        self.world.requests.remove(request)
        if answer in ("accepted", "unclear"):
            self.world.accept(request)
        if error := ERRORS.get(answer):
            request.answer.set_result(error())
        else:
            receipts = [Receipt(number, {}) for number in request.numbers]
            request.answer.set_result(receipts)
        self.go_on()

    @rule(numbers=groups, seconds=lives, answer=answers_or_crash)
    def call_and_answer(self, numbers: list[str], seconds: float, answer: str) -> None:
        self.call(numbers, seconds)
        self.advance_and_answer(answer)

    @precondition(lambda self: self.world.outbox.waiting)
    @rule(answer=answers_or_crash)
    def retry_and_answer(self, answer: str) -> None:
        if self.round is None or self.round.done():
            self.begin_round(wake=True)
        self.advance_and_answer(answer)

    def advance_and_answer(self, answer: str) -> None:
        """Let all go on up to Zoho's answers, and on from there."""
        self.advance()
        if answer.startswith("crash"):
            self.crash(arrived=answer == "crash after", wrote=True)
        for request in [*self.world.requests]:
            self.give_answer(request, answer)
        self.advance()

    @rule(seconds=st.sampled_from([-100_000.0, -60.0, 5.0, 60.0, 700.0, 100_000.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(numbers=st.none() | groups.map(set))
    def clear_outbox(self, numbers: set[str] | None) -> None:
        self.begin_task(self.clear(numbers))

    @rule(state=st.sampled_from(REPORTED))
    def acknowledge(self, state: State) -> None:
        self.acknowledged |= {
            key_of(message)
            for message in self.world.outbox.reports
            if message.state is state
        }
        self.world.outbox.acknowledge(state)

    @rule(arrived=st.booleans(), wrote=st.booleans())
    def crash(self, arrived: bool, wrote: bool) -> None:
        """Let the power fail; Zoho and the disk may have done what they were told."""
        if arrived:
            for request in self.world.requests:
                self.world.accept(request)
        if wrote and self.world.write:
            self.world.disk = self.world.write[0]
        clearing = set[Key]().union(*self.clearing)
        self.kill()
        for key, told in self.told.items():
            # The file may not know of it yet.
            if told == "cancelled" or (told == "kept" and key in clearing):
                self.told[key] = "unclear"
        self.world.begin()

    @rule()
    def settle(self) -> None:
        """Let all that is under way end well."""
        world = self.world
        while world.slots or world.saves or world.write or world.requests:
            self.advance()
            for request in [*world.requests]:
                self.give_answer(request, "accepted")
        self.go_on()
        assert self.tasks == set()
        # What is to be remembered is on disk, or will be soon.
        if world.save_is_due:
            world.begin_write()
            world.end_write(fails=False)
        assert json.loads(world.disk) == world.outbox.dump()
        # Nothing is left in the middle, and all who listen know what waits.
        assert {message.state for message in world.outbox.waiting} <= {State.QUEUED}
        assert world.seen == (world.outbox.waiting, world.outbox.reports)
        assert world.outbox._lines == {}

    @rule()
    def end_well(self) -> None:
        """Let all go that may."""
        self.settle()
        outbox = self.world.outbox
        times = [message.created_at for message in outbox.waiting]
        self.world.now = max([self.world.now, *times])
        outbox.wake()
        self.begin_round(wake=True)
        self.settle()
        assert outbox.waiting == []
        assert outbox.seconds_to_next_try() is None

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        assert max(Counter(self.world.accepted).values(), default=1) == 1

    @invariant()
    def order_is_kept(self) -> None:
        for number in NUMBERS:
            texts = [text for text, to in self.world.accepted if to == number]
            assert texts == sorted(texts)

    @invariant()
    def what_is_said_is_so(self) -> None:
        accepted = {*self.world.accepted}
        for key, told in self.told.items():
            if told in ("failed", "cancelled", "cleared"):
                assert key not in accepted
            elif told == "sent":
                assert key in accepted
        for message in (*self.world.outbox.waiting, *self.world.outbox.reports):
            if message.state not in (State.SUBMITTING, State.UNCLEAR):
                assert key_of(message) not in accepted
        for key, state in self.world.ended.items():
            if state in (State.EXPIRED, State.REFUSED):
                assert key not in accepted

    @invariant()
    def nothing_is_lost(self) -> None:
        outbox = self.world.outbox
        there = {key_of(message) for message in (*outbox.waiting, *outbox.reports)}
        there |= {*self.world.accepted} | self.acknowledged
        # It is out of sight until it is out of the file, too.
        there = there.union(*self.clearing)
        assert {key for key, told in self.told.items() if told == "kept"} <= there


TestHistories = Histories.TestCase
TestHistories.settings = settings(examples(200), stateful_step_count=50)


# What is rare among them


@pytest.fixture
def history() -> Generator[Histories]:
    history = Histories()
    yield history
    history.teardown()


ALICE, BOB = NUMBERS


def test_message_under_way_in_a_crash_may_have_been_sent(history: Histories) -> None:
    history.keep([ALICE], 3600.0)
    history.begin_round(wake=True)
    history.advance()
    history.crash(arrived=False, wrote=False)
    [report] = history.world.outbox.reports
    assert report.state is State.UNCLEAR
    history.nothing_is_lost()


def test_message_that_could_not_be_kept_is_an_error(history: Histories) -> None:
    history.call([ALICE], 3600.0)
    history.advance()
    [request] = history.world.requests
    history.give_answer(request, "offline")
    history.write(fails=True)
    assert history.told == {("00001", ALICE): "failed"}
    assert history.world.outbox.waiting == []


def test_who_looks_is_told_of_a_call_that_failed(history: Histories) -> None:
    history.call([ALICE], 3600.0)
    history.acknowledge(State.EXPIRED)
    history.write(fails=True)
    history.settle()
    assert history.told == {("00001", ALICE): "failed"}


def test_message_that_could_not_be_written_down_is_tried_again(
    history: Histories,
) -> None:
    history.keep([ALICE], 3600.0)
    history.begin_round(wake=True)
    history.give_slots()
    history.write(fails=True)
    assert history.world.requests == []
    assert [message.state for message in history.world.outbox.waiting] == ["queued"]
    history.end_well()
    assert history.world.accepted == [("00001", ALICE)]


def test_message_that_is_cleared_while_it_is_postponed_is_gone(
    history: Histories,
) -> None:
    history.keep([ALICE], 3600.0)
    history.begin_round(wake=True)
    history.advance()
    [request] = history.world.requests
    history.give_answer(request, "offline")
    history.begin_write()
    history.clear_outbox(None)
    history.write(fails=True)
    history.write(fails=False)
    assert history.told == {("00001", ALICE): "cleared"}
    assert history.world.outbox.waiting == []


def test_message_is_not_due_before_it_is_on_disk(history: Histories) -> None:
    history.call_without_token([ALICE], 3600.0)
    history.begin_round(wake=True)
    assert history.world.slots == []


def test_message_whose_call_is_cancelled_leaves_the_disk(history: Histories) -> None:
    history.call_without_token([ALICE], 3600.0)
    history.begin_write()
    history.queues[0].cancel()
    history.go_on()
    history.write(fails=False)
    assert history.world.outbox.waiting == []
    history.settle()


def test_clearing_goes_on_when_its_caller_is_gone(history: Histories) -> None:
    history.keep([ALICE], 3600.0)
    task = history.begin_task(history.clear(None))
    task.cancel()
    history.go_on()
    assert history.world.outbox.waiting == []


def test_call_waits_for_what_becomes_of_an_earlier_message(history: Histories) -> None:
    history.keep([ALICE], 3600.0)
    history.begin_round(wake=True)
    history.advance()
    history.call([ALICE], 3600.0)
    history.settle()
    assert history.told == {("00001", ALICE): "kept", ("00002", ALICE): "sent"}


def test_call_that_is_cancelled_leaves_nobody_out_of_line(history: Histories) -> None:
    history.call([ALICE], 3600.0)
    history.call_without_token([ALICE], 3600.0)
    history.call([ALICE], 3600.0)
    history.queues[0].cancel()
    history.go_on()
    history.call([ALICE], 3600.0)
    history.advance()
    assert [request.text for request in history.world.requests] == ["00001"]
    history.settle()
    assert [text for text, _ in history.world.accepted] == ["00001", "00003", "00004"]


def test_message_is_not_overtaken_when_the_clock_goes_back(history: Histories) -> None:
    history.keep([ALICE], 3600.0)
    history.let_time_pass(-60.0)
    history.call([ALICE], 3600.0)
    history.begin_round(wake=True)
    history.settle()
    assert history.world.accepted == []
    history.let_time_pass(60.0)
    history.begin_round(wake=True)
    history.settle()
    assert history.world.accepted == [("00001", ALICE), ("00002", ALICE)]


def test_message_that_is_not_cleared_after_all_keeps_its_place(
    history: Histories,
) -> None:
    history.keep([ALICE], 3600.0)
    history.clear_outbox(None)
    history.begin_write()
    history.call([ALICE], 3600.0)
    history.write(fails=True)
    history.end_well()
    assert history.world.accepted == [("00001", ALICE), ("00002", ALICE)]


def test_message_that_is_cleared_before_its_turn_is_not_sent(
    history: Histories,
) -> None:
    history.keep([ALICE, BOB], 3600.0)
    history.begin_round(wake=True)
    history.clear_outbox({ALICE})
    history.settle()
    assert history.world.accepted == [("00001", BOB)]


def test_message_whose_time_is_over_before_its_turn_is_not_sent(
    history: Histories,
) -> None:
    history.keep([ALICE], 10.0)
    history.begin_round(wake=True)
    history.give_slots()
    history.let_time_pass(60.0)
    history.settle()
    assert history.world.accepted == []
    assert history.world.ended == {("00001", ALICE): State.EXPIRED}


def test_message_that_is_being_cleared_is_not_tried(history: Histories) -> None:
    history.keep([ALICE], 3600.0)
    history.clear_outbox(None)
    history.begin_round(wake=True)
    assert history.world.slots == []


def test_later_message_does_not_overtake_one_that_waits_for_others(
    history: Histories,
) -> None:
    history.call([ALICE], 3600.0)
    history.call([ALICE, BOB], 3600.0)
    history.call([BOB], 3600.0)
    history.advance()
    assert len(history.world.requests) == 1
    history.settle()
    assert [text for text, _ in history.world.accepted] == [
        "00001",
        "00002",
        "00002",
        "00003",
    ]
