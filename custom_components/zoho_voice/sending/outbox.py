"""What waits to be sent, and what is said of a message that was not sent.

A message is queued, then submitting, which is on disk before its request begins.
After that it is gone, because Zoho accepted it or because its caller was told
otherwise, or queued again, because it certainly did not reach Zoho. One that was
queued once has no caller any more: if it is refused, expires, or may have been sent
without an answer, it stays as a report until somebody has read it.

Messages to one number go in the order they came. One that the spending guard does not
let through holds up only the others to its number. One that waits for the end of quiet
hours holds up none: an urgent one may pass it.
"""

import asyncio
from asyncio import Task
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Generator,
    Iterable,
    Sequence,
)
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
import random
import re
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from ..zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    OutcomeUnknownError,
    SignInError,
    ThrottledError,
    ZohoError,
)
from ..zoho.models import MAX_NUMBERS, DataCoding, Receipt, Sms
from .brakes import Repeats, text_of
from .journal import NotWrittenError
from .permit import Permit
from .quiet_hours import QuietHours
from .segments import estimate_segments
from .spending import Limits, SpendingGuard, SpendingGuardError
from .turn import Lines, Turn

#: How many messages may wait, and how many reports are kept: all could end at once.
MAX_MESSAGES = 1000
MAX_REPORTS = MAX_MESSAGES
#: The first and the longest pause between two tries (seconds).
FIRST_PAUSE = 5.0
MAX_PAUSE = 300.0
#: The longest time for which a message may be kept (seconds).
MAX_AGE = 24 * 60 * 60.0
#: What certainly kept a message from reaching Zoho, and may pass.
POSTPONING = (CannotConnectError, ThrottledError, AccountsServerError, SignInError)

_E164 = re.compile(r"\+[0-9]{7,15}")
#: From when on times can't be shown as dates everywhere (seconds since the epoch).
_END_OF_TIME = 1e11

type Outcome = list[Receipt] | ZohoError


class State(StrEnum):
    """Where a message stands; the last ones are its ends.

    A message that is cleared will be out of the file in a moment.
    """

    QUEUED = "queued"
    SUBMITTING = "submitting"
    CLEARED = "cleared"
    SENT = "sent"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNCLEAR = "unclear"


REPORTED = (State.EXPIRED, State.REFUSED, State.UNCLEAR)
#: Why a message was refused before it got to Zoho: the number answered STOP.
OPTED_OUT = "OPTED_OUT"


class OutboxFullError(ZohoError):
    """Say that nothing was sent, as no more messages can wait."""


class Store(Protocol):
    """Write the outbox to disk."""

    async def async_save(self) -> None:
        """Return when all that is so by now is on disk. Raises NotWrittenError."""

    async def async_save_ahead(self) -> None:
        """Do the same, in the fastest way there is. Raises NotWrittenError."""

    def save_soon(self) -> None:
        """Write before long."""


@dataclass(slots=True, kw_only=True)
class Message:
    """One text to one number; times are seconds since the epoch.

    Messages of the same `call_id` have the same text, and may share a request. An
    urgent one does not wait for the end of quiet hours. `keep_trying` is for how long
    its call said to keep it (seconds).
    """

    message_id: str
    call_id: str
    number: str
    name: str | None
    subentry_id: str | None
    sender_id: str
    sms: Sms
    created_at: float
    expires_at: float
    urgent: bool = False
    keep_trying: float = 0.0
    state: State = State.QUEUED
    reason: str | None = None
    _segments: int | None = None

    @property
    def segments(self) -> int:
        """Return how many segments it takes, as estimated."""
        if self._segments is None:
            self._segments = estimate_segments(self.sms.message, self.sms.data_coding)
        return self._segments

    def dump(self) -> dict[str, Any]:
        """Return the message as JSON has it."""
        sms = self.sms
        scheduled = sms.scheduled_time and sms.scheduled_time.replace(tzinfo=None)
        return {
            "message_id": self.message_id,
            "call_id": self.call_id,
            "number": self.number,
            "name": self.name,
            "subentry_id": self.subentry_id,
            "sender_id": self.sender_id,
            "message": sms.message,
            "data_coding": int(sms.data_coding),
            "scheduled_time": scheduled and scheduled.isoformat(),
            "time_zone": sms.time_zone,
            "status_callback": sms.status_callback,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "urgent": self.urgent,
            "keep_trying": self.keep_trying,
            "state": self.state,
            "reason": self.reason,
        }

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """Return a stored message. Raises ValueError, KeyError or TypeError."""
        for key in ("message_id", "call_id", "number", "sender_id", "message"):
            if not isinstance(stored[key], str):
                raise TypeError(key)
        for key in (
            "name",
            "subentry_id",
            "time_zone",
            "status_callback",
            "reason",
            "scheduled_time",
        ):
            if not isinstance(stored[key], str | None):
                raise TypeError(key)
        if not _E164.fullmatch(stored["number"]):
            raise ValueError("number")
        if stored["state"] in (State.CLEARED, State.SENT):
            raise ValueError("state")
        if not isinstance(stored["urgent"], bool):
            raise TypeError("urgent")
        scheduled = stored["scheduled_time"]
        return cls(
            message_id=stored["message_id"],
            call_id=stored["call_id"],
            number=stored["number"],
            name=stored["name"],
            subentry_id=stored["subentry_id"],
            sender_id=stored["sender_id"],
            sms=Sms(
                message=stored["message"],
                data_coding=DataCoding(stored["data_coding"]),
                scheduled_time=(
                    None if scheduled is None else datetime.fromisoformat(scheduled)
                ),
                time_zone=stored["time_zone"],
                status_callback=stored["status_callback"],
            ),
            created_at=_read_time(stored["created_at"]),
            expires_at=_read_time(stored["expires_at"]),
            urgent=stored["urgent"],
            keep_trying=_read_time(stored["keep_trying"]),
            state=State(stored["state"]),
            reason=stored["reason"],
        )


