"""1 to 1,000 numbers in one call, against as many calls of `rest_command`."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from homeassistant.config_entries import ConfigEntry

from .bench import Bench
from .contestants import REST_COMMAND, call
from .result import Result, Table, Target
from .rounds import Sample, Spread, cpus, interleave, ratio, walls
from .scale import SIZES
from .zoho import DOMAIN, TEXT, numbers

ONE_CALL = "zoho_voice.send_sms, one call"
LOOP = "rest_command, one after another"
AT_ONCE = "rest_command, all at once"

MAX_NUMBERS = 10
FASTER = 8
FASTER_AT = (0.05, 100)
#: Ten times as many may take ten times as long; the rest is noise.
GROWTH = 11


async def measure(bench: Bench, entry: ConfigEntry) -> Result:
    """Send to ever more numbers."""
    result = Result("many_recipients")
    rest_command = bench.contestants(entry)[REST_COMMAND]
    for seconds, rounds_of in bench.scale.many.items():
        await bench.zoho.answer_in(seconds)
        by_size: dict[int, dict[str, list[Sample]]] = {}
        for size, rounds in zip(SIZES, rounds_of, strict=True):
            if not rounds:
                continue
            turns = _turns(bench, rest_command, numbers(size))
            if size > bench.scale.loop_limit[seconds]:
                del turns[LOOP]

            async def check(name: str, size: int = size) -> None:
                requests = -(-size // MAX_NUMBERS) if name == ONE_CALL else size
                await bench.zoho.check(numbers(size), requests)

            by_size[size] = await interleave(rounds, turns, check)
        _add(result, by_size, seconds)
    await bench.zoho.answer_in(0)
    result.targets.append(
        # The check of each round raises if there were more or fewer.
        Target(
            "1,000 recipients: requests, in every round",
            Spread.of([SIZES[-1] / MAX_NUMBERS] * bench.scale.many[0.0][-1]),
            100,
            unit="requests",
        )
    )
    return result


def _turns(
    bench: Bench, rest_command: Callable[[str], Awaitable[None]], to: list[str]
) -> dict[str, Callable[[], Awaitable[None]]]:
    async def loop() -> None:
        for number in to:
            await rest_command(number)

    async def at_once() -> None:
        await asyncio.gather(*(rest_command(number) for number in to))

    data = {"message": TEXT, "recipients": to}
    return {
        ONE_CALL: partial(call, bench.hass, f"{DOMAIN}.send_sms", data),
        LOOP: loop,
        AT_ONCE: at_once,
    }


def _add(
    result: Result, by_size: dict[int, dict[str, list[Sample]]], seconds: float
) -> None:
    situation = f"Zoho answers in {seconds * 1000:.0f} ms"
    result.raw[situation] = by_size
    rows = []
    for size, samples in by_size.items():
        ours = samples[ONE_CALL]
        for name, of_one in samples.items():
            requests = -(-size // MAX_NUMBERS) if name == ONE_CALL else size
            faster = ratio(walls(of_one), walls(ours))
            rows.append(
                (
                    f"{size:,}",
                    name,
                    f"{requests:,}",
                    Spread.of(walls(of_one)).text(1000, 1),
                    Spread.of(cpus(of_one)).text(1000, 1),
                    "" if name == ONE_CALL else faster.text(digits=1),
                    ""
                    if name == ONE_CALL
                    else ratio(cpus(of_one), cpus(ours)).text(digits=1),
                )
            )
            if (seconds, size) == FASTER_AT and name == LOOP:
                result.targets.append(
                    Target(
                        f"{size} recipients, {situation}: faster than the loop",
                        faster,
                        FASTER,
                        at_least=True,
                    )
                )
    result.tables.append(
        Table(
            f"Recipients in one call, {situation}",
            (
                "recipients",
                "sent by",
                "requests",
                "wall, ms",
                "CPU, ms",
                "our gain, wall",
                "our gain, CPU",
            ),
            rows,
        )
    )
    if not seconds:
        result.targets.append(
            growth(
                "CPU of one call",
                {size: cpus(samples[ONE_CALL]) for size, samples in by_size.items()},
            )
        )


def growth(name: str, by_size: dict[int, list[float]]) -> Target:
    """Return the target for what ten times as many take, at the upper end."""
    upper, lower = by_size[1000], by_size[100]
    middle = Spread.of(lower).median
    return Target(
        f"{name}: 1,000 recipients against 100",
        Spread.of([value / middle for value in upper]),
        GROWTH,
    )
