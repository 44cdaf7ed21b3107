"""Rounds in which every contestant has its turn, and what their times come to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
import gc
from statistics import median, quantiles
import time
from typing import NamedTuple, Self


class Sample(NamedTuple):
    """What one turn took (seconds): on the clock, and of all this process's threads."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Describe values."""
        low, _, high = (
            quantiles(values, n=4, method="inclusive")
            if len(values) > 1
            else [*values] * 3
        )
        return cls(median(values), low, high, len(values))

    def text(self, factor: float = 1, digits: int = 2) -> str:
        """Return it as a table shows it."""
        shown = [
            f"{value * factor:,.{digits}f}"
            for value in (self.median, self.low, self.high)
        ]
        return shown[0] if self.count == 1 else f"{shown[0]} ({shown[1]}-{shown[2]})"


def walls(samples: Sequence[Sample]) -> list[float]:
    """Return the times on the clock."""
    return [sample.wall for sample in samples]


def cpus(samples: Sequence[Sample]) -> list[float]:
    """Return the times of the processor."""
    return [sample.cpu for sample in samples]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Compare round by round: noise that lasts hits both sides."""
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


async def timed(turn: Callable[[], Awaitable[None]]) -> Sample:
    """Measure one turn."""
    cpu, wall = time.process_time(), time.perf_counter()
    await turn()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


async def _nothing(_: str) -> None:
    """Do nothing."""


async def interleave(
    rounds: int,
    turns: Mapping[str, Callable[[], Awaitable[None]]],
    after: Callable[[str], Awaitable[None]],
    before: Callable[[str], Awaitable[None]] = _nothing,
) -> dict[str, list[Sample]]:
    """Measure all in each round, another one first each time.

    `before` and `after` belong to each turn, and are not timed.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in turns}
    names = [*turns]
    for number in range(rounds):
        gc.collect()
        first = number % len(names)
        for name in names[first:] + names[:first]:
            await before(name)
            samples[name].append(await timed(turns[name]))
            await after(name)
    return samples
