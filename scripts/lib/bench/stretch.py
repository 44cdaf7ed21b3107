"""The longest single stretch on the event loop during 1,000 sends."""

import asyncio
from asyncio import events
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
import gc
import time
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .bench import Bench
from .contestants import ACTION, REST_COMMAND, Send, call
from .many_recipients import MAX_NUMBERS
from .result import Result, Table, Target
from .rounds import Spread, ratio
from .zoho import DOMAIN, TEXT, numbers

SENDS = 1000
LIMIT = 1.2

OURS_AT_ONCE = f"{ACTION}, {SENDS:,} calls at once"
THEIRS_AT_ONCE = f"{REST_COMMAND}, {SENDS:,} calls at once"
OURS_LOOP = f"{ACTION}, {SENDS:,} calls one after another"
THEIRS_LOOP = f"{REST_COMMAND}, {SENDS:,} calls one after another"
ONE_CALL = f"{ACTION}, one call with {SENDS:,} numbers"
PAIRS = (
    (OURS_AT_ONCE, THEIRS_AT_ONCE),
    (OURS_LOOP, THEIRS_LOOP),
    (ONE_CALL, THEIRS_AT_ONCE),
)


@dataclass(slots=True)
class Stretch:
    """The longest run of one handle of the loop (seconds), and what ran."""

    wall: float = 0.0
    cpu: float = 0.0
    what: str = ""


@contextmanager
def longest_stretch() -> Generator[Stretch]:
    """Watch every handle that the event loop runs."""
    longest = Stretch()
    run = events.Handle._run  # noqa: SLF001
    wall_clock, cpu_clock = time.perf_counter, time.thread_time

    def watched(handle: Any) -> None:
        cpu, wall = cpu_clock(), wall_clock()
        run(handle)
        wall, cpu = wall_clock() - wall, cpu_clock() - cpu
        longest.cpu = max(longest.cpu, cpu)
        if wall > longest.wall:
            longest.wall, longest.what = wall, repr(handle)

    setattr(events.Handle, "_run", watched)  # noqa: B010
    try:
        yield longest
    finally:
        setattr(events.Handle, "_run", run)  # noqa: B010


async def measure(bench: Bench, entry: ConfigEntry) -> Result:
    """Send in five ways, in turns."""
    contestants = bench.contestants(entry)
    to = numbers(SENDS)
    ours, theirs = contestants[ACTION], contestants[REST_COMMAND]
    one_call = {"message": TEXT, "recipients": to}
    turns: dict[str, Callable[[], Iterable[Awaitable[None]]]] = {
        OURS_AT_ONCE: lambda: map(ours, to),
        THEIRS_AT_ONCE: lambda: map(theirs, to),
        OURS_LOOP: lambda: [_loop(ours, to)],
        THEIRS_LOOP: lambda: [_loop(theirs, to)],
        ONE_CALL: lambda: [call(bench.hass, f"{DOMAIN}.send_sms", one_call)],
    }
    found: dict[str, list[Stretch]] = {name: [] for name in turns}
    for _ in range(bench.scale.stretch):
        for name, turn in turns.items():
            gc.collect()
            # Tasks that are made here, and begin there: making 1,000 takes longer than
            # any step of theirs, and is not theirs.
            tasks = [asyncio.ensure_future(send) for send in turn()]
            with longest_stretch() as stretch:
                await asyncio.gather(*tasks)
            requests = SENDS // MAX_NUMBERS if name == ONE_CALL else SENDS
            await bench.zoho.check(to, requests)
            found[name].append(stretch)
    return _result(found)


def _result(found: dict[str, list[Stretch]]) -> Result:
    result = Result("stretch")
    result.raw = {
        name: [(each.wall, each.cpu, each.what) for each in stretches]
        for name, stretches in found.items()
    }
    result.tables.append(
        Table(
            f"Longest stretch on the event loop during {SENDS:,} sends",
            ("sent by", "wall, ms", "CPU, ms"),
            [
                (
                    name,
                    Spread.of([each.wall for each in stretches]).text(1000, 1),
                    Spread.of([each.cpu for each in stretches]).text(1000, 1),
                )
                for name, stretches in found.items()
            ],
        )
    )
    result.targets = [
        Target(
            f"Longest stretch, CPU: {ours}, against {theirs}",
            # On the clock, other processes' turns on the processor count, too.
            ratio(
                [each.cpu for each in found[ours]],
                [each.cpu for each in found[theirs]],
            ),
            LIMIT,
        )
        for ours, theirs in PAIRS
    ]
    return result


async def _loop(send: Send, to: list[str]) -> None:
    for number in to:
        await send(number)
