"""One SMS, warm: every way to send it, wall and CPU per call."""

from collections.abc import Awaitable, Callable
from functools import partial

from homeassistant.config_entries import ConfigEntry

from .bench import Bench
from .contestants import (
    ACTION,
    BARE,
    BARE_ENTITY,
    ENTITY,
    OURS,
    REST_COMMAND,
    THEIRS,
    Send,
    by_bare_entity,
)
from .result import Result, Table, Target
from .rounds import Sample, Spread, cpus, interleave, ratio, walls
from .zoho import recipient_number

LIMIT = 1.15
#: How many calls of a turn are not timed: what ran before them is not theirs.
WARM_CALLS = 3


async def measure(bench: Bench, entry: ConfigEntry) -> Result:
    """Send one after another, in turns."""
    result = Result("one_sms")
    contestants = dict(bench.contestants(entry))
    contestants[BARE_ENTITY] = await by_bare_entity(
        bench.hass, contestants[BARE], recipient_number(0)
    )
    for seconds, (rounds, calls) in bench.scale.one_sms.items():
        await bench.zoho.answer_in(seconds)
        samples = await send_in_turns(bench, contestants, rounds, calls)
        add(result, samples, f"Zoho answers in {seconds * 1000:.0f} ms")
    await bench.zoho.answer_in(0)
    return result


async def send_in_turns(
    bench: Bench, contestants: dict[str, Send], rounds: int, calls: int
) -> dict[str, list[Sample]]:
    """Return the samples of all contestants, per call."""
    number = recipient_number(0)

    async def turn(send: Send) -> None:
        for _ in range(calls):
            await send(number)

    async def warm(name: str) -> None:
        for _ in range(WARM_CALLS):
            await contestants[name](number)

    async def check(_: str) -> None:
        sends = WARM_CALLS + calls
        await bench.zoho.check([number] * sends, sends)

    turns: dict[str, Callable[[], Awaitable[None]]] = {
        name: partial(turn, send) for name, send in contestants.items()
    }
    samples = await interleave(rounds, turns, check, warm)
    return {
        name: [Sample(wall / calls, cpu / calls) for wall, cpu in of_one]
        for name, of_one in samples.items()
    }


def add(result: Result, samples: dict[str, list[Sample]], situation: str) -> None:
    """Add the tables and targets of one situation."""
    result.raw[situation] = samples
    result.tables.append(
        Table(
            f"One SMS, {situation}: time per call",
            ("sent by", "wall, ms", "CPU, ms"),
            [
                (
                    name,
                    Spread.of(walls(of_one)).text(1000),
                    Spread.of(cpus(of_one)).text(1000),
                )
                for name, of_one in samples.items()
            ],
        )
    )
    rows = []
    for ours in OURS:
        for theirs in THEIRS:
            wall = ratio(walls(samples[ours]), walls(samples[theirs]))
            cpu = ratio(cpus(samples[ours]), cpus(samples[theirs]))
            rows.append((ours, theirs, wall.text(), cpu.text()))
            if theirs == REST_COMMAND and ours in {ACTION, ENTITY}:
                name = f"One SMS by {ours}, {situation}"
                result.targets += [
                    Target(f"{name}: {what} of rest_command's", value, LIMIT)
                    for what, value in (("wall", wall), ("CPU", cpu))
                ]
    result.tables.append(
        Table(
            f"One SMS, {situation}: ratios",
            ("sent by", "against", "wall", "CPU"),
            rows,
        )
    )
