"""What became of each message, and what came in: told once, and for good.

All that is announced is on disk before, and announced in the same step in which the
write ends. So a crash never makes it announced twice; what it may lose is only what
was written, but not announced yet, if it falls into that very step, and which SMS were
added just before it, which are not counted then, and whose reports say nothing.
"""

import asyncio
from asyncio import Future, Task
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
import logging
import math
from typing import Any, Protocol, Self

from ..sending.journal import NotWrittenError
from ..zoho.message_log import FINAL_STATES, DeliveryState, LogRow
from ..zoho.receipts import match_rows
from .log_reader import Look

_LOGGER = logging.getLogger(__name__)

#: How many messages are tracked, and of how many the end is remembered.
MAX_TRACKED = 2000
MAX_SETTLED = 1000
#: How long a message without a final state is tracked (seconds). It is no longer asked
#: for by then, but a phone may be off for days.
MAX_AGE = 3 * 24 * 60 * 60.0
#: How often to look for those that are older (seconds).
SWEEP = 60 * 60.0
#: How many reports of messages that are not known yet are kept.
MAX_EARLY = 100
#: How many announcements share a write, and how many steps are taken at once: so the
#: event loop is never held up for long.
MAX_BATCH = 50
MAX_STEPS = 500
#: For how long the id of a row without a time is known: longer than any look goes back
#: behind what is known, whatever the zones are (seconds).
KNOWN_WITHOUT_TIME = 3 * 24 * 60 * 60.0
#: How far `incoming_since` may be ahead of the disk (seconds).
MAX_LAG = 60 * 60.0
#: How much of Zoho's words is kept (characters).
MAX_WORDS = 250

_RANKS = {state: rank for rank, state in enumerate(DeliveryState)}

#: A message's log id and number.
type Key = tuple[str | None, str]


