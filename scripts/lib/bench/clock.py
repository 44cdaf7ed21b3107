"""What things take: on the clock, of the processor, and at most at a stretch."""

import asyncio
from asyncio import events
from collections.abc import Awaitable, Callable, Iterable, Mapping
import gc
import time
from typing import Any
from unittest.mock import patch

from .figures import Sample

type Turn = Callable[[], Any]


async def timed(turn: Turn) -> Sample:
    """Measure one turn."""
    cpu, wall = time.process_time(), time.perf_counter()
    await turn()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


async def watched(*work: Awaitable[object]) -> Sample:
    """Measure what begins at the same time, and the longest step of the event loop."""
    step = step_cpu = 0.0
    run = events.Handle._run  # noqa: SLF001
    wall_clock, cpu_clock = time.perf_counter, time.thread_time

    def watch(handle: Any) -> None:
        nonlocal step, step_cpu
        cpu, wall = cpu_clock(), wall_clock()
        run(handle)
        step = max(step, wall_clock() - wall)
        step_cpu = max(step_cpu, cpu_clock() - cpu)

    gc.collect()
    # Making 1,000 tasks takes longer than any step of theirs, and is not theirs.
    tasks = [asyncio.ensure_future(each) for each in work]
    with patch.object(events.Handle, "_run", watch):
        sample = await timed(lambda: asyncio.gather(*tasks))
    return sample._replace(step=step, step_cpu=step_cpu)


async def _nothing(_: str) -> None:
    """Do nothing."""


async def take_turns(
    rounds: Iterable[int],
    turns: Mapping[str, Turn],
    *,
    before: Callable[[str], Awaitable[object]] = _nothing,
    after: Callable[[str], Awaitable[object]] = _nothing,
    measure: Callable[[Turn], Awaitable[Sample]] = timed,
) -> dict[str, list[Sample]]:
    """Measure all in each round, another one first each time.

    `before` and `after` belong to each turn, and are not timed.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in turns}
    names = [*turns]
    for number in rounds:
        first = number % len(names)
        for name in names[first:] + names[:first]:
            await before(name)
            samples[name].append(await measure(turns[name]))
            await after(name)
    return samples