def _read_time(value: Any) -> float:
    """Return a stored time. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("time")
    if not 0 <= value < _END_OF_TIME:
        raise ValueError("time")
    return float(value)


def end_of(
    sms: Sms,
    created_at: float,
    seconds: float,
    quiet_hours: QuietHours | None = None,
    zone: tzinfo | None = None,
) -> float:
    """Return when a message is of no use any more: a scheduled one never goes late.

    Time in quiet hours, whose times are in `zone`, does not count.
    """
    if (moment := scheduled_at(sms)) is not None:
        return min(created_at + seconds, moment)
    if quiet_hours is None or zone is None:
        return created_at + seconds
    return quiet_hours.stretch(created_at, seconds, zone)


def scheduled_at(sms: Sms) -> float | None:
    """Return when Zoho is to send (UTC epoch seconds), None for at once."""
    if sms.scheduled_time is None or sms.time_zone is None:
        return None
    zone = ZoneInfo(sms.time_zone)
    return sms.scheduled_time.replace(tzinfo=zone).timestamp()


class Outbox:
    """Send messages, and keep those that certainly did not reach Zoho.

    It knows nothing of entities or actions: `request` makes a request and returns what
    Zoho said, `start` runs what must end whatever becomes of its caller, `clock` tells
    the time (seconds since the epoch), `on_change` is called with the messages that
    ended after they had waited, `quiet_until` tells when the quiet hours end for which
    a message has to wait now, `guard` what may be spent, `repeats` learns what goes.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        request: Callable[[Sms, str, list[str]], Awaitable[Outcome]],
        start: Callable[
            [Coroutine[Any, Any, Outcome | None]], Awaitable[Task[Outcome | None]]
        ],
        on_change: Callable[[Sequence[Message]], None],
        *,
        quiet_until: Callable[[Message], float | None] = lambda _: None,
        guard: SpendingGuard | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        """Start empty."""
        self.store: Store
        self._clock = clock
        self._request = request
        self._start = start
        self._on_change = on_change
        self._quiet_until = quiet_until
        self._guard = guard or SpendingGuard(Limits(), clock)
        self._repeats = repeats or Repeats(0, clock)
        self._messages: dict[str, Message] = {}
        self._reports: dict[str, Message] = {}
        #: Whether nothing may be sent to a number any more.
        self.refuses: Callable[[str], bool] = lambda _: False
        #: The messages that were under way when Home Assistant ended, and may be sent.
        self.interrupted: list[Message] = []
        self._lines: Lines = {}
        self._failures = 0
        self._next_try = 0.0
        self._is_woken = False
        self._too_much: int | None = None

    @property
    def waiting(self) -> list[Message]:
        """Return the messages that are not sent yet, in the order they came."""
        return [m for m in self._messages.values() if m.state is not State.CLEARED]

    @property
    def reports(self) -> list[Message]:
        """Return the messages that ended without having been sent for certain."""
        return [*self._reports.values()]

    @property
    def reserved(self) -> list[tuple[float, int]]:
        """Return what will be spent: each when, at the earliest, and how many segments.

        What is under way counts as spent already.
        """
        return [
            (self._quiet_until(message) or 0.0, message.segments)
            for message in self._queued
        ]

    @property
    def _queued(self) -> Generator[Message]:
        """Yield the messages that wait, in the order they came."""
        return (m for m in self._messages.values() if m.state is State.QUEUED)

    def waiting_for(self, sms: Sms) -> set[str]:
        """Return the numbers to which the same text waits or is under way."""
        if not self._messages:
            return set()
        text = text_of(sms)
        return {m.number for m in self.waiting if text_of(m.sms) == text}

    def holds_up(self, number: str) -> bool:
        """Return if a message to a number, whose turn it is, is behind another one."""
        return any(
            message.number == number and self._quiet_until(message) is None
            for message in self._messages.values()
        )

    def wake(self) -> None:
        """Try again at once: something may have changed for the better."""
        self._failures = 0
        self._next_try = 0.0
        self._is_woken = True
        self._on_change(())

    def take_turn(self, numbers: Iterable[str]) -> Turn:
        """Take a place in the line of each number, so that order is kept."""
        return Turn(self._lines, numbers)

    async def async_queue(self, messages: Collection[Message]) -> None:
        """Keep messages for later. Raises OutboxFullError, or NotWrittenError."""
        self._add(messages)
        # None may go before it is written down: their call may fail yet.
        turn = self.take_turn(message.number for message in messages)
        try:
            await self.store.async_save()
        except NotWrittenError, asyncio.CancelledError:
            # Nobody was told that they are kept.
            self._forget(messages)
            self.store.save_soon()
            raise
        finally:
            turn.end()
            self._on_change(())

    def prolong(self, end: Callable[[Message], float]) -> None:
        """Keep what waits at least until an end: quiet hours may have changed."""
        for message in self._queued:
            message.expires_at = max(message.expires_at, end(message))

    async def async_send(
        self, messages: Sequence[Message], permit: Permit | None = None
    ) -> tuple[Outcome, list[Message]]:
        """Send messages of one call, whose turn it is, with one request.

        Return what Zoho said, and the messages that are kept: those that did not reach
        Zoho, and those behind an earlier one to the same number.
        """
        permit = permit or self._permit(messages)
        behind = [message for message in messages if self.holds_up(message.number)]
        first = [message for message in messages if message not in behind]
        permit.release(message.number for message in behind)
        try:
            if not first:
                await self.async_queue(behind)
                return [], behind
            self._add(messages)
            outcome = await self._async_submit(first, permit, behind, has_caller=True)
        except ZohoError as err:
            permit.settle(err)
            self._on_change(())
            return err, [m for m in behind if m.message_id in self._messages]
        if outcome is None:
            return [], [*messages]
        if self._messages:
            self.wake()
        else:
            self._on_change(())
        return outcome, behind

    async def async_try(self) -> None:
        """Send what may be sent now."""
        self.expire()
        self.refuse()
        if self.seconds_to_next_try() == 0:
            self._is_woken = False
            await self._async_round()
            if self._is_woken:
                return
            pause = min(FIRST_PAUSE * 2.0 ** max(0, self._failures - 1), MAX_PAUSE)
            now = self._clock()
            self._next_try = now + pause * random.uniform(0.8, 1.2)  # noqa: S311
            if self._too_much is not None and not self._failures:
                opens_at = self._guard.opens_at(self._too_much) or now
                self._next_try = min(max(self._next_try, opens_at), now + MAX_PAUSE)

    def seconds_to_next_try(self) -> float | None:
        """Return when `async_try` has something to do again, None if never."""
        queued = [*self._queued]
        if not queued:
            return None
        now = self._clock()
        first_end = min(message.expires_at for message in queued)
        if first_end <= now or self._next_try - now > 2 * MAX_PAUSE:  # a clock's step
            return 0
        quiet_until = min(self._quiet_until(message) or 0.0 for message in queued)
        next_try = max(self._next_try, quiet_until)
        return max(0.0, min(next_try, first_end) - now)

    async def _async_round(self) -> None:
        """Send as long as something is due and may be, and Zoho can be reached."""
        while requests := self._due():
            reached = await self._async_retry(requests[0])
            if reached:
                self._failures = 0
                others = await asyncio.gather(*map(self._async_retry, requests[1:]))
                reached = all(others)
            if not reached:
                self._failures += 1
                return

    def expire(self) -> None:
        """End the messages whose time is over, or can't be told."""
        now = self._clock()
        over = [
            message
            for message in self._queued
            if message.expires_at <= now or message.created_at > now + MAX_AGE
        ]
        if over:
            self._end(over, State.EXPIRED)

    def refuse(self) -> None:
        """End the messages to numbers that nothing may be sent to any more."""
        refused = [m for m in self._queued if self.refuses(m.number)]
        if refused:
            self._end(refused, State.REFUSED, OPTED_OUT)

    async def async_clear(
        self, numbers: Collection[str] | None = None
    ) -> list[Message]:
        """Take out what waits, for all or some numbers. Raises NotWrittenError."""
        taken = [
            message
            for message in self._queued
            if numbers is None or message.number in numbers
        ]
        # Until they are out of the file, they keep their places.
        for message in taken:
            message.state = State.CLEARED
        try:
            await self.store.async_save()
        except NotWrittenError:
            for message in taken:
                message.state = State.QUEUED
            raise
        finally:
            self._forget(m for m in taken if m.state is State.CLEARED)
            self._on_change(())
        return taken

    def acknowledge(self, state: State, read: Collection[str] | None = None) -> None:
        """Forget the reports of a kind, all or those of some ids: they are read."""
        self._reports = {
            message_id: message
            for message_id, message in self._reports.items()
            if message.state is not state
            or (read is not None and message_id not in read)
        }
        self.store.save_soon()
        self._on_change(())

    def confirm(self, messages: Sequence[Message]) -> None:
        """Take it that messages that ended unclearly were sent."""
        for message in messages:
            del self._reports[message.message_id]
            message.state = State.SENT
            message.reason = None
        self.store.save_soon()
        self._on_change(messages)

    def dump(self) -> list[dict[str, Any]]:
        """Return what the file holds."""
        return [m.dump() for m in (*self.waiting, *self._reports.values())]

    def load(self, value: Any) -> None:
        """Take back what the file holds.

        What was submitting when Home Assistant ended may have been sent.

        Raises ValueError, KeyError or TypeError.
        """
        messages = [Message.load(stored) for stored in value]
        if len({message.message_id for message in messages}) < len(messages):
            raise ValueError("an id that is not the only one of its kind")
        self.interrupted = [m for m in messages if m.state is State.SUBMITTING]
        # The newest come last: the first ones are forgotten when there are too many.
        reports = [m for m in messages if m.state in REPORTED] + self.interrupted
        for message in self.interrupted:
            message.state = State.UNCLEAR
        self._messages = {m.message_id: m for m in messages if m.state is State.QUEUED}
        self._reports = {m.message_id: m for m in reports}

    def _due(self) -> list[list[Message]]:
        """Return the first message of each number, as requests of up to ten.

        Take note of how few segments were still too much.
        """
        numbers = set(self._lines)
        requests: dict[tuple[str, str], list[list[Message]]] = {}
        now = self._clock()
        left = self._guard.left()
        self._too_much = None
        for message in self._messages.values():
            if message.number in numbers or not self._may_go(message, now):
                continue
            numbers.add(message.number)
            # A clock that went back tells nothing until it is right again.
            if message.state is not State.QUEUED or message.created_at > now:
                continue
            if left is not None:
                if message.segments > left:
                    too_much = self._too_much or message.segments
                    self._too_much = min(too_much, message.segments)
                    continue
                left -= message.segments
            batches = requests.setdefault((message.call_id, message.sender_id), [[]])
            if len(batches[-1]) == MAX_NUMBERS:
                batches.append([])
            batches[-1].append(message)
        return [batch for batches in requests.values() for batch in batches]

    def _may_go(self, message: Message, now: float) -> bool:
        """Return if a message is still of use, and disturbs nobody."""
        return message.expires_at > now and self._quiet_until(message) is None

    async def _async_retry(self, messages: Sequence[Message]) -> bool:
        """Send what waited; return if Zoho could be reached."""
        turn = self.take_turn(message.number for message in messages)
        task = None
        try:
            await turn.async_wait()
            task = await self._start(self._async_resubmit(messages, turn))
        except CannotConnectError:
            return False
        finally:
            if task is None:
                turn.end()
        return await asyncio.shield(task) is not None

    async def _async_resubmit(
        self, messages: Sequence[Message], turn: Turn
    ) -> Outcome | None:
        """Send what still waits, now that there is a slot for it."""
        try:
            self.refuse()
            self.expire()
            now = self._clock()
            due = [
                message
                for message in messages
                if message.state is State.QUEUED and self._may_go(message, now)
            ]
            if not due:
                return []
            return await self._async_submit(due, self._permit(due), has_caller=False)
        except NotWrittenError:
            return None
        finally:
            turn.end()

    def _permit(self, messages: Sequence[Message]) -> Permit:
        """Return what counts messages that go with one request."""
        numbers = [message.number for message in messages]
        return Permit(self._guard, self._repeats, messages[0].sms, numbers)

    async def _async_submit(
        self,
        messages: Sequence[Message],
        permit: Permit,
        behind: Sequence[Message] = (),
        *,
        has_caller: bool,
    ) -> Outcome | None:
        """Write down that messages are under way, and then make their request.

        Messages of the same call that wait behind earlier ones share the write.
        """
        try:
            permit.book()
        except SpendingGuardError:
            # Limits were lowered, or Zoho counted more segments than were estimated.
            await self._async_postpone((*messages, *behind), has_caller=has_caller)
            return None
        for message in messages:
            message.state = State.SUBMITTING
        try:
            await self.store.async_save_ahead()
        except NotWrittenError as err:
            permit.settle(err)
            self._take_back((*messages, *behind), has_caller=has_caller)
            raise
        if not has_caller:
            messages = self._in_time(messages, permit)
        if not messages:
            return []
        return await self._async_request(messages, permit, has_caller=has_caller)

    def _in_time(self, messages: Sequence[Message], permit: Permit) -> list[Message]:
        """Return the messages whose time was not over while that was written down."""
        now = self._clock()
        if over := [message for message in messages if message.expires_at <= now]:
            permit.release(message.number for message in over)
            self._end(over, State.EXPIRED)
        return [message for message in messages if message not in over]

    async def _async_request(
        self, messages: Sequence[Message], permit: Permit, *, has_caller: bool
    ) -> Outcome | None:
        """Return what Zoho said; None if the messages are kept."""
        outcome = await self._request(
            messages[0].sms,
            messages[0].sender_id,
            [message.number for message in messages],
        )
        permit.settle(outcome)
        if isinstance(outcome, POSTPONING):
            if has_caller and not self._failures:
                self._failures = 1
                self._next_try = self._clock() + FIRST_PAUSE
            await self._async_postpone(messages, has_caller=has_caller)
            return None
        if has_caller:
            self._forget(messages)
            self.store.save_soon()
        elif isinstance(outcome, OutcomeUnknownError):
            self._end(messages, State.UNCLEAR, outcome.code)
        elif isinstance(outcome, ZohoError):
            self._end(messages, State.REFUSED, outcome.code)
        else:
            self._end(messages, State.SENT)
        return outcome

    async def _async_postpone(
        self, messages: Sequence[Message], *, has_caller: bool
    ) -> None:
        """Keep what did not reach Zoho; no caller is told so before it is on disk."""
        for message in messages:
            message.state = State.QUEUED
        try:
            await self.store.async_save()
        except NotWrittenError:
            self._take_back(messages, has_caller=has_caller)
            raise
        self._on_change(())

    def _take_back(self, messages: Iterable[Message], *, has_caller: bool) -> None:
        """Undo what could not be written: the caller gets an error instead."""
        if has_caller:
            self._forget(messages)
        else:
            for message in messages:
                if message.state is State.SUBMITTING:
                    message.state = State.QUEUED

    def _add(self, messages: Collection[Message]) -> None:
        """Add messages behind the others."""
        if len(self._messages) + len(messages) > MAX_MESSAGES:
            raise OutboxFullError
        self._messages |= {message.message_id: message for message in messages}

    def _forget(self, messages: Iterable[Message]) -> None:
        """Remove messages."""
        for message in messages:
            self._messages.pop(message.message_id, None)

    def _end(
        self, messages: Sequence[Message], state: State, reason: str | None = None
    ) -> None:
        """Take messages out; keep a report of those that were not sent."""
        self._forget(messages)
        for message in messages:
            message.state = state
            message.reason = reason
            if state is not State.SENT:
                self._reports[message.message_id] = message
        while len(self._reports) > MAX_REPORTS:
            del self._reports[next(iter(self._reports))]
        self.store.save_soon()
        self._on_change(messages)
