"""A server that comes back is noticed once, while somebody waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE
import pytest

from custom_components.zoho_voice.connection.reachability import PAUSE, Reachability

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class World:
    """A server, a timer, and somebody who waits as long as `url` says."""

    def __init__(self) -> None:
        self.url = "https://voice.example.com"
        self.is_there = False
        self.asked: list[str] = []
        self.told: list[bool] = []
        self.timers: list[Callable[[datetime], Coroutine[Any, Any, None]]] = []
        self.hold: asyncio.Event | None = None
        self.reachability = Reachability(self.can_reach, self.call_later, self.tell)
        self.reachability.watch(self.url)

    async def can_reach(self, url: str) -> bool:
        self.asked.append(url)
        if self.hold:
            await self.hold.wait()
        return self.is_there

    def call_later(
        self, seconds: float, action: Callable[[datetime], Coroutine[Any, Any, None]]
    ) -> CALLBACK_TYPE:
        assert seconds == PAUSE
        self.timers.append(action)
        return lambda: self.timers.remove(action)

    def tell(self, is_back: bool) -> None:
        self.told.append(is_back)
        self.reachability.watch(self.url)

    async def wait(self, *, is_there: bool) -> None:
        """Let the pause be over."""
        self.is_there = is_there
        (timer,) = self.timers
        self.timers.clear()
        await timer(NOW)


@pytest.fixture
def world() -> World:
    return World()


async def test_each_return_is_told_once(world: World) -> None:
    for is_there in (False, False, True, True, True, False, True, True):
        await world.wait(is_there=is_there)
    assert world.told == [False, False, True, False, False, False, True, False]
    assert {*world.asked} == {world.url}


async def test_nobody_is_asked_when_nobody_waits(world: World) -> None:
    world.reachability.watch("")
    assert world.timers == []
    world.reachability.watch("")
    world.reachability.watch(world.url)
    world.reachability.watch(world.url)
    assert len(world.timers) == 1
    world.url = ""
    await world.wait(is_there=True)
    assert world.timers == []
    assert len(world.asked) == 1


async def test_what_was_there_before_may_be_told_again_in_another_outage(
    world: World,
) -> None:
    await world.wait(is_there=True)
    world.reachability.watch("")
    world.reachability.watch(world.url)
    await world.wait(is_there=True)
    assert world.told == [True, True]


async def test_answer_of_a_server_that_is_no_longer_waited_for_says_nothing(
    world: World,
) -> None:
    world.hold = asyncio.Event()
    asking = asyncio.create_task(world.wait(is_there=True))
    while not world.asked:
        await asyncio.sleep(0)
    world.url = "https://accounts.example.com"
    world.reachability.watch(world.url)
    assert world.timers == []
    world.hold.set()
    await asking
    assert world.told == [False]
    await world.wait(is_there=True)
    assert world.told == [False, True]
    assert world.asked[-1] == world.url
