"""Who calls: several at once, each with people of its own and one call at a time."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
import math
from random import Random
import time
from typing import Any

import aiohttp

from scripts.lib.hass import RestError
from scripts.lib.process import ProcessError

from .answers import SurpriseError, read_error, read_response
from .history import Call, Told, Way
from .home import DOMAIN, Home

CALLERS = 12
#: How long a caller waits between two calls, on average (seconds).
_PAUSE = 0.5
#: The least pause: the windows of two calls have to be told apart (seconds).
_LEAST_PAUSE = 0.002
#: After how long what waits is to be given up, in calls that say so (seconds).
_SHORT = 2
#: What is said of a call that never ends.
HANGS = "no answer came"


@dataclass
class Traffic:
    """What all callers share: how many calls are to be made, and what came of them."""

    total: int
    serial: int = 0
    calls: list[Call] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether Home Assistant is there to be called."""
    has_entities: bool = True
    """Whether its entities are, as far as nobody takes them away."""

    @property
    def is_over(self) -> bool:
        """Return if no more calls are to be made."""
        return self.made >= self.total

    @property
    def made(self) -> int:
        """Return how many calls there were, or are."""
        return len(self.calls)

    @property
    def open_calls(self) -> list[Call]:
        """Return the calls that are under way."""
        return [call for call in self.calls if math.isinf(call.ended)]


@dataclass(frozen=True, slots=True)
class _Person:
    """A recipient of the account, or, without a name, a number that is nobody's."""

    name: str
    numbers: tuple[str, ...]

    @property
    def entity_id(self) -> str:
        return f"notify.{self.name.lower().replace(' ', '_')}"

    @property
    def target(self) -> str:
        return self.name or self.numbers[0]


class _NoSuchActionError(Exception):
    """Home Assistant has no such action, at least not yet."""


class Caller:
    """Somebody who makes one call after the other to the same few people."""

    def __init__(self, index: int, seed: int, home: Home, traffic: Traffic) -> None:
        """Have a person, a crew with two numbers, and a number."""
        numbers = [f"+1480555{index:02}{last:02}" for last in range(4)]
        self._people = [
            _Person(f"Person {index}", (numbers[0],)),
            _Person(f"Crew {index}", (numbers[1], numbers[2])),
        ]
        self._stranger = _Person("", (numbers[3],))
        self._home = home
        self._traffic = traffic
        self._random = Random(f"caller {seed} {index}")  # noqa: S311
        self._available_since = 0

    @cached_property
    def recipients(self) -> dict[str, tuple[str, ...]]:
        """Return whom the account has to know, with their numbers."""
        return {person.name: person.numbers for person in self._people}

    async def run(self) -> None:
        """Call until there are enough calls; not while Home Assistant is not there."""
        while not self._traffic.is_over:
            await asyncio.sleep(_LEAST_PAUSE + self._random.expovariate(1 / _PAUSE))
            await self._traffic.up.wait()
            if not self._traffic.is_over:
                await self._make_call()

    async def _make_call(self) -> None:
        way = self._random.choice([*Way])
        if way is Way.ENTITY and not await self._entities_are_available():
            way = Way.ACTION
        call, action, data = self._draw(way)
        self._traffic.calls.append(call)
        try:
            call.told = await self._perform(call, action, data)
        except SurpriseError as error:
            call.surprise = str(error)
        except TimeoutError:
            call.surprise = HANGS
        except _NoSuchActionError, aiohttp.ClientConnectorError, ProcessError:
            # Home Assistant has only begun to start, or is not there any more.
            self._traffic.calls.remove(call)
        except aiohttp.ClientError:
            pass  # it was killed meanwhile
        call.ended = time.time()

    async def _entities_are_available(self) -> bool:
        """Return if all entities are there in this life of Home Assistant."""
        lives = self._home.lives
        if self._available_since == lives:
            return self._traffic.has_entities
        try:
            for person in self._people:
                if not await self._home.is_available(person.entity_id):
                    return False
        except TimeoutError, aiohttp.ClientError, ProcessError:
            return False
        self._available_since = lives
        return self._traffic.has_entities

    def _draw(self, way: Way) -> tuple[Call, str, dict[str, Any]]:
        """Return a call, with the action and its data."""
        random = self._random
        known = (
            [*self._people] if way is Way.ENTITY else [*self._people, self._stranger]
        )
        people = random.sample(known, random.choice([1, 1, 2]))
        self._traffic.serial += 1
        call = Call(
            way=way,
            text=f"Soak {self._traffic.serial:05}{random.choice(['', '', ' 🌻'])}",
            numbers=tuple(number for person in people for number in person.numbers),
            begun=time.time(),
        )
        data: dict[str, Any] = {"message": call.text}
        if way is Way.ENTITY:
            data["entity_id"] = [person.entity_id for person in people]
            return call, "notify.send_message", data
        options: dict[str, Any] = random.choice(
            [{}, {}, {}, {}, {"keep_trying": False}, {"keep_trying_for": _SHORT}]
        )
        call.waits = options.get("keep_trying") is not False
        targets = [person.target for person in people]
        if way is Way.ACTION:
            return call, f"{DOMAIN}.send_sms", data | options | {"recipients": targets}
        return call, f"notify.{DOMAIN}", data | {"target": targets, "data": options}

    async def _perform(
        self, call: Call, action: str, data: dict[str, Any]
    ) -> dict[str, Told]:
        """Make a call; return what it tells. Raises SurpriseError."""
        with_response = call.way is Way.ACTION
        try:
            response = await self._home.action(action, data, response=with_response)
        except RestError as error:
            if not error.message and error.status == HTTPStatus.BAD_REQUEST:
                raise _NoSuchActionError from error
            if error.status == HTTPStatus.BAD_REQUEST:
                # The call itself was wrong, which is found out before all else.
                return dict.fromkeys(call.numbers, Told.NOT_SENT)
            return read_error(error.message or str(error), call.numbers)
        if with_response:
            return read_response(response, call.numbers)
        return dict.fromkeys(call.numbers, Told.ACCEPTED)
