"""One run: callers call, all sorts of things break, and there is a verdict."""

import asyncio
from asyncio import Task
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
import time

import aiohttp

from sandbox import FaultKind
from scripts.lib.hass import INTEGRATION
from scripts.lib.process import ProcessError

from .callers import CALLERS, HANGS, Caller, Traffic
from .history import History, Row, Way
from .home import Home, Tracking
from .people import People
from .plan import End, Event, Life, Scale, Trouble, make_plan
from .verdict import FINAL, NOT_TOLD, Finding, judge
from .witness import Witness
from .zoho import Zoho

#: How often is looked at what came of it so far (seconds).
_LOOK_EVERY = 1.0
#: How long Zoho is still away when Home Assistant is there again (seconds).
_STILL_AWAY = 1.5
#: How long to wait for what has waited, once Zoho is back (seconds).
_BACK_LIMIT = 10.0
#: How long to wait until so much was told (seconds).
_TOLD_LIMIT = 12.0
#: How long it may take until all is sent and told, with nothing in its way (seconds).
_SETTLE_LIMIT = 100.0
#: How long it takes at most, on a slow machine, from hearing of something to telling
#: it: within the one step in which a kill loses it (seconds).
_STEP = 1.0
#: How long it takes until an SMS that Zoho took is followed (seconds): Zoho's answer is
#: late, and whether a retry of it waits is not written down at once.
_ACCEPTING = 3.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be done, and with which integration."""

    seed: int
    scale: Scale
    integration: Path = INTEGRATION
    stop_early: bool = False
    """Stop as soon as anything is wrong."""


@dataclass(slots=True)
class Figures:
    """How much was broken."""

    kills: int = 0
    starts: list[float] = field(default_factory=list)
    """How long it took each time (seconds)."""
    requests: int = 0
    """How many requests Zoho got while things went wrong."""
    troubles: list[Trouble] = field(default_factory=list)


class Run:
    """Home Assistant, Zoho, and those who call."""

    def __init__(
        self, settings: Settings, directory: Path, say: Callable[[str], None]
    ) -> None:
        """Prepare all of it."""
        seed = settings.seed
        self.settings = settings
        self.figures = Figures()
        self.zoho = Zoho(Random(f"faults {seed}"))  # noqa: S311
        self.traffic = Traffic(settings.scale.calls)
        self._home = Home(directory / "config", settings.integration)
        self._callers = [
            Caller(index, seed, self._home, self.traffic) for index in range(CALLERS)
        ]
        self._say = say
        self._begun = time.monotonic()
        self._waiting: list[Row] = []
        self._ended: dict[str, Row] = {}
        self._asked_at = 0.0
        self._settled = False
        self._people = People(self.zoho, Random(f"people {seed}"))  # noqa: S311
        self._witness = Witness(self._home.directory)
        self._known_since: dict[str, float] = {}
        self._told: set[str] = set()
        self._cut: set[str] = set()
        self._just_accepted: set[str] = set()
        self._calling: list[Task[None]] = []
        self._coming_back: Task[None] | None = None
        self._complaints: list[Finding] = []

    @property
    def seconds(self) -> float:
        """Return for how long it runs."""
        return time.monotonic() - self._begun

    @property
    def history(self) -> History:
        """Return all that is known now."""
        return History(
            calls=self.traffic.calls,
            held=self.zoho.held,
            waiting=self._waiting,
            ended=[*self._ended.values()],
            asked_at=self._asked_at,
            settled=self._settled,
            news=self._people.news,
            announcements=self._witness.announcements,
            cut=self._cut,
            just_accepted=self._just_accepted,
        )

    @property
    def findings(self) -> list[Finding]:
        """Return all that is wrong."""
        return judge(self.history) + self._complaints

    async def run(self) -> None:
        """Do all of it, or stop early."""
        async with self.zoho:
            recipients = {
                name: numbers
                for caller in self._callers
                for name, numbers in caller.recipients.items()
            }
            self._home.add_account(self.zoho, recipients)
            self.zoho.callbacks.transport = self._home.call_back
            tasks = [
                asyncio.create_task(self._live()),
                asyncio.create_task(self._look()),
                asyncio.create_task(self._people.run()),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._home.kill()
                if self._coming_back:
                    self._coming_back.cancel()
        self._complaints = [
            Finding("in the log", text) for text in self._home.complaints()
        ]

    async def _live(self) -> None:
        """Live all lives, then see to it that all is sent."""
        self._calling = [asyncio.create_task(each.run()) for each in self._callers]
        try:
            due = 0
            for number, life in enumerate(
                make_plan(self.settings.seed, self.settings.scale), 1
            ):
                await self._start()
                await self._break(life, due)
                due += life.calls
                await self._until_made(due)
                if life.end is not None:
                    await self._end(number, life)
            await asyncio.gather(*self._calling)
        finally:
            for task in self._calling:
                task.cancel()
        await self._settle()

    async def _start(self) -> None:
        """Start Home Assistant; the callers are there as soon as it answers."""
        begin = time.monotonic()
        is_first = not self._home.lives
        await (self._home.begin() if is_first else self._home.start())
        self.figures.starts.append(time.monotonic() - begin)
        if is_first:
            # What was there before its first look is old.
            await self._until(lambda: self._read_tracking().follows_incoming)
        self.traffic.up.set()

    async def _break(self, life: Life, due: int) -> None:
        """Break what is to break in a life."""
        for event in life.events:
            await self._until_made(due + event.after)
            self.figures.troubles.append(event.trouble)
            await self._happen(event)

    async def _happen(self, event: Event) -> None:
        match event.trouble:
            case Trouble.AWAY:
                self.zoho.add_fault(FaultKind.REFUSE, seconds=event.seconds)
            case Trouble.SLOW:
                self.zoho.be_slow(event.seconds)
            case Trouble.EXPIRED | Trouble.NO_TOKEN:
                self.zoho.expire_access_tokens()
                if event.fault:
                    self.zoho.add_fault(event.fault)
            case Trouble.RELOADED:
                await self._reload()
            case Trouble.CLEARED:
                await self._clear()
            case Trouble.UNREADABLE:
                self.zoho.be_unreadable(event.fault, event.seconds)

    async def _reload(self) -> None:
        """Reload the account, when nobody is writing to its entities."""
        self.traffic.has_entities = False
        await self._until(
            lambda: not any(call.way is Way.ENTITY for call in self.traffic.open_calls)
        )
        await self._home.reload()
        self.traffic.has_entities = True

    async def _clear(self) -> None:
        """Take out of the outbox what waits for one of the numbers."""
        await self._ask()
        if self._waiting:
            cleared = await self._home.clear(self._waiting[-1].number)
            self._ended |= {row.message_id: row for row in cleared}

    async def _end(self, number: int, life: Life) -> None:
        """Kill Home Assistant at the moment that is due."""
        if life.end is End.BACK:
            await self._go_and_come_back(life)
        else:
            if life.end is End.AWAY:
                self.figures.troubles.append(Trouble.AWAY)
                await self.zoho.refuse()
            if life.end is End.TOLD:
                await self._wait_until_told(life.waited)
            else:
                await asyncio.sleep(life.seconds)
        self.traffic.up.clear()
        killed_at = time.time()
        await self._home.kill()
        self._examine(killed_at)
        self.figures.kills += 1
        self._say(
            f"{self.seconds:4.0f} s  kill {number} ({life.end}): {self.traffic.made}"
            f" calls, {len(self.zoho.sent)} SMS at Zoho, {len(self._waiting)} waiting"
        )
        if life.end is End.AWAY:
            self._coming_back = asyncio.create_task(self._come_back())

    async def _wait_until_told(self, count: int) -> None:
        """Wait until so much more was told."""
        told = self._witness.read() + count
        with suppress(TimeoutError):
            async with asyncio.timeout(_TOLD_LIMIT):
                await self._until(lambda: self._witness.read() >= told)

    def _examine(self, killed_at: float) -> None:
        """Find what the kill kept from being told or followed, and archive the rest.

        What was told before the kill before this one is in the log no more.
        """
        told = self._read_told()
        tracking = self._read_tracking()
        self._cut |= {
            log_id
            for log_id, state in tracking.states.items()
            if state in FINAL and tracking.changed_at[log_id] > killed_at - _STEP
        } - told
        self._cut |= {
            log_id
            for log_id in tracking.known
            if self._known_since[log_id] > killed_at - _STEP
        } - told
        self._just_accepted |= {
            sms.log_id
            for sms in self.zoho.sent
            if sms.submitted_at > killed_at - _ACCEPTING
        } - (told | tracking.states.keys())
        self.zoho.archive(self._told)
        self._told = told

    def _read_told(self) -> set[str]:
        """Return the log ids of all that was told."""
        self._witness.read()
        return {one.log_id for one in self._witness.announcements if not one.entity_id}

    def _read_tracking(self) -> Tracking:
        """Return what Home Assistant has written down of the news."""
        tracking, now = self._home.tracking(), time.time()
        for log_id in tracking.known:
            self._known_since.setdefault(log_id, now)
        self._people.answer |= tracking.follows_incoming
        return tracking

    async def _go_and_come_back(self, life: Life) -> None:
        """Let messages wait, then return while these are on their way."""
        if life.no_tokens:
            self.figures.troubles.append(Trouble.NO_TOKEN)
            self.zoho.expire_access_tokens()
            self.zoho.add_fault(FaultKind.TOKEN_SERVER_ERROR, times=None)
        else:
            self.figures.troubles.append(Trouble.AWAY)
            await self.zoho.refuse()
        await asyncio.sleep(life.seconds)
        self.zoho.clear_faults()
        await self.zoho.listen()
        back = len(self.zoho.sent)
        with suppress(TimeoutError):
            async with asyncio.timeout(_BACK_LIMIT):
                await self._until(lambda: self._is_sending(back, life.waited))

    def _is_sending(self, since: int, count: int) -> bool:
        """Return if Zoho has just accepted something that had waited.

        That is, of which the call has ended; and so many of these since then.
        """
        if not self.zoho.has_just_accepted:
            return False
        open_calls = {call.text for call in self.traffic.open_calls}
        waited = [sms.text not in open_calls for sms in self.zoho.held[since:]]
        return bool(waited) and waited[-1] and sum(waited) >= count

    async def _come_back(self) -> None:
        """Let Zoho be there again some time after Home Assistant is."""
        await self.traffic.up.wait()
        await asyncio.sleep(_STILL_AWAY)
        await self.zoho.listen()

    async def _settle(self) -> None:
        """Let nothing fail any more, start properly, and wait until all is sent."""
        self.figures.requests = len(self.zoho.requests)
        self.zoho.calm()
        await self.zoho.listen()
        await self._people.finish()
        self.traffic.up.clear()
        await self._home.stop()
        await self._start()
        await self._home.wait_running()
        end = time.monotonic() + _SETTLE_LIMIT
        await self._ask()
        while self._is_to_go_on and time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY)
            await self._ask()
        await self._people.finish()
        self._settled = True

    @property
    def _is_to_go_on(self) -> bool:
        """Return if something has yet to be sent, or told."""
        if self._waiting:
            return True
        self._witness.read()
        after = replace(self.history, settled=True)
        return any(finding.kind == NOT_TOLD for finding in judge(after))

    async def _look(self) -> None:
        """Ask the outbox now and then; return when it makes no sense to go on."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self._witness.read()
            self._read_tracking()
            await self.traffic.up.wait()
            with suppress(TimeoutError, aiohttp.ClientError, ProcessError):
                await self._ask()
            if any(call.surprise == HANGS for call in self.traffic.calls):
                return
            if self.settings.stop_early and self.findings:
                return

    async def _ask(self) -> None:
        """Ask the outbox what waits, and what has ended."""
        now = time.time()
        waiting, ended = await self._home.outbox()
        self._ended |= {row.message_id: row for row in ended}
        if now > self._asked_at:  # two may ask at once
            self._waiting, self._asked_at = waiting, now

    async def _until_made(self, calls: int) -> None:
        """Wait until there were so many calls."""
        await self._until(lambda: self.traffic.made >= calls)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, while Home Assistant lives."""
        while not condition():
            self._home.check()
            for task in self._calling:
                if task.done():
                    task.result()
            await asyncio.sleep(0.001)