class Store(Protocol):
    """Write the tracker to disk."""

    async def async_save(self) -> None:
        """Return when all that is so by now is on disk. Raises NotWrittenError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Say what became of a message, with the number and in the words of Zoho."""

    log_id: str
    state: DeliveryState
    number: str | None = None
    status: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedSms:
    """One SMS that Zoho accepted, and what became of it; `number` is in E.164.

    `submitted_at` is when Zoho accepted it, or for when it is scheduled, and
    `changed_at` when its state was heard of (both seconds since the epoch). `status`
    and `description` are Zoho's own words.
    """

    log_id: str | None
    number: str
    name: str | None
    subentry_id: str | None
    sender_id: str
    submitted_at: float
    segments: int
    state: DeliveryState = DeliveryState.QUEUED
    status: str | None = None
    description: str | None = None
    changed_at: float | None = None

    @property
    def key(self) -> Key:
        """Return what tells it from all others, if it has a log id."""
        return self.log_id, self.number

    @property
    def seconds(self) -> float | None:
        """Return how long it took until the state was heard of."""
        if self.changed_at is None:
            return None
        return round(max(0.0, self.changed_at - self.submitted_at), 1)

    @property
    def is_final(self) -> bool:
        """Return if nothing follows."""
        return self.state in FINAL_STATES

    def dump(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """Return a stored SMS. Raises ValueError, KeyError or TypeError."""
        for key in ("log_id", "number", "sender_id"):
            if not isinstance(stored[key], str):
                raise TypeError(key)
        for key in ("name", "subentry_id", "status", "description"):
            if not isinstance(stored[key], str | None):
                raise TypeError(key)
        changed_at = stored["changed_at"]
        return cls(
            **{
                **{one.name: stored[one.name] for one in fields(cls)},
                "submitted_at": read_number(stored["submitted_at"]),
                "segments": _read_count(stored["segments"]),
                "state": DeliveryState(stored["state"]),
                "changed_at": None if changed_at is None else read_number(changed_at),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSms:
    """One SMS that came in.

    `number` is as in `LogRow`, `name` and `subentry_id` are the recipient's, if it is
    one. `received_at` is when Zoho got it (seconds since the epoch).
    """

    log_id: str
    number: str
    name: str | None
    subentry_id: str | None
    # It must not get into a log of ours.
    message: str = field(repr=False)
    sender_id: str | None
    received_at: float
    segments: int | None


@dataclass(slots=True)
class Counters:
    """Count since the account was added.

    `delivery_seconds` is how long the last delivery took until it was heard of.
    """

    messages: int = 0
    segments: int = 0
    undelivered: int = 0
    delivery_seconds: float | None = None


@dataclass(slots=True, eq=False)
class _Waiter:
    """Wait for messages to be final."""

    keys: set[Key]
    end: Future[None]


class Tracker:
    """Know what became of each message, and announce it and what came in.

    `on_report` is called with a message when Zoho accepted it and whenever it has a
    new state, `on_incoming` with each SMS that came in. `find_recipient` returns the
    name and the subentry id of a number, or None. `clock` tells the time (seconds since
    the epoch).

    What can't be written is not announced. It is not forgotten either: the next call,
    whatever it brings, tries again.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        on_report: Callable[[TrackedSms], None],
        on_incoming: Callable[[IncomingSms], None],
        find_recipient: Callable[[str], tuple[str, str] | None],
    ) -> None:
        """Start empty."""
        self.store: Store
        self.counters = Counters()
        self._clock = clock
        self._on_report = on_report
        self._on_incoming = on_incoming
        #: Called once after all that is announced together.
        self.on_announced: Callable[[], None] = lambda: None
        self._find_recipient = find_recipient
        # By log id, which numbers may share, and by number.
        self._tracked: dict[str, dict[str, TrackedSms]] = {}
        # The same as the file holds them: most are the same in the next write.
        self._stored: dict[Key, dict[str, Any]] = {}
        # Log ids that are added with the next steps.
        self._added: set[str] = set()
        self._swept_at = -math.inf
        self._settled: dict[Key, TrackedSms] = {}
        self._early: deque[Report] = deque(maxlen=MAX_EARLY)
        self._last_states: dict[str, DeliveryState] = {}
        self._incoming_since: float | None = None
        # Ids of incoming rows, by when a look can't find them any more.
        self._known: dict[str, float] = {}
        self._waiters: list[_Waiter] = []
        self._waiting = 0
        self._lock = asyncio.Lock()
        self._next: Task[NotWrittenError | None] | None = None
        self._steps: list[Callable[[], None]] = []
        self._news: list[TrackedSms | IncomingSms] = []
        self._is_dirty = False
        self._is_writing = False
        self._written = self._take_stock()

    @property
    def unsettled(self) -> list[TrackedSms]:
        """Return the messages without a final state, in the order they came."""
        return [
            sms
            for group in self._tracked.values()
            for sms in group.values()
            if not sms.is_final
        ]

    @property
    def unsettled_since(self) -> Generator[float]:
        """Yield when the messages without a final state were sent, the latest first."""
        return (
            sms.submitted_at
            for group in reversed(self._tracked.values())
            for sms in group.values()
            if not sms.is_final
        )

    @property
    def incoming_since(self) -> float | None:
        """Return from when on incoming rows may be new; None before the first look."""
        return self._incoming_since

    @property
    def is_unwritten(self) -> bool:
        """Return if something could not be written, and has to be tried again."""
        return bool(self._news) or self._is_dirty

    def find(self, key: Key) -> TrackedSms | None:
        """Return a message as it is, None if it is not known or known no more."""
        log_id, number = key
        tracked = self._tracked.get(log_id, {}).get(number) if log_id else None
        return tracked or self._settled.get(key)

    def knows(self, log_id: str) -> bool:
        """Return if reports of a log id are of interest."""
        return log_id in self._tracked or log_id in self._added

    def last_state(self, subentry_id: str) -> DeliveryState | None:
        """Return the last state that a message to a recipient got."""
        return self._last_states.get(subentry_id)

    def add(self, messages: Collection[TrackedSms]) -> None:
        """Take the messages that Zoho accepted, all of a request together.

        Those without a log id are only counted. They are written and announced with
        what comes next, at the latest when `async_settle` is called.
        """
        self._added.update(sms.log_id for sms in messages if sms.log_id)
        self._steps.append(partial(self._add, tuple(messages)))

    async def async_take(
        self, reports: Iterable[Report], look: Look | None = None
    ) -> None:
        """Take what a callback says, or a look into the message log.

        `reports` are about the outgoing rows of the look, whose incoming rows are taken
        as well. What is not new, or not certainly about one of the messages, changes
        nothing. Raises NotWrittenError.
        """
        self._steps += [partial(self._report, report) for report in reports]
        if look is not None:
            self._steps += [
                partial(self._receive, row, is_old=look.is_first)
                for row in look.incoming
            ]
            if look.known_since is not None:
                self._steps.append(partial(self._move_on, look.known_since))
        await self.async_settle()

    async def async_forget_incoming(self) -> None:
        """Let the next look be the first one: nobody wants to know what came in.

        Raises NotWrittenError.
        """
        self._steps.append(self._forget_incoming)
        await self.async_settle()

    async def async_wait(
        self, keys: Iterable[Key], seconds: float
    ) -> dict[Key, TrackedSms]:
        """Wait until messages are final, but only for so long.

        Return those that are known, as they are by then.
        """
        keys = [*keys]
        self._waiting += 1
        try:
            # What was just sent may not be tracked yet.
            with suppress(NotWrittenError):
                await self.async_settle()
            return await self._async_wait(keys, seconds)
        finally:
            self._waiting -= 1

    @property
    def is_awaited(self) -> bool:
        """Return if somebody waits for messages to be final."""
        return self._waiting > 0

    async def _async_wait(
        self, keys: Sequence[Key], seconds: float
    ) -> dict[Key, TrackedSms]:
        """Wait for messages that are tracked by now."""
        waiter = _Waiter(
            {key for key in keys if (sms := self.find(key)) and self._is_open(sms)},
            asyncio.get_running_loop().create_future(),
        )
        if waiter.keys and seconds > 0:
            self._waiters.append(waiter)
            try:
                await asyncio.wait([waiter.end], timeout=seconds)
            finally:
                self._waiters.remove(waiter)
        return {key: sms for key in keys if (sms := self.find(key))}

    def dump(self) -> dict[str, Any]:
        """Return what the file holds.

        What is not announced yet is only in it when that follows the write: others may
        write the same file at any time.
        """
        if self._is_writing:
            self._written = self._take_stock()
        return self._written

    def load(self, value: Any) -> None:
        """Take back what the file holds. Raises ValueError, KeyError or TypeError."""
        tracked: dict[str, dict[str, TrackedSms]] = {}
        for stored in value["messages"]:
            sms = TrackedSms.load(stored)
            tracked.setdefault(stored["log_id"], {})[sms.number] = sms
        counters = value["counters"]
        seconds = counters["delivery_seconds"]
        since = value["incoming_since"]
        loaded = (
            Counters(
                _read_count(counters["messages"]),
                _read_count(counters["segments"]),
                _read_count(counters["undelivered"]),
                None if seconds is None else read_number(seconds),
            ),
            {
                subentry_id: DeliveryState(state)
                for subentry_id, state in _items(value["last_states"])
            },
            None if since is None else read_number(since),
            {key: read_number(time) for key, time in _items(value["known"])},
        )
        self.counters, self._last_states, self._incoming_since, self._known = loaded
        self._tracked = tracked
        self._stored = {
            sms.key: sms.dump() for group in tracked.values() for sms in group.values()
        }
        self._written = self._take_stock()

    def _take_stock(self) -> dict[str, Any]:
        """Return all that has to be remembered."""
        return {
            "messages": [*self._stored.values()],
            "counters": asdict(self.counters),
            "last_states": {**self._last_states},
            "incoming_since": self._incoming_since,
            "known": {**self._known},
        }

    async def async_settle(self) -> None:
        """Return when all that there is by now is written, and announced.

        Whoever comes meanwhile shares the next time. Raises NotWrittenError.
        """
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_task(self._async_take_steps())
        if err := await asyncio.shield(self._next):
            raise err

    async def _async_take_steps(self) -> NotWrittenError | None:
        """Take all steps there are; an error is returned to all who wait."""
        async with self._lock:
            self._next = None
            steps, self._steps = self._steps, []
            err = None
            for position, step in enumerate(steps, 1):
                step()
                if len(self._news) >= MAX_BATCH and err is None:
                    err = await self._async_write()
                elif position % MAX_STEPS == 0:
                    await asyncio.sleep(0)
            if (self._news or self._is_dirty) and err is None:
                err = await self._async_write()
            return err

    async def _async_write(self) -> NotWrittenError | None:
        """Write, and announce what is new by then."""
        before = self._written
        self._is_writing = True
        try:
            await self.store.async_save()
        except NotWrittenError as err:
            self._written = before
            return err
        finally:
            self._is_writing = False
        self._is_dirty = False
        self._announce()
        return None

    def _announce(self) -> None:
        """Tell what is new; whoever listens can't keep it from the others."""
        news, self._news = self._news, []
        for item in news:
            with _logged_errors():
                if isinstance(item, IncomingSms):
                    self._on_incoming(item)
                else:
                    self._on_report(item)
        for item in news:
            if isinstance(item, TrackedSms) and item.is_final:
                self._settle(item)
        with _logged_errors():
            self.on_announced()

    def _is_open(self, sms: TrackedSms) -> bool:
        """Return if there is something yet to be announced of a message."""
        return not sms.is_final or sms in self._news

    def _settle(self, sms: TrackedSms) -> None:
        """Track a message no more, once those with the same id are final, too.

        As long as they are not, it has to be told from them.
        """
        self._settled[sms.key] = sms
        if len(self._settled) > MAX_SETTLED:
            del self._settled[next(iter(self._settled))]
        for waiter in self._waiters:
            waiter.keys.discard(sms.key)
            if not waiter.keys and not waiter.end.done():
                waiter.end.set_result(None)
        group = self._tracked.get(sms.log_id or "", {})
        if not any(map(self._is_open, group.values())):
            self._forget(sms.log_id or "")

    def _add(self, messages: Collection[TrackedSms]) -> None:
        """Track messages, and take what was reported of them too early."""
        log_ids = set()
        for sms in messages:
            self._added.discard(sms.log_id or "")
            if sms.log_id and self.find(sms.key):
                continue
            self.counters.messages += 1
            self.counters.segments += sms.segments
            if sms.log_id:
                log_ids.add(sms.log_id)
            self._put(sms)
        early = [report for report in self._early if report.log_id in log_ids]
        for report in early:
            self._early.remove(report)
            self._report(report)
        self._drop()

    def _report(self, report: Report) -> None:
        """Take a report, if it is about one of the messages and takes it forward."""
        group = self._tracked.get(report.log_id)
        if group is None:
            # It may have overtaken Zoho's answer to the request.
            self._early.append(report)
            return
        sms = _match(report, group)
        if sms is None or sms.is_final or _RANKS[report.state] <= _RANKS[sms.state]:
            return
        now = self._clock()
        if report.state is DeliveryState.DELIVERED:
            self.counters.delivery_seconds = max(0.0, now - sms.submitted_at)
        elif report.state in FINAL_STATES:
            self.counters.undelivered += 1
        self._put(
            replace(
                sms,
                state=report.state,
                status=report.status,
                description=report.description,
                changed_at=now,
            )
        )

    def _put(self, sms: TrackedSms) -> None:
        """Take a message's new state, and announce it as soon as it is written."""
        sms = replace(
            sms,
            log_id=_mend(sms.log_id),
            status=_mend(sms.status and sms.status[:MAX_WORDS]),
            description=_mend(sms.description and sms.description[:MAX_WORDS]),
        )
        if sms.log_id:
            self._tracked.setdefault(sms.log_id, {})[sms.number] = sms
            self._stored[sms.key] = sms.dump()
        if sms.subentry_id:
            self._last_states[sms.subentry_id] = sms.state
        self._news.append(sms)

    def _drop(self) -> None:
        """Track no more what is too old, and the oldest of what is too much."""
        now = self._clock()
        if not 0 <= now - self._swept_at < SWEEP:
            self._swept_at = now
            for log_id, group in [*self._tracked.items()]:
                if all(now - sms.submitted_at >= MAX_AGE for sms in group.values()):
                    self._forget(log_id)
        while len(self._stored) > MAX_TRACKED:
            self._forget(next(iter(self._tracked)))

    def _forget(self, log_id: str) -> None:
        """Track the messages of a log id no more."""
        for sms in self._tracked.pop(log_id, {}).values():
            del self._stored[sms.key]

    def _receive(self, row: LogRow, *, is_old: bool) -> None:
        """Take an incoming row, and announce it if it is new."""
        log_id = _mend(row.log_id)
        if log_id in self._known:
            return
        now = self._clock()
        if row.submitted_at:
            received_at = self._known[log_id] = row.submitted_at.timestamp()
        else:
            received_at = now
            since = self._incoming_since or 0.0
            self._known[log_id] = max(now, since) + KNOWN_WITHOUT_TIME
        if is_old:
            return
        name, subentry_id = self._find_recipient(row.number) or (None, None)
        self._news.append(
            IncomingSms(
                log_id=log_id,
                number=row.number,
                name=name,
                subentry_id=subentry_id,
                message=row.message,
                sender_id=row.sender_id,
                received_at=received_at,
                segments=row.segments,
            )
        )

    def _move_on(self, since: float) -> None:
        """Forget what a look can't find any more."""
        before = self._incoming_since
        if before is not None and since <= before:
            return
        self._incoming_since = since
        self._known = {key: time for key, time in self._known.items() if time >= since}
        written = self._written["incoming_since"]
        if written is None or since - written >= MAX_LAG:
            self._is_dirty = True

    def _forget_incoming(self) -> None:
        """Forget what came in."""
        if self._incoming_since is not None or self._known:
            self._incoming_since = None
            self._known = {}
            self._is_dirty = True


_FIELDS = tuple(one.name for one in fields(TrackedSms))
#: What no number in a file of ours is as large as.
_TOO_MUCH = 1e15


@contextmanager
def _logged_errors() -> Generator[None]:
    """Log what goes wrong while something is announced."""
    try:
        yield
    except Exception:
        _LOGGER.exception("Error while announcing a delivery report or SMS")


def _match(report: Report, group: dict[str, TrackedSms]) -> TrackedSms | None:
    """Return which message of a log id is meant, None if that is in doubt."""
    written = report.number or ""
    if written in group:
        return group[written]
    rows = match_rows([{"customerNumber": written}], [*group])
    found = zip(group.values(), rows, strict=True)
    return next((sms for sms, row in found if row), None)


def _mend[T: (str, str | None)](text: T) -> T:
    """Return a text that can be written: half an emoji can't."""
    return text and text.encode(errors="replace").decode()


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the items of an object. Raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return value.items()


def read_number(value: Any) -> float:
    """Return a finite number. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    if not abs(value) < _TOO_MUCH:
        raise ValueError(value)
    return float(value)


def _read_count(value: Any) -> int:
    """Return a whole number. Raises ValueError or TypeError."""
    if not isinstance(value, int):
        raise TypeError(value)
    return int(read_number(value))
