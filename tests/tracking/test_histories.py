"""Any history: what became of messages, and what came in, is told once, and in order.

Zoho is modelled with all that is not known of it: in which order the log's rows are,
in which zone it reads dates, how late a row appears, and how it writes numbers.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from custom_components.zoho_voice.sending.journal import NotWrittenError
from custom_components.zoho_voice.tracking.log_reader import LogQuery, LogReader
from custom_components.zoho_voice.tracking.schedule import (
    FRESH,
    SLOW,
    UNSETTLED,
    seconds_to_next_look,
)
from custom_components.zoho_voice.tracking.tracker import (
    IncomingSms,
    Key,
    Report,
    TrackedSms,
    Tracker,
)
from custom_components.zoho_voice.zoho.message_log import (
    FINAL_STATES,
    DeliveryState,
    Direction,
    LogRow,
)

START = 1_764_831_248.0
MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NUMBERS = ["+14805550100", "+14805550111", "+442079460958"]
PAGE_SIZE = 10
MAX_PAGES = 2
RANKS = [*DeliveryState]


class Crash(BaseException):
    """The power fails."""


@dataclass
class Row:
    """A message, as Zoho knows it."""

    log_id: str
    direction: Direction
    number: str
    submitted_at: float
    appears_at: float
    is_timed: bool = True
    masks: bool = False
    state: DeliveryState = DeliveryState.QUEUED

    def show(self) -> LogRow:
        """Return the row as it is read from the log."""
        number = f"+{'*' * 6}{self.number[-4:]}" if self.masks else self.number
        submitted_at = datetime.fromtimestamp(self.submitted_at, UTC)
        return LogRow(
            log_id=self.log_id,
            direction=self.direction,
            number=number,
            message="text",
            submitted_at=submitted_at if self.is_timed else None,
            status=self.state.upper(),
        )


@dataclass
class Zoho:
    """A message log, and callbacks that are under way."""

    newest_first: bool
    by_appearance: bool
    offset: float
    knows_total: bool
    rows: list[Row] = field(default_factory=list)
    callbacks: list[Report] = field(default_factory=list)

    def page(self, query: LogQuery, now: float) -> tuple[list[LogRow], int | None]:
        """Return a page of the log."""
        # A date without a zone, which is taken to be one of the account's own.
        since = query.since.timestamp() - self.offset
        rows = [r for r in self.rows if r.appears_at <= now and r.submitted_at >= since]
        rows.sort(
            key=lambda row: row.appears_at if self.by_appearance else row.submitted_at,
            reverse=self.newest_first,
        )
        page = rows[query.start : query.start + query.size]
        return [row.show() for row in page], len(rows) if self.knows_total else None


class World:
    """A Zoho, a disk, a clock that may be wrong, and those who listen."""

    def __init__(self, zoho: Zoho, interval: float) -> None:
        self.zoho = zoho
        self.interval = interval
        self.now = START
        self.skew = 0.0
        self.disk = "null"
        self.disk_is_full = False
        self.crashes_at_write = False
        #: What happens between the pages of a look.
        self.between: list[Callable[[], Coroutine[Any, Any, Any]]] = []
        self.reported: list[TrackedSms] = []
        self.received: list[IncomingSms] = []
        #: When what came in before was known to be old.
        self.listens_since: float | None = None
        self.start()

    def start(self) -> None:
        """Start with what is on the disk."""
        self.tracker = Tracker(
            lambda: self.now + self.skew,
            self.reported.append,
            self.received.append,
            lambda number: ("Alice", "alice") if number == NUMBERS[0] else None,
        )
        self.tracker.store = self
        self.reader = LogReader(
            lambda: self.now + self.skew, page_size=PAGE_SIZE, max_pages=MAX_PAGES
        )
        self.between = []
        self.crashes_at_write = False
        if (stored := json.loads(self.disk)) is not None:
            self.tracker.load(stored)

    async def async_save(self) -> None:
        await asyncio.sleep(0)
        if self.crashes_at_write:
            raise Crash
        if self.disk_is_full:
            raise NotWrittenError
        self.save_for_another()
        await asyncio.sleep(0)

    def save_for_another(self) -> None:
        """Write, as another part of the same file may want at any time."""
        dumped = self.tracker.dump()
        self.disk = json.dumps(dumped)
        if dumped["incoming_since"] is not None and self.listens_since is None:
            self.listens_since = self.now

    async def look(self) -> None:
        """Look into the log as a coordinator does."""
        tracker, reader = self.tracker, self.reader
        reader.begin_look(
            tracker.incoming_since,
            [*tracker.unsettled_since],
            incoming=self.interval > 0,
        )
        pages = 0
        while query := reader.next_query():
            assert query.size == PAGE_SIZE
            rows, total = self.zoho.page(query, self.now)
            reader.take(rows, total=total)
            self.now += 1
            pages += 1
            if self.between:
                await self.between.pop(0)()
        assert pages <= MAX_PAGES
        look = reader.end_look()
        leftover = len(tracker._news)
        before = len(self.received)
        reports = (
            Report(
                log_id=row.log_id,
                number=row.number,
                state=DeliveryState(row.status.lower()),
                status=row.status,
            )
            for row in look.outgoing
            if row.status
        )
        await tracker.async_take(reports, look)
        times = {row.log_id: row.submitted_at for row in look.incoming}
        announced = [
            moment
            for sms in self.received[before:]
            if (moment := times.get(sms.log_id))
        ]
        if not leftover:
            assert announced == sorted(announced)

    def seconds_to_next_look(self) -> float | None:
        return seconds_to_next_look(
            self.now + self.skew,
            [*self.tracker.unsettled_since],
            self.interval,
            is_unfinished=self.reader.is_under_way or self.tracker.is_unwritten,
        )


LATENESS = st.sampled_from([0.0, 0.0, 30.0, 20 * MINUTE, 59 * MINUTE])


class Histories(RuleBasedStateMachine):
    """Any order of sends, callbacks, looks, late rows, full disks, and crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.count = 0
        #: Messages that were added, and those of them that were written.
        self.added: set[Key] = set()
        self.promised: set[Key] = set()
        self.deleted: set[str] = set()
        self.looked_at = START

    @initialize(
        newest_first=st.booleans(),
        by_appearance=st.booleans(),
        offset=st.sampled_from([0.0, -12 * HOUR, 5.5 * HOUR, 14 * HOUR]),
        knows_total=st.booleans(),
        interval=st.sampled_from([60.0, 60.0, 0.0]),
        old=st.lists(LATENESS, max_size=15),
        skew=st.sampled_from([0.0, 3 * HOUR, -3 * HOUR]),
    )
    def begin(
        self,
        newest_first: bool,
        by_appearance: bool,
        offset: float,
        knows_total: bool,
        interval: float,
        old: list[float],
        skew: float,
    ) -> None:
        zoho = Zoho(newest_first, by_appearance, offset, knows_total)
        self.world = World(zoho, interval)
        self.world.skew = skew
        for lateness in old:
            self.add_incoming(lateness, is_timed=True)
            self.world.now += HOUR
        self.old = {row.log_id for row in zoho.rows}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.let_all_go_well()
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> bool:
        """Run something up to its end, or a crash; return if all went well."""
        try:
            self.loop.run_until_complete(coroutine)
        except NotWrittenError:
            assert self.world.disk_is_full
            return False
        except Crash:
            self.restart()
            return False
        return True

    def restart(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        self.loop = asyncio.new_event_loop()
        self.added.clear()
        self.world.start()

    def new_row(self, direction: Direction, number: str, lateness: float) -> Row:
        self.count += 1
        now = self.world.now
        row = Row(f"{direction[0]}{self.count}", direction, number, now, now + lateness)
        self.world.zoho.rows.append(row)
        return row

    def add_incoming(self, lateness: float, *, is_timed: bool) -> None:
        number = NUMBERS[self.count % len(NUMBERS)]
        row = self.new_row(Direction.INCOMING, number, lateness)
        row.is_timed = is_timed

    @rule(
        numbers=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True),
        ids=st.sampled_from(["own", "shared", "none"]),
        masks=st.booleans(),
        progress=st.lists(st.integers(0, 20), max_size=3),
        overtakes=st.booleans(),
        settles=st.booleans(),
    )
    def send(
        self,
        numbers: list[str],
        ids: str,
        masks: bool,
        progress: list[int],
        overtakes: bool,
        settles: bool,
    ) -> None:
        """Zoho accepts messages; callbacks may come before its answer does."""
        world = self.world
        rows = [self.new_row(Direction.OUTGOING, number, 0.0) for number in numbers]
        for row in rows:
            row.masks = masks
            if ids == "shared":
                row.log_id = rows[0].log_id
        messages = [
            TrackedSms(
                log_id=None if ids == "none" else row.log_id,
                number=row.number,
                name=None,
                subentry_id="alice" if row.number == NUMBERS[0] else None,
                sender_id="+18885550100",
                submitted_at=row.submitted_at,
                segments=2,
            )
            for row in rows
        ]
        for choice in progress:
            self.go_on(rows, choice)

        async def send_and_hear() -> None:
            if overtakes:
                await world.tracker.async_take(world.zoho.callbacks[-len(progress) :])
            world.tracker.add(messages)
            self.added |= {sms.key for sms in messages if sms.log_id}
            if settles:
                await world.tracker.async_settle()

        if self.run(send_and_hear()) and settles:
            self.keep_promises()

    @rule()
    def settle_what_was_added(self) -> None:
        if self.run(self.world.tracker.async_settle()):
            self.keep_promises()

    def keep_promises(self) -> None:
        """Take note that all that was added is written."""
        self.promised |= self.added
        self.added.clear()

    def go_on(self, rows: list[Row], choice: int) -> None:
        """Let Zoho take one of the messages forward, and call back."""
        rows = [row for row in rows if row.state not in FINAL_STATES]
        if not rows:
            return
        row = rows[choice % len(rows)]
        following = RANKS[RANKS.index(row.state) + 1 :]
        row.state = following[choice % min(len(following), 2 + choice % 4)]
        shown = row.show()
        is_shared = sum(other.log_id == row.log_id for other in rows) > 1
        self.world.zoho.callbacks.append(
            Report(
                log_id=row.log_id,
                number=None if choice % 3 == 0 and not is_shared else shown.number,
                state=row.state,
                status=row.state.upper(),
            )
        )

    @property
    def sent(self) -> list[Row]:
        return [r for r in self.world.zoho.rows if r.direction is Direction.OUTGOING]

    @rule(choices=st.lists(st.integers(0, 100), min_size=1, max_size=6))
    def go_on_with_any(self, choices: list[int]) -> None:
        for choice in choices:
            self.go_on(self.sent, choice)

    def some_callbacks(self, choices: list[int]) -> list[Report]:
        """Return callbacks: late, again, and in any order."""
        callbacks = self.world.zoho.callbacks
        count = len(callbacks)
        return [callbacks[-1 - choice % min(count, 8)] for choice in choices if count]

    @rule(choices=st.lists(st.integers(0, 1000), min_size=1, max_size=8))
    def call_back(self, choices: list[int]) -> None:
        """Let callbacks come at once."""
        reports = self.some_callbacks(choices)
        tracker = self.world.tracker

        async def call_all() -> None:
            results = await asyncio.gather(
                *(tracker.async_take([report]) for report in reports),
                return_exceptions=True,
            )
            for result in results:
                if result:
                    raise result

        self.run(call_all())

    @rule(
        count=st.sampled_from([1, 2, 11, 40]),
        pause=st.sampled_from([0.0, 1.0, 5 * MINUTE, 5 * MINUTE]),
        lateness=st.lists(LATENESS, min_size=1, max_size=3),
        is_timed=st.sampled_from([True, True, False]),
    )
    def receive(
        self, count: int, pause: float, lateness: list[float], is_timed: bool
    ) -> None:
        for index in range(count):
            self.world.now += pause
            self.add_incoming(lateness[index % len(lateness)], is_timed=is_timed)

    @rule(
        between=st.lists(
            st.sampled_from(
                ["receive", "call back", "delete", "delete", "save", "fill", "crash"]
            ),
            max_size=3,
        ),
        choice=st.integers(0, 100),
        looks=st.integers(1, 3),
    )
    def look(self, between: list[str], choice: int, looks: int) -> None:
        """Look into the log, while other things happen."""

        async def event(name: str) -> None:
            world = self.world
            if name == "receive":
                for index in range(choice % 12):
                    self.add_incoming(index % 2 * 59 * MINUTE, is_timed=True)
            elif name == "call back":
                await world.tracker.async_take(self.some_callbacks([choice]))
            elif name == "delete":
                self.delete(choice)
            elif name == "save":
                world.save_for_another()
            elif name == "fill":
                world.disk_is_full = choice % 2 == 0
            else:
                raise Crash

        for _ in range(looks):
            self.world.between = [lambda name=name: event(name) for name in between]
            if self.run(self.world.look()):
                self.looked_at = self.world.now
            self.world.now += MINUTE

    @rule()
    def look_at_nothing_special(self) -> None:
        self.look([], 0, 1)

    def delete(self, choice: int) -> None:
        """Let somebody delete a row that was read, so that others move up."""
        rows = [
            row
            for row in self.world.zoho.rows
            if row.direction is Direction.INCOMING and row.appears_at <= self.world.now
        ]
        if rows:
            row = rows[choice % len(rows)]
            self.world.zoho.rows.remove(row)
            self.deleted.add(row.log_id)

    @rule(
        seconds=st.sampled_from([1.0, MINUTE, 12 * MINUTE, 2 * HOUR, DAY, 12 * DAY]),
    )
    def let_time_pass(self, seconds: float) -> None:
        """Let time pass, but no downtime be longer than a look goes back."""
        if self.world.now + seconds - self.looked_at < 25 * DAY:
            self.world.now += seconds

    @rule(skew=st.sampled_from([0.0, 90.0, -90.0, 3 * HOUR, -3 * HOUR]))
    def set_clock(self, skew: float) -> None:
        self.world.skew = skew

    @rule()
    def crash(self) -> None:
        self.restart()

    @rule()
    def crash_at_next_write(self) -> None:
        self.world.crashes_at_write = True

    @rule()
    def save_for_another(self) -> None:
        if not self.world.disk_is_full:
            self.world.save_for_another()

    @rule(choices=st.lists(st.integers(0, 1000), min_size=1, max_size=3))
    def crash_after_a_full_disk(self, choices: list[int]) -> None:
        """Let something be tried in vain, and nothing more before a crash."""
        self.world.disk_is_full = True
        self.call_back(choices)
        self.look([], 0, 1)
        self.world.disk_is_full = False
        self.world.save_for_another()
        self.restart()

    @rule(is_full=st.booleans())
    def fill_disk(self, is_full: bool) -> None:
        self.world.disk_is_full = is_full

    @rule()
    def settle(self) -> None:
        self.let_all_go_well()

    def let_all_go_well(self) -> None:
        """Let all go well for a while: everything must have been told by then."""
        world = self.world
        world.between = []
        world.disk_is_full = False
        world.crashes_at_write = False
        world.skew = 0.0
        self.settle_what_was_added()
        # What was under way may have begun before the last message.
        self.look_until_done()
        self.look_until_done()
        self.all_messages_have_their_last_state(FRESH)
        # Let the last rows appear.
        world.now += HOUR
        self.look_until_done()
        self.look_until_done()
        assert not world.tracker._news
        self.all_messages_have_their_last_state(UNSETTLED)
        self.all_incoming_was_announced()

    def look_until_done(self) -> None:
        """Look when it is due, until there is nothing left to read."""
        world = self.world
        for _ in range(200):
            wait = world.seconds_to_next_look()
            if wait is None:
                assert not world.interval
                return
            assert wait <= SLOW
            world.now += wait
            assert self.run(world.look())
            self.looked_at = world.now
            if not world.reader.is_under_way:
                return
        raise AssertionError("There is no end to it")

    def all_messages_have_their_last_state(self, age: float) -> None:
        world = self.world
        last = {sms.key: sms.state for sms in world.reported}
        for row in self.sent:
            key = row.log_id, row.number
            if key in self.promised and world.now - row.submitted_at < age:
                assert last[key] == row.state

    def all_incoming_was_announced(self) -> None:
        world = self.world
        if world.listens_since is None:
            assert not world.interval
            return
        new = {
            row.log_id
            for row in world.zoho.rows
            if row.direction is Direction.INCOMING
            and world.listens_since < row.appears_at <= world.now
        }
        assert new <= {sms.log_id for sms in world.received}

    @invariant()
    def each_state_is_reported_once_and_forward(self) -> None:
        if not hasattr(self, "world"):
            return
        states: dict[Key, list[DeliveryState]] = {}
        for sms in self.world.reported:
            if sms.log_id:
                states.setdefault(sms.key, []).append(sms.state)
        for known in states.values():
            ranks = [RANKS.index(state) for state in known]
            assert ranks == sorted({*ranks})
            assert sum(state in FINAL_STATES for state in known) <= 1

    @invariant()
    def each_incoming_sms_is_announced_once(self) -> None:
        if hasattr(self, "world"):
            counts = Counter(sms.log_id for sms in self.world.received)
            assert max(counts.values(), default=1) == 1

    @invariant()
    def nothing_old_is_announced(self) -> None:
        if hasattr(self, "world"):
            assert not self.old & {sms.log_id for sms in self.world.received}

    @invariant()
    def nothing_is_reported_that_did_not_happen(self) -> None:
        if not hasattr(self, "world"):
            return
        reached = {(r.log_id, r.number): RANKS.index(r.state) for r in self.sent}
        for sms in self.world.reported:
            if sms.log_id:
                assert RANKS.index(sms.state) <= reached[sms.key]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=300,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
