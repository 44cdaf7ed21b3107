"""One call to 1 to 1,000 recipients of an account with 1,000."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from homeassistant.config_entries import ConfigEntry

from .bench import FAST, Bench
from .clock import Turn, take_turns
from .contestants import ACTION, REST_COMMAND, all_ways, call
from .core import entity_ids
from .figures import (
    Group,
    Result,
    Sample,
    Spread,
    Target,
    compare,
    in_short,
    ratio,
    times,
)
from .zoho import numbers, recipient_numbers

SIZES = (1, 10, 100, 1000)
OURS = ("one call to numbers", "one call to entities", "one call to names")
TO_NUMBERS, TO_ENTITIES, TO_NAMES = OURS
LOOP = f"{REST_COMMAND}, one after another"
AT_ONCE = f"{REST_COMMAND}, all at once"

#: How many times as fast as the loop one call is to be.
FASTER = 8
#: Ten times as many may take ten times as long; the rest is noise.
GROWTH = 11
#: Zoho takes ten numbers in a request.
REQUESTS = 100
_IN_SHORT = 100


async def measure(bench: Bench) -> Result:
    """Send to ever more, who share requests in our calls only."""
    result = Result()
    async with bench.account(SIZES[-1]) as entry:
        async for situation in bench.situations():
            groups: dict[str, dict[str, list[Sample]]] = {}
            for size in SIZES:
                turns = _turns(bench, entry, size)
                rounds = bench.rounds(15 if situation == FAST else 3)
                group, requests = await _send(bench, turns, rounds, size)
                groups[f"{size:,}"] = group
                if situation != FAST and size >= _IN_SHORT:
                    _add_in_short(result, f"{size:,} recipients, {situation}", group)
            title = f"Many recipients, {situation}"
            labels = ("recipients", "sent by")
            result.tables.append(compare(title, labels, groups, TO_NUMBERS))
            if situation == FAST:
                _add_growth(result, groups, requests)
    return result


def _turns(bench: Bench, entry: ConfigEntry, size: int) -> dict[str, Turn]:
    rest_command = all_ways(bench, entry)[REST_COMMAND]
    to = numbers(size)

    async def loop() -> None:
        for number in to:
            await rest_command(number)

    async def at_once() -> None:
        await asyncio.gather(*map(rest_command, to))

    by_action = partial(call, bench, ACTION)
    return {
        TO_NUMBERS: partial(by_action, recipients=to),
        TO_ENTITIES: partial(by_action, entity_id=entity_ids(bench.hass, entry)[:size]),
        TO_NAMES: partial(by_action, recipients=[f"Person {i}" for i in range(size)]),
        LOOP: loop,
        AT_ONCE: at_once,
    }


async def _send(
    bench: Bench, turns: dict[str, Turn], rounds: Iterable[int], size: int
) -> tuple[dict[str, list[Sample]], list[float]]:
    """Return what the turns took, and how many requests each of our calls made."""
    requests: list[float] = []

    async def check(name: str) -> None:
        known = name in {TO_ENTITIES, TO_NAMES}
        to = recipient_numbers(size) if known else numbers(size)
        received = await bench.zoho.check(to)
        if name in OURS:
            requests.append(received.accepted)

    samples = await take_turns(rounds, turns, after=check, measure=bench.take_in)
    return samples, requests


def _add_in_short(result: Result, title: str, group: Group) -> None:
    """Add what everybody wants to know."""
    result.in_short.append(in_short(title, group[TO_NUMBERS], group, LOOP))
    faster = ratio(times(group[LOOP]), times(group[TO_NUMBERS]))
    name = f"{title}: as fast as {LOOP}"
    result.targets.append(Target(name, faster, FASTER, at_least=True))


def _add_growth(
    result: Result, groups: Mapping[str, Group], requests: list[float]
) -> None:
    """Add what must hold however fast Zoho is."""
    name = "1,000 recipients in one call: requests"
    result.targets.append(Target(name, Spread.of(requests), REQUESTS, "requests"))
    for name in OURS:
        result.targets.append(growth(name, groups, name))


def growth(title: str, groups: Mapping[str, Group], name: str) -> Target:
    """Return the target for what ten times as many recipients take."""
    large, small = (times(groups[size][name], "cpu") for size in ("1,000", "100"))
    title = f"{title}: 1,000 recipients ÷ 100, CPU"
    return Target(title, ratio(large, small), GROWTH)
